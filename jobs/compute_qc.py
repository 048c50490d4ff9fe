"""Quality of variants and samples, of all active callsets.

Reads   callsets, samples, ancestries, unrelated, genotypes, variant_sites
Writes  variant_qc, sample_qc

    spark-submit jobs/compute_qc.py --warehouse PATH
"""

from allofus_spark.cli.qc import qc_command

if __name__ == "__main__":
    qc_command()
