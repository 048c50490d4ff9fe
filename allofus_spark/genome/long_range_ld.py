"""Regions of long-range linkage disequilibrium, whose sites would make principal components of their own."""

from __future__ import annotations

from allofus_spark.genome.assemblies import rows_of_data
from allofus_spark.genome.builds import Build
from allofus_spark.genome.regions import Regions, merged


def long_range_ld(build: Build) -> Regions:
    """The published regions on a build; none on a custom one.

    Sources: Price et al., Am J Hum Genet 2008;83:132; Anderson et al., Nat Protoc 2010;5:1564.
    """
    rows = rows_of_data("long_range_ld.tsv")
    return merged((contig, int(first), int(last)) for name, contig, first, last in rows if name == build.name)
