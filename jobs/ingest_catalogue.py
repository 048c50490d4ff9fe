"""A version of a catalogue of known variants into the warehouse: VCF with or without samples, TSV, CSV.

Reads   the catalogue's files
Writes  catalogues, known_variants, known_partitions, rejected_known_records

    spark-submit jobs/ingest_catalogue.py --warehouse PATH --name N --version V --build GRCh38 SOURCE...
"""

from allofus_spark.cli.catalogue import ingest_catalogue_command

if __name__ == "__main__":
    ingest_catalogue_command()
