"""Joint-called genotypes into the warehouse: VCF, Hail MatrixTable or VDS, PLINK 1 and 2, BGEN.

Reads   the callset's files; samples (sex karyotypes known so far)
Writes  callsets, samples, variants, variant_sites, genotypes, rejected_records

    spark-submit jobs/ingest_genotypes.py --warehouse PATH --callset ID --date D --build GRCh38 SOURCE...
"""

from allofus_spark.cli.ingest import ingest_genotypes_command

if __name__ == "__main__":
    ingest_genotypes_command()
