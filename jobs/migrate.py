"""Columns that the tables' contracts have gained since an earlier version made the tables.

Reads   every table's log
Writes  the logs of tables that lack columns; pipeline_runs, snapshots

    spark-submit jobs/migrate.py --warehouse PATH
"""

from allofus_spark.cli.maintain import migrate_command

if __name__ == "__main__":
    migrate_command()
