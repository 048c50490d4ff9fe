"""What is stale, made anew in order: the job for a schedule.

Reads   pipeline_runs, snapshots (what was made, and what changed since), and what the stages read
Writes  what the stages write, and pipeline_runs

    spark-submit jobs/nightly.py --warehouse PATH
"""

from allofus_spark.cli.nightly import nightly_command

if __name__ == "__main__":
    nightly_command()
