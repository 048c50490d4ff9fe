"""Sums over people of genotypes times columns, for many rows: matrix products for common rows, carriers alone
for rare ones.

Shapes that a sum could depend on are fixed: columns come in widths that are multiples of `COLUMN_PAD`, rows
in blocks of one size, people in chunks of one size, and each chunk's product is added in order. So a column's
sums have the same bits whatever stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numba
import numpy as np

from allofus_spark.genotypes.encoding import Packed
from allofus_spark.regression.models import Floats
from allofus_spark.regression.rows import MinorRows

COLUMN_PAD = 16
PEOPLE_CHUNK = 8192
_ROW_BLOCK = 256
# BLAS multiplies smaller matrices by other kernels; so many products are enough for the usual one.
_LEAST_PRODUCTS = 1 << 21


def padded(n_columns: int) -> int:
    """The next multiple of `COLUMN_PAD`."""
    return -(-n_columns // COLUMN_PAD) * COLUMN_PAD


def chunks(n_people: int) -> list[tuple[int, int]]:
    """First and last-but-one of chunks of people of about equal size, at multiples of four."""
    number = max(1, -(-n_people // PEOPLE_CHUNK))
    edges = [-(-n_people * place // number) // 4 * 4 for place in range(number)] + [n_people]
    return list(pairwise(edges))


@dataclass(frozen=True)
class Part:
    """Columns to be multiplied: ``of(start, stop)`` float64[stop - start, width] of a chunk of people.

    ``homs_only``: sums over the homozygous carriers of the minor allele, each once.
    """

    width: int
    of: Callable[[int, int], Floats]
    homs_only: bool = False


@dataclass(frozen=True)
class Sums:
    """``of_calls`` float64[rows, width]: copies times column, a missing call as none; ``of_missing`` alike:
    the column over the missing calls (None where only homozygotes were asked for)."""

    of_calls: Floats
    of_missing: Floats | None


def _byte_values(values: Sequence[float]) -> Floats:
    """float64[256, 4]: what the four calls of a byte count as."""
    byte = np.arange(256)
    return np.stack([np.asarray(values)[(byte >> shift) & 3] for shift in (0, 2, 4, 6)], axis=1)


_COPIES = _byte_values((0.0, 1.0, 2.0, 0.0))
_HOMS = _byte_values((0.0, 0.0, 1.0, 0.0))


@numba.njit(cache=True, nogil=True)
def _fill(packed, first_byte, values, filled):  # type: ignore[no-untyped-def]
    n_people = filled.shape[1]
    whole = n_people // 4
    for row in range(packed.shape[0]):
        for byte in range(whole):
            value = packed[row, first_byte + byte]
            for place in range(4):
                filled[row, 4 * byte + place] = values[value, place]
        for person in range(4 * whole, n_people):
            filled[row, person] = values[packed[row, first_byte + whole], person & 3]


@numba.njit(cache=True, nogil=True)
def _add_missing(packed, first_byte, columns, sums):  # type: ignore[no-untyped-def]
    n_people, width = columns.shape
    for row in range(packed.shape[0]):
        for byte in range((n_people + 3) // 4):
            value = packed[row, first_byte + byte]
            both = value & (value >> np.uint8(1)) & np.uint8(0x55)
            if both == 0:
                continue
            for place in range(4):
                person = 4 * byte + place
                if (both >> np.uint8(2 * place)) & 1 and person < n_people:
                    for column in range(width):
                        sums[row, column] += columns[person, column]


@numba.njit(cache=True, nogil=True)
def _add_carriers(  # type: ignore[no-untyped-def]
    starts, offsets, people, calls, start, stop, columns, sums, missing
):
    """Add a chunk of people to the rare rows; ``starts`` are the entries to go on at and move forward."""
    width = columns.shape[1]
    for row in range(len(starts)):
        at = starts[row]
        while at < offsets[row + 1] and people[at] < stop:
            person = people[at] - start
            if calls[at] == 1:
                for column in range(width):
                    sums[row, column] += columns[person, column]
            elif calls[at] == 2:
                for column in range(width):
                    sums[row, column] += 2 * columns[person, column]
            else:
                for column in range(width):
                    missing[row, column] += columns[person, column]
            at += 1
        starts[row] = at


@numba.njit(cache=True, nogil=True)
def _add_homs(starts, offsets, people, calls, start, stop, columns, sums):  # type: ignore[no-untyped-def]
    for row in range(len(starts)):
        at = starts[row]
        while at < offsets[row + 1] and people[at] < stop:
            if calls[at] == 2:
                for column in range(columns.shape[1]):
                    sums[row, column] += columns[people[at] - start, column]
            at += 1
        starts[row] = at


def row_block(n_people: int) -> int:
    """Rows of a matrix product, by the number of people alone."""
    least = -(-_LEAST_PRODUCTS // (COLUMN_PAD * max(1, min(n_people, PEOPLE_CHUNK))))
    return max(_ROW_BLOCK, -(-least // COLUMN_PAD) * COLUMN_PAD)


def products(rows: MinorRows, parts: Sequence[Part]) -> list[Sums]:
    """The sums of each part over all people, in the order of ``rows`` (common rows first)."""
    n_rows = len(rows.order)
    found = [
        Sums(np.zeros((n_rows, p.width)), None if p.homs_only else np.zeros((n_rows, p.width))) for p in parts
    ]
    starts = [rows.offsets[:-1].copy() for _ in parts]
    for start, stop in chunks(rows.n_people):
        matrices = [part.of(start, stop) for part in parts]
        _multiply(
            rows.packed, start, stop, parts, matrices, found, bool(rows.counts[: rows.n_common, 2].any())
        )
        for part, columns, sums, begins in zip(parts, matrices, found, starts, strict=True):
            rare = (begins, rows.offsets, rows.people, rows.calls, start, stop, columns)
            if part.homs_only:
                _add_homs(*rare, sums.of_calls[rows.n_common :])
            else:
                assert sums.of_missing is not None
                _add_carriers(*rare, sums.of_calls[rows.n_common :], sums.of_missing[rows.n_common :])
    return found


def _multiply(
    packed: Packed,
    start: int,
    stop: int,
    parts: Sequence[Part],
    matrices: Sequence[Floats],
    found: Sequence[Sums],
    any_missing: bool,
) -> None:
    """Add a chunk of people to the common rows."""
    if not len(packed):
        return
    block = row_block(stop - start)
    filled = np.zeros((block, stop - start))
    outputs = [np.empty((block, part.width)) for part in parts]
    for first in range(0, len(packed), block):
        taken = packed[first : first + block]
        last = first + len(taken)
        for values, homs_only in ((_COPIES, False), (_HOMS, True)):
            chosen = [place for place, part in enumerate(parts) if part.homs_only == homs_only]
            if not chosen:
                continue
            _fill(taken, start // 4, values, filled)
            for place in chosen:
                np.matmul(filled, matrices[place], out=outputs[place])
                found[place].of_calls[first:last] += outputs[place][: len(taken)]
        if any_missing:
            for columns, sums in zip(matrices, found, strict=True):
                if sums.of_missing is not None:
                    _add_missing(taken, start // 4, columns, sums.of_missing[first:last])
