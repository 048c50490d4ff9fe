"""Calls of several callsets side by side, and calls that mean another thing by region and sex."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.encoding import CallBatch, Packed, packed_width

Tables = npt.NDArray[np.uint8]
"""uint8[tables, classes, 4]: what a call of a sample of a class becomes."""


@numba.njit(cache=True, nogil=True)
def _place(joined, rows, packed, first, n_samples):  # type: ignore[no-untyped-def]
    """Write the calls of ``packed`` from sample ``first`` on, into rows that are missing there."""
    for number in range(len(rows)):
        row = rows[number]
        for sample in range(n_samples):
            call = (packed[number, sample >> 2] >> ((sample & 3) * 2)) & 3
            place = first + sample
            shift = (place & 3) * 2
            joined[row, place >> 2] &= np.uint8(~(np.uint8(3 ^ call) << shift) & 0xFF)


@numba.njit(cache=True, nogil=True)
def _recode(packed, tables, table_of_row, class_of_sample):  # type: ignore[no-untyped-def]
    """Replace the calls of ``packed`` in place."""
    for row in range(packed.shape[0]):
        table = tables[table_of_row[row]]
        for sample in range(len(class_of_sample)):
            shift = (sample & 3) * 2
            call = (packed[row, sample >> 2] >> shift) & 3
            new = table[class_of_sample[sample], call]
            packed[row, sample >> 2] ^= np.uint8((call ^ new) << shift)


def join_calls(
    parts: Sequence[tuple[CallBatch, npt.NDArray[np.int64], int]], n_rows: int, n_samples: int
) -> CallBatch:
    """Calls of several callsets along one axis of samples; where a callset has no row, its calls are missing.

    Parameters
    ----------
    parts
        Of each callset its calls, the rows of the result that they stand in, int64[rows], and the place of
        its first sample.
    n_rows, n_samples
        Of the result; every sample is of one part.
    """
    joined = np.full((n_rows, packed_width(n_samples)), 0xFF, np.uint8)
    for calls, rows, first in parts:
        _place(joined, rows, calls.to_packed(), first, calls.n_samples)
    if over := 4 * packed_width(n_samples) - n_samples:
        joined[:, -1] &= 0xFF >> (2 * over)
    return CallBatch.of_packed(joined, n_samples)


def recode_calls(
    packed: Packed,
    tables: Tables,
    table_of_row: npt.NDArray[np.integer],
    class_of_sample: npt.NDArray[np.integer],
) -> CallBatch:
    """Calls replaced by tables: call ``c`` of a sample of class ``k`` becomes ``tables[t, k, c]``.

    ``packed`` uint8[rows, ceil(n / 4)] is left as it is; ``table_of_row`` [rows], ``class_of_sample`` [n].
    """
    recoded = packed.copy()
    _recode(recoded, tables, table_of_row, class_of_sample)
    return CallBatch.of_packed(recoded, len(class_of_sample))
