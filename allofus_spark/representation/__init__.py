"""Who is in the cohort, and which communities are under-represented in biomedical research."""

from allofus_spark.representation.persons import ingest_persons
from allofus_spark.representation.report import Report, report_cohort

__all__ = ["Report", "ingest_persons", "report_cohort"]
