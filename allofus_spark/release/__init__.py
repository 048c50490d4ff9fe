"""Releases: summary data made public, with what would tell of few people withheld."""

from allofus_spark.release.stage import Released, publish_release
from allofus_spark.release.withhold import Counts, Earlier, Shown, withhold

__all__ = ["Counts", "Earlier", "Released", "Shown", "publish_release", "withhold"]
