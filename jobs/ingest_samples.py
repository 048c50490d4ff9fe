"""Sex karyotype and ancestry of a callset's samples into the warehouse.

Reads   a TSV or CSV
Writes  samples

    spark-submit jobs/ingest_samples.py --warehouse PATH --callset ID FILE
"""

from allofus_spark.cli.ingest import ingest_samples_command

if __name__ == "__main__":
    ingest_samples_command()
