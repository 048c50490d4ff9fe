"""Health records and tables of phenotypes: who is a case, who a control, and what was measured of whom."""

from allofus_spark.phenotypes.export import export_phenotypes
from allofus_spark.phenotypes.file_sets import build_from_file
from allofus_spark.phenotypes.measurements import build_measurements
from allofus_spark.phenotypes.omop import ingest_omop
from allofus_spark.phenotypes.phecode_sets import build_phecodes

__all__ = ["build_from_file", "build_measurements", "build_phecodes", "export_phenotypes", "ingest_omop"]
