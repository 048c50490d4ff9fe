"""Which variants a set of catalogues has, and which were never reported."""

from allofus_spark.novelty.flag import flag_novelty

__all__ = ["flag_novelty"]
