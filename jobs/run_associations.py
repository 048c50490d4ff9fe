"""Association of phenotypes with variants, by ancestry, and their meta-analysis.

Reads   phenotype_definitions, phenotype_people, phenotypes; callsets, samples, variants, genotypes;
        unrelated, ancestries, persons, person_samples
Writes  associations, meta_associations, association_summaries; pictures of phenotypes with hits

    spark-submit jobs/run_associations.py --warehouse PATH
"""

from allofus_spark.cli.association import associate_command

if __name__ == "__main__":
    associate_command()
