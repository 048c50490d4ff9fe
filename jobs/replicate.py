"""Which known associations a scan sees again, by ancestry.

Reads   known_associations, variants, associations, association_summaries, phenotype_definitions
Writes  replications, replication_summary; the picture replication_SCAN_MAP

    spark-submit jobs/replicate.py --warehouse PATH --scan NAME
"""

from allofus_spark.cli.replication import replicate_command

if __name__ == "__main__":
    replicate_command()
