"""A set of phenotypes: phecodes, traits from measurements, or a table of phenotypes.

Reads   omop_*, person_samples, callsets, samples, ancestries; a map, definitions or a table
Writes  phenotype_definitions, phenotype_people, phenotypes, phenotype_catalogue, unmapped_codes

    spark-submit jobs/build_phenotypes.py --warehouse PATH --name phecode12 --phecode-map phecode12.csv.gz
"""

from allofus_spark.cli.phenotypes import build_phenotypes_command

if __name__ == "__main__":
    build_phenotypes_command()
