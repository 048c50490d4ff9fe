"""The cohort's people, and which samples are theirs.

Reads   a TSV or CSV of persons, or omop_person; callsets, samples, omop_observation_period
Writes  persons, person_samples

    spark-submit jobs/ingest_persons.py --warehouse PATH persons.tsv
"""

from allofus_spark.cli.persons import ingest_persons_command

if __name__ == "__main__":
    ingest_persons_command()
