"""Genotypes of a callset into files of PLINK 2, PLINK 1, VCF or Hail.

Reads   callsets, samples, variant_sites, genotypes; allele_frequencies with --common
Writes  files at --out; no table but the ledger

    spark-submit jobs/export_genotypes.py --warehouse PATH --format pgen --out PREFIX
"""

from allofus_spark.cli.export import export_command

if __name__ == "__main__":
    export_command()
