"""Alleles as the kernels take them, and the pieces of the reference that they are held against."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from allofus_spark.genome.allele_kernels import Bytes, Integers
from allofus_spark.genome.reference import ReferenceSequence

# Bases of the reference that one call of a kernel sees, and the gap over which it is not worth reading on.
_WINDOW_BASES = 1 << 20
_GAP_BASES = 1 << 16


def concatenate(alleles: list[bytes]) -> tuple[Bytes, Integers]:
    """Bytes of all alleles, and their n + 1 offsets."""
    offsets = np.zeros(len(alleles) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, alleles), dtype=np.int64, count=len(alleles)), out=offsets[1:])
    return as_array(b"".join(alleles)), offsets


def as_array(data: bytes) -> Bytes:
    """Bytes as numbers; nothing is copied."""
    return np.frombuffer(data, dtype=np.uint8)


def covered(
    contig: str, rows: Integers, starts: Integers, ends: Integers, reference: ReferenceSequence
) -> Integers:
    """Those of the rows whose ref lies within the bases of the FASTA."""
    length = reference.length(contig) or 0
    return rows[(starts[rows] >= 0) & (ends[rows] <= length)]


def windows(
    contig: str, rows: Integers, starts: Integers, ends: Integers, lookback: int, reference: ReferenceSequence
) -> Iterator[tuple[Integers, int, bytes]]:
    """Groups of neighbouring rows, each with the reference that covers it and `lookback` bases before."""
    rows = rows[np.argsort(starts[rows], kind="stable")]
    sorted_starts = starts[rows]
    after_gaps = np.flatnonzero(np.diff(sorted_starts) > _GAP_BASES) + 1
    first = 0
    while first < len(rows):
        end = int(np.searchsorted(sorted_starts, sorted_starts[first] + _WINDOW_BASES))
        next_gap = int(np.searchsorted(after_gaps, first, side="right"))
        if next_gap < len(after_gaps):
            end = min(end, int(after_gaps[next_gap]))
        group = rows[first:end]
        window_start = max(int(sorted_starts[first]) - lookback, 0)
        yield group, window_start, reference.fetch(contig, window_start, int(ends[group].max()))
        first = end
