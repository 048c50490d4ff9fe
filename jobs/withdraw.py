"""People who withdraw consent out of every table, and the proof that they are gone.

Reads   every table
Writes  withdrawals, withdrawal_proofs, and every table that holds something of the samples

    spark-submit jobs/withdraw.py --warehouse PATH [--reason TEXT] [--file FILE] [--verify] [SAMPLE ...]
"""

from allofus_spark.cli.withdrawal import withdraw_command

if __name__ == "__main__":
    withdraw_command()
