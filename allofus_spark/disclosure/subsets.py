"""Unions of some of the hidden cells of a row, where so few people are called that one may be derived.

Homozygotes of a union follow from its AC only where at most 2 · floor people are called in it, so that other
unions need no look: of carriers, a union's highest value is never under that of its parts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from allofus_spark.disclosure.genotypes import Hit, union
from allofus_spark.disclosure.people import Bounds, Copies, counts_of_people, within


def attack_small_unions(cells: Copies, floor: int, how: str) -> Iterator[Hit]:
    """Counts of people in every union of two or more, but not all, hidden cells with few people called."""
    hidden = (cells.ac.lo < cells.ac.hi)[:, :-1]
    few = hidden & (cells.an[:, :-1] <= 4 * floor)
    rows = np.flatnonzero(few.sum(1) > 1)
    if not len(rows):
        return
    part = Copies(
        Bounds(cells.ac.lo[rows], cells.ac.hi[rows]),
        Bounds(cells.hom.lo[rows], cells.hom.hi[rows]),
        cells.an[rows],
        cells.diploid[rows],
    )
    width = cells.an.shape[1]
    for size in range(2, width - 1):
        for chosen in itertools.combinations(range(width - 1), size):
            members = np.zeros((len(rows), width), bool)
            members[:, list(chosen)] = True
            these = few[rows][:, list(chosen)].all(1) & (hidden[rows].sum(1) > size)
            if these.any():
                yield from _attack(part, members, these, rows, len(hidden), floor, how)


def _attack(
    part: Copies, members: np.ndarray, these: np.ndarray, rows: np.ndarray, n_rows: int, floor: int, how: str
) -> Iterator[Hit]:
    """Hits of one union, put back at the rows of the batch."""
    for quantity, bounds in counts_of_people(union(part, members)).items():
        full = [np.zeros((n_rows, 1), np.int64) for _ in range(2)]
        at, all_members = np.zeros((n_rows, 1), bool), np.zeros((n_rows, 1, members.shape[1]), bool)
        full[0][rows], full[1][rows] = bounds
        at[rows] = within(bounds, floor) & these[:, None]
        all_members[rows, 0] = members
        yield Hit(quantity, Bounds(*full), at, all_members, how)
