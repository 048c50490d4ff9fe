"""Compiled loop that finds alleles among others, both sorted by position: one walk over both.

Alleles come as Arrow keeps them: positions, and for ref and alt one array of bytes with n + 1 offsets.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _same(first, first_start, first_end, second, second_start, second_end):  # type: ignore[no-untyped-def]
    if first_end - first_start != second_end - second_start:
        return False
    for at in range(first_end - first_start):  # noqa: SIM110 (numba compiles no generator)
        if first[first_start + at] != second[second_start + at]:
            return False
    return True


@njit(cache=True, nogil=True)
def match_alleles(  # type: ignore[no-untyped-def]
    position, ref_offsets, ref, alt_offsets, alt, known_position, known_ref_offsets, known_ref,
    known_alt_offsets, known_alt,
):  # fmt: skip
    """Where each allele stands among the known ones.

    Parameters
    ----------
    position, known_position
        int32[n] and int32[m], rising.
    ref_offsets, alt_offsets, known_ref_offsets, known_alt_offsets
        int32[n + 1] and int32[m + 1], into the bytes of the alleles.

    Returns
    -------
    row : int64[n]
        The known row with the same position, ref and alt (the last, where several have it); −1: none.
    other : bool[n]
        Whether a known row has the position with another ref or alt.
    """
    n, m = len(position), len(known_position)
    row = np.full(n, -1, np.int64)
    other = np.zeros(n, np.bool_)
    at = 0
    for i in range(n):
        while at < m and known_position[at] < position[i]:
            at += 1
        k = at
        while k < m and known_position[k] == position[i]:
            if _same(
                ref, ref_offsets[i], ref_offsets[i + 1],
                known_ref, known_ref_offsets[k], known_ref_offsets[k + 1],
            ) and _same(
                alt, alt_offsets[i], alt_offsets[i + 1],
                known_alt, known_alt_offsets[k], known_alt_offsets[k + 1],
            ):  # fmt: skip
                row[i] = k
            else:
                other[i] = True
            k += 1
    return row, other
