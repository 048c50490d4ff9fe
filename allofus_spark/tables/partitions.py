"""Partitions of the tables keyed by variant: the predicate of some, and what each one holds."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

Partition = tuple[str, int]
"""Contig and bin."""


def partitions_predicate(partitions: Iterable[Partition]) -> str:
    """SQL condition of the rows of some partitions, at least one."""
    bins: dict[str, list[int]] = {}
    for contig, number in sorted(partitions):
        bins.setdefault(contig, []).append(number)
    return " OR ".join(
        f"(contig = '{contig}' AND bin IN ({', '.join(map(str, numbers))}))"
        for contig, numbers in bins.items()
    )


def content_hashes(rows: DataFrame, *columns: str) -> dict[Partition, tuple[int, int]]:
    """(rows, exclusive or of the 64-bit hashes of ``columns``) by partition.

    Neither the order of rows nor how they lie in files changes it, so that maintenance does not. Rows whose
    ``columns`` are unique are told apart but for one chance in 2⁶⁴. Reads those columns alone.
    """
    hashed = F.expr(f"bit_xor(xxhash64({', '.join(columns)}))")
    found = rows.groupBy("contig", "bin").agg(F.count(F.lit(1)).alias("rows"), hashed.alias("content"))
    return {(row.contig, row.bin): (row.rows, row.content) for row in found.collect()}
