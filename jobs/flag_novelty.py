"""Which variants no catalogue of known variants has.

Reads   callsets, variants, catalogues, known_variants, known_partitions
Writes  novelty, novelty_history, catalogue_sets, partition_inputs

    spark-submit jobs/flag_novelty.py --warehouse PATH --catalogue dbsnp=156
"""

from allofus_spark.cli.novelty import flag_novelty_command

if __name__ == "__main__":
    flag_novelty_command()
