"""Joint-called VCF files into the warehouse.

Reads   VCF shards; samples (sex karyotypes known so far)
Writes  callsets, samples, variants, variant_sites, genotypes, rejected_records

    spark-submit jobs/ingest_genotypes.py --warehouse PATH --callset ID --date D --build GRCh38 SOURCE...
"""

from allofus_spark.cli.ingest import ingest_genotypes_command

if __name__ == "__main__":
    ingest_genotypes_command()
