"""A map of known associations into the warehouse: variants with phenotypes, by ancestry.

Reads   the map's file, and its file of allele frequencies
Writes  known_associations, rejected_known_associations

    spark-submit jobs/ingest_known_associations.py --warehouse PATH --name N --version V FILE
"""

from allofus_spark.cli.replication import ingest_known_associations_command

if __name__ == "__main__":
    ingest_known_associations_command()
