"""Who is in the cohort, and which communities are under-represented in biomedical research."""

from allofus_spark.representation.omop import ingest_persons_from_omop
from allofus_spark.representation.persons import ingest_persons
from allofus_spark.representation.report import Report, report_cohort

__all__ = ["Report", "ingest_persons", "ingest_persons_from_omop", "report_cohort"]
