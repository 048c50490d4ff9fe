"""Samples whose metrics are far from what their ancestry lets expect, of all active callsets.

Reads   callsets, samples, sample_qc, ancestries
Writes  sample_outliers

    spark-submit jobs/flag_sample_outliers.py --warehouse PATH
"""

from allofus_spark.cli.qc import sample_outliers_command

if __name__ == "__main__":
    sample_outliers_command()
