"""Quality of variants and samples, of all active callsets.

Reads   callsets, samples, genotypes, variant_sites; a list of unrelated samples
Writes  variant_qc, sample_qc

    spark-submit jobs/compute_qc.py --warehouse PATH --unrelated FILE
"""

from allofus_spark.cli.qc import qc_command

if __name__ == "__main__":
    qc_command()
