"""Upkeep of the tables: small files together, checkpoints of logs, and removal of files that nobody needs.

Reads   every table's log and its small files
Writes  the same rows in fewer files; pipeline_runs, snapshots

    spark-submit jobs/maintain.py --warehouse PATH
"""

from allofus_spark.cli.maintain import maintain_command

if __name__ == "__main__":
    maintain_command()
