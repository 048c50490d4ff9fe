"""Association of phenotypes with variants: scans by ancestry, their meta-analysis, summaries and pictures."""

from allofus_spark.association.stage import DEFAULT_SCAN, Associated, Request, associate

__all__ = ["DEFAULT_SCAN", "Associated", "Request", "associate"]
