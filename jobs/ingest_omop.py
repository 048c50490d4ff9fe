"""Health records of the OMOP CDM, and which samples are whose.

Reads   tables of the CDM 5.2 to 5.4 as CSV, tab-separated text or Parquet; a TSV of persons and samples
Writes  omop_*, rejected_omop_rows, person_samples

    spark-submit jobs/ingest_omop.py --warehouse PATH cdm/ --person-samples samples.tsv
"""

from allofus_spark.cli.phenotypes import ingest_omop_command

if __name__ == "__main__":
    ingest_omop_command()
