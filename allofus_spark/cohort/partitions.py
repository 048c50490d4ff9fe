"""Which partitions of a table keyed by variant must be made anew, from what they were made of last time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.tables import PARTITION_INPUTS, Reader, RowsWrite

# (contig, bin)
Partition = tuple[str, int]
Inputs = Mapping[str, str]


def variant_fingerprints(variants: DataFrame) -> dict[Partition, tuple[int, str]]:
    """Alleles of each partition, and a fingerprint of them that does not depend on their order.

    The fingerprint is the count and the XOR of xxhash64(position, ref, alt): two sets of alleles share one by
    chance with a probability of 2⁻⁶⁴. Reads the key columns only.
    """
    rows = (
        variants.groupBy("contig", "bin")
        .agg(F.count("*").alias("n"), F.expr("bit_xor(xxhash64(position, ref, alt))").alias("mixed"))
        .collect()
    )
    return {(row.contig, row.bin): (row.n, f"{row.n}:{row.mixed & (2**64 - 1):016x}") for row in rows}


def recorded_inputs(tables: Reader, stage: str, scope: str) -> dict[Partition, dict[str, str]]:
    """What each partition of a stage's scope was made from, as last recorded."""
    return {
        (row.contig, row.bin): dict(row.inputs)
        for row in tables.rows(PARTITION_INPUTS)
        if row.stage == stage and row.scope == scope
    }


def inputs_write(stage: str, scope: str, inputs: Mapping[Partition, Inputs]) -> RowsWrite:
    """The record of what every partition of a stage's scope is made from, in the place of the one before."""
    rows = [(stage, scope, contig, number, dict(made)) for (contig, number), made in sorted(inputs.items())]
    return RowsWrite(PARTITION_INPUTS, rows, f"stage = {quoted(stage)} AND scope = {quoted(scope)}")


def partition_predicate(partitions: Collection[Partition]) -> str:
    """The SQL condition of these partitions' rows; "false" for none."""
    bins: dict[str, list[int]] = {}
    for contig, number in sorted(partitions):
        bins.setdefault(contig, []).append(number)
    conditions = [
        f"(contig = {quoted(contig)} AND bin IN ({_listed(numbers)}))" for contig, numbers in bins.items()
    ]
    return f"({' OR '.join(conditions)})" if conditions else "false"


def quoted(text: str) -> str:
    """Text as a literal of SQL; raises ValueError where dialects would not agree on how to write it."""
    if "'" in text or "\\" in text:
        raise ValueError(f"{text!r}: quotes and backslashes cannot stand in a condition")
    return f"'{text}'"


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
