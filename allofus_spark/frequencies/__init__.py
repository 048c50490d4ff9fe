"""Allele counts by stratum and allele frequencies by ancestry."""

from allofus_spark.frequencies.compute import compute_frequencies
from allofus_spark.frequencies.subset import write_subset_frequencies

__all__ = ["compute_frequencies", "write_subset_frequencies"]
