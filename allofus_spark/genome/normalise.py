"""One form for each allele: trimmed, and left-aligned against the reference where there is one.

The same change of sequence can be written at several positions and with more or fewer bases around it. Keys
are made of the normal form (Tan, Abecasis & Kang 2015, doi:10.1093/bioinformatics/btv112): as short as can
be, as far left as can be. It is what `bcftools norm -m- -f` gives, with shared bases cut from the left too;
unlike there, an indel does not move over reference bases other than A, C, G and T.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from allofus_spark.genome.allele_kernels import (
    WINDOW_TOO_SHORT,
    Bytes,
    Integers,
    count_shifts,
    trim_alleles,
)
from allofus_spark.genome.reference import ReferenceSequence
from allofus_spark.genome.windows import as_array, concatenate, covered, windows

# Bases to the left of an indel that are looked at first, and the factor for indels in longer repeats.
_LOOKBACK_BASES = 1 << 10
_LOOKBACK_GROWTH = 8


def normalise_alleles(
    contig: str,
    positions: Integers,
    refs: list[bytes],
    alts: list[bytes],
    reference: ReferenceSequence | None,
) -> tuple[Integers, list[bytes], list[bytes]]:
    """Normal form of each allele of one contig.

    Shared bases are cut from the right, then from the left; one base of each allele stays. With a
    reference, an insertion or deletion then moves as far left as it can; it keeps the base before it, or at
    the contig's first base the one after it. An allele that the reference cannot align stays trimmed:
    contig absent, ref past the contig's end, position below 1, or ref other than the reference.

    Parameters
    ----------
    contig
        Contig in any spelling.
    positions
        1-based positions, shape (n,), in any order; sorted ones are quickest.
    refs, alts
        Alleles in upper case, n of each, at least one base long, alt other than ref; no symbolic ones.
    reference
        Reference sequence, or None to trim only.

    Returns
    -------
    Positions, refs and alts in the order given; the arguments are not changed.
    """
    ref_data, ref_offsets = concatenate(refs)
    alt_data, alt_offsets = concatenate(alts)
    n_left, n_right = np.empty((2, len(refs)), dtype=np.int64)
    may_shift = np.empty(len(refs), dtype=np.bool_)
    trim_alleles(ref_data, ref_offsets, alt_data, alt_offsets, n_left, n_right, may_shift)

    positions, refs, alts = positions + n_left, refs.copy(), alts.copy()
    for i in np.flatnonzero(n_left + n_right).tolist():
        left, right = int(n_left[i]), int(n_right[i])
        refs[i] = refs[i][left : len(refs[i]) - right]
        alts[i] = alts[i][left : len(alts[i]) - right]
    if reference is not None and may_shift.any():
        ref_spans = np.column_stack((ref_offsets[:-1] + n_left, ref_offsets[1:] - n_right))
        alt_spans = np.column_stack((alt_offsets[:-1] + n_left, alt_offsets[1:] - n_right))
        alleles = _Alleles(positions - 1, ref_data, ref_spans, alt_data, alt_spans)
        _left_align(contig, positions, refs, alts, np.flatnonzero(may_shift), alleles, reference)
    return positions, refs, alts


class _Alleles(NamedTuple):
    """Trimmed alleles as the kernels take them: 0-based starts, bytes and spans."""

    starts: Integers
    ref_data: Bytes
    ref_spans: Integers
    alt_data: Bytes
    alt_spans: Integers


def _left_align(
    contig: str,
    positions: Integers,
    refs: list[bytes],
    alts: list[bytes],
    rows: Integers,
    alleles: _Alleles,
    reference: ReferenceSequence,
) -> None:
    """Move the given rows left, in place; look further back for those in repeats longer than the window."""
    ends = alleles.starts + alleles.ref_spans[:, 1] - alleles.ref_spans[:, 0]
    shifts = np.empty(len(refs), dtype=np.int64)
    rows = covered(contig, rows, alleles.starts, ends, reference)
    lookback = _LOOKBACK_BASES
    while len(rows):
        for group, window_start, window in windows(contig, rows, alleles.starts, ends, lookback, reference):
            count_shifts(*alleles, group, as_array(window), window_start, shifts)
            for i in group[shifts[group] >= 0].tolist():
                positions[i], refs[i], alts[i] = _moved(
                    int(positions[i]), refs[i], alts[i], int(shifts[i]), window, window_start
                )
        rows = rows[shifts[rows] == WINDOW_TOO_SHORT]
        lookback *= _LOOKBACK_GROWTH


def _moved(
    position: int, ref: bytes, alt: bytes, shift: int, window: bytes, window_start: int
) -> tuple[int, bytes, bytes]:
    """A trimmed insertion or deletion, moved left by `shift` bases."""
    kept_first = ref[0] == alt[0]
    # An indel at the contig's start has no base before it to be anchored at.
    start = position if kept_first else position - 1
    if shift == 0 and (kept_first or start == 0):
        return position, ref, alt
    is_deletion = len(ref) > len(alt)
    longer = ref if is_deletion else alt
    indel = longer[1:] if kept_first else longer[:-1]
    new = start - shift - window_start
    moved = window[new : new + min(shift, len(indel))] + indel[: max(len(indel) - shift, 0)]
    if start > shift:
        anchor = window[new - 1 : new]
        longer, position = anchor + moved, start - shift
    else:
        after = new + len(moved) if is_deletion else new
        anchor = window[after : after + 1]
        longer, position = moved + anchor, 1
    return (position, longer, anchor) if is_deletion else (position, anchor, longer)
