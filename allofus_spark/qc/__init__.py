"""Sample and variant quality control."""

from allofus_spark.qc.compute import compute_qc

__all__ = ["compute_qc"]
