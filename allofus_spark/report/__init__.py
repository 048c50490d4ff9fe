"""The report of a release: one page that opens offline."""

from allofus_spark.report.write import write_report

__all__ = ["write_report"]
