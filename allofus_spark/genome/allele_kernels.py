"""Compiled loops over alleles: trimming, comparing with the reference, shifting left.

Alleles come as one array of bytes a side with n + 1 offsets (as Arrow keeps strings): allele i is
`data[offsets[i]:offsets[i + 1]]`. A window is a piece of the reference: `window[0]` is the base at 0-based
position `window_start`.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

# What `count_shifts` gives instead of a number of shifts.
MISMATCH = -1
WINDOW_TOO_SHORT = -2


def _base_sets() -> Bytes:
    # One bit a base: an ambiguity code (IUPAC-IUB 1984) is the set of the bases that it may stand for.
    codes = {"A": 1, "C": 2, "G": 4, "T": 8, "U": 8, "M": 3, "R": 5, "W": 9, "S": 6, "Y": 10, "K": 12}
    codes |= {"V": 7, "H": 11, "D": 13, "B": 14, "N": 15}
    sets = np.zeros(256, dtype=np.uint8)
    for letter, bases in codes.items():
        sets[ord(letter)] = sets[ord(letter.lower())] = bases
    return sets


_BASE_SETS = _base_sets()


@njit(cache=True, nogil=True)
def trim_alleles(
    ref_data: Bytes,
    ref_offsets: Integers,
    alt_data: Bytes,
    alt_offsets: Integers,
    n_left: Integers,
    n_right: Integers,
    may_shift: Flags,
) -> None:
    """Bases that ref and alt share at their right, then left end; one base of each allele always stays.

    Writes, for each allele pair, the bases to cut at the left and right, and whether a reference may move
    what is left: an insertion or deletion whose last base is shared.
    """
    for i in range(len(ref_offsets) - 1):
        ref_first, ref_end = ref_offsets[i], ref_offsets[i + 1]
        alt_first, alt_end = alt_offsets[i], alt_offsets[i + 1]
        spare = min(ref_end - ref_first, alt_end - alt_first) - 1
        while spare > 0 and ref_data[ref_end - 1] == alt_data[alt_end - 1]:
            ref_end -= 1
            alt_end -= 1
            spare -= 1
        while spare > 0 and ref_data[ref_first] == alt_data[alt_first]:
            ref_first += 1
            alt_first += 1
            spare -= 1
        n_left[i] = ref_first - ref_offsets[i]
        n_right[i] = ref_offsets[i + 1] - ref_end
        is_indel = spare == 0 and ref_end - ref_first != alt_end - alt_first
        may_shift[i] = is_indel and ref_data[ref_end - 1] == alt_data[alt_end - 1]


@njit(cache=True, nogil=True)
def _matches(data: Bytes, first: int, end: int, window: Bytes, offset: int) -> bool:
    for j in range(end - first):
        base, reference = data[first + j], window[offset + j]
        if base != reference and _BASE_SETS[base] & _BASE_SETS[reference] == 0:
            return False
    return True


@njit(cache=True, nogil=True)
def find_mismatches(
    positions: Integers,
    data: Bytes,
    offsets: Integers,
    rows: Integers,
    window: Bytes,
    window_start: int,
    mismatches: Flags,
) -> None:
    """Mark those of the rows whose ref allele cannot be the bases of the window, which covers them all."""
    for i in rows:
        offset = positions[i] - 1 - window_start
        mismatches[i] = not _matches(data, offsets[i], offsets[i + 1], window, offset)


@njit(cache=True, nogil=True)
def find_unknown(
    starts: Integers,
    ends: Integers,
    rows: Integers,
    window: Bytes,
    window_start: int,
    unknown: Flags,
) -> None:
    """Say of the rows whether the window, which covers them all, has there a base other than ACGT."""
    for i in rows:
        unknown[i] = False
        for j in range(starts[i] - window_start, ends[i] - window_start):
            base = window[j]
            if base != 65 and base != 67 and base != 71 and base != 84:  # A, C, G, T
                unknown[i] = True
                break


@njit(cache=True, nogil=True)
def count_shifts(
    starts: Integers,
    ref_data: Bytes,
    ref_spans: Integers,
    alt_data: Bytes,
    alt_spans: Integers,
    rows: Integers,
    window: Bytes,
    window_start: int,
    shifts: Integers,
) -> None:
    """How many bases to the left each insertion or deletion can move without changing the haplotype.

    An indel of bases S in front of position p can move by one if the reference base before p is the last of
    S; S is then rotated by that base. So the k-th base to the left is compared with S read backwards, and
    past the start of S with the reference itself, len(S) to the right; no allele is copied. Only A, C, G
    and T move an indel: an unknown base proves nothing.

    Parameters
    ----------
    starts
        0-based position of ref's first base, shape (n,).
    ref_spans, alt_spans
        First and end of each trimmed allele in its data, shape (n, 2); one of the two alleles is one base
        long and is the first or last base of the other.
    rows
        Which of the n to work on; the window covers their ref alleles.
    shifts
        Written: number of shifts, MISMATCH (ref is not in the reference) or WINDOW_TOO_SHORT (more bases to
        the left are needed).
    """
    for i in rows:
        start = starts[i]
        ref_first, ref_end = ref_spans[i, 0], ref_spans[i, 1]
        if not _matches(ref_data, ref_first, ref_end, window, start - window_start):
            shifts[i] = MISMATCH
            continue
        alt_first, alt_end = alt_spans[i, 0], alt_spans[i, 1]
        kept_first = ref_data[ref_first] == alt_data[alt_first]
        if ref_end - ref_first > alt_end - alt_first:
            indel, indel_first, size = ref_data, ref_first, ref_end - ref_first - 1
        else:
            indel, indel_first, size = alt_data, alt_first, alt_end - alt_first - 1
        if kept_first:
            start += 1
            indel_first += 1
        shift = 0
        while shift < start:
            left = start - 1 - shift - window_start
            if left < 0:
                shift = WINDOW_TOO_SHORT
                break
            base = window[left]
            if base != 65 and base != 67 and base != 71 and base != 84:  # A, C, G, T
                break
            if base != (indel[indel_first + size - 1 - shift] if shift < size else window[left + size]):
                break
            shift += 1
        shifts[i] = shift
