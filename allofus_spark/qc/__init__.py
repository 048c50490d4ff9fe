"""Sample and variant quality control."""

from allofus_spark.qc.compute import compute_qc
from allofus_spark.qc.flag_outliers import flag_sample_outliers
from allofus_spark.qc.outlier_report import OutlierReport, report_outliers
from allofus_spark.qc.outliers import METRICS

__all__ = ["METRICS", "OutlierReport", "compute_qc", "flag_sample_outliers", "report_outliers"]
