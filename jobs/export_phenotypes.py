"""Phenotypes and covariates as files of PLINK 2 or regenie.

Reads   phenotypes, phenotype_people, person_samples, callsets, samples, persons, ancestries
Writes  PREFIX.pheno, PREFIX.covar

    spark-submit jobs/export_phenotypes.py --warehouse PATH --out PREFIX --covariates
"""

from allofus_spark.cli.phenotypes import export_phenotypes_command

if __name__ == "__main__":
    export_phenotypes_command()
