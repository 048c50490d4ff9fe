"""Release folders of any size with invented numbers, in the shape that `allofus_spark.published` says."""

from benchmarks.synthetic.release import GROUPS, write_release

__all__ = ["GROUPS", "write_release"]
