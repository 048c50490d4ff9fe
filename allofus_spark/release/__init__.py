"""Releases: summary data made public, with what would tell of few people withheld."""

from allofus_spark.release.stage import Released, publish_release

__all__ = ["Released", "publish_release"]
