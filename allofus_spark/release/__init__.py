"""Releases: summary data made public."""

from allofus_spark.release.withhold import Counts, Earlier, Shown, withhold

__all__ = ["Counts", "Earlier", "Shown", "withhold"]
