"""Ref alleles held against the reference sequence."""

from __future__ import annotations

import numpy as np

from allofus_spark.genome.allele_kernels import Flags, Integers, find_mismatches, find_unknown
from allofus_spark.genome.reference import ReferenceSequence
from allofus_spark.genome.windows import as_array, concatenate, covered, windows


def reference_mismatches(
    contig: str, positions: Integers, refs: list[bytes], reference: ReferenceSequence
) -> Flags:
    """Whether each ref allele contradicts the reference, shape (n,).

    Case does not matter; an ambiguity code, N included, contradicts only bases that it does not stand for.
    Where the FASTA has no bases (contig absent, ref past the contig's end, position below 1) nothing is
    contradicted.

    Parameters
    ----------
    contig
        Contig in any spelling.
    positions
        1-based positions, shape (n,), in any order.
    refs
        Reference alleles, n.
    """
    data, offsets = concatenate(refs)
    mismatches = np.zeros(len(refs), dtype=np.bool_)
    starts = positions - 1
    ends = starts + np.diff(offsets)
    rows = covered(contig, np.arange(len(refs)), starts, ends, reference)
    for group, window_start, window in windows(contig, rows, starts, ends, 0, reference):
        find_mismatches(positions, data, offsets, group, as_array(window), window_start, mismatches)
    return mismatches


def reference_unknown(
    contig: str, positions: Integers, refs: list[bytes], reference: ReferenceSequence
) -> Flags:
    """Whether the FASTA does not know a base that each ref allele stands on, shape (n,).

    So it is where it has no bases (contig absent, ref past the contig's end, position below 1), and where
    one of them is none of A, C, G and T. Arguments are those of `reference_mismatches`.
    """
    lengths = np.fromiter(map(len, refs), dtype=np.int64, count=len(refs))
    unknown = np.ones(len(refs), dtype=np.bool_)
    starts = positions - 1
    ends = starts + lengths
    rows = covered(contig, np.arange(len(refs)), starts, ends, reference)
    for group, window_start, window in windows(contig, rows, starts, ends, 0, reference):
        find_unknown(starts, ends, group, as_array(window), window_start, unknown)
    return unknown
