"""The tightest bounds of cells under the totals of one release or several.

Cells of release t add up: Σ_g x[t, g] − all[t] = 0. A cell that two releases share (the same people) is one
unknown. The bound of an unknown under these equations and each cell's own bounds is a linear program; by
duality it is reached by one combination λ of the equations, and with one or two releases λ in {−1, 0, 1}
suffices, as then the equations are totally unimodular, and the bounds integers. All combinations are tried,
over all rows at once.
Reference: Schrijver, Theory of Linear and Integer Programming (1986), chapter 19.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from allofus_spark.disclosure.people import Bounds, Flags, Ints


def combinations(n_releases: int) -> list[tuple[int, ...]]:
    """Combinations of the releases' equations, one of each pair of opposite signs.

    >>> combinations(2)
    [(0, 1), (1, -1), (1, 0), (1, 1)]
    """
    signs = itertools.product((-1, 0, 1), repeat=n_releases)
    return [signed for signed in signs if next((sign for sign in signed if sign), 0) > 0]


def tighten(cells: Sequence[Bounds], shared: Sequence[Ints]) -> list[Bounds]:
    """Bounds of every cell of each release by the totals.

    ``cells``: of each release, (rows, groups + 2): the groups, the rest, and all, the sum of the former;
    ``shared``: of each release, the same shape: the first release with the same people in the cell.
    """
    boxes = _merged(cells, shared)
    tight = [Bounds(box.lo.copy(), box.hi.copy()) for box in boxes]
    for signs in combinations(len(cells)):
        coefficients = [_coefficients(signs, shared, release) for release in range(len(cells))]
        total_lo, total_hi = _total(coefficients, boxes)
        for coefficient, box, bounds in zip(coefficients, boxes, tight, strict=True):
            for sign in (1, -1):
                at = coefficient == sign
                # sign · x + others = 0: x lies between the others' extremes.
                low, high = (box.lo, box.hi) if sign > 0 else (-box.hi, -box.lo)
                others_lo, others_hi = total_lo[:, None] - low, total_hi[:, None] - high
                x_lo, x_hi = (-others_hi, -others_lo) if sign > 0 else (others_lo, others_hi)
                np.maximum(bounds.lo, x_lo, out=bounds.lo, where=at)
                np.minimum(bounds.hi, x_hi, out=bounds.hi, where=at)
    return _spread(tight, shared)


def _merged(cells: Sequence[Bounds], shared: Sequence[Ints]) -> list[Bounds]:
    """Bounds of shared cells, of what every release says of them, at the first release that has them."""
    merged = [Bounds(bounds.lo.copy(), bounds.hi.copy()) for bounds in cells]
    for release, first, at in _links(shared):
        np.maximum(merged[first].lo, cells[release].lo, out=merged[first].lo, where=at)
        np.minimum(merged[first].hi, cells[release].hi, out=merged[first].hi, where=at)
    return merged


def _spread(cells: list[Bounds], shared: Sequence[Ints]) -> list[Bounds]:
    """Bounds of shared cells, copied to every release that has them."""
    for release, first, at in _links(shared):
        np.copyto(cells[release].lo, cells[first].lo, where=at)
        np.copyto(cells[release].hi, cells[first].hi, where=at)
    return cells


def _links(shared: Sequence[Ints]) -> Iterator[tuple[int, int, Flags]]:
    for release in range(len(shared)):
        for first in range(release):
            yield release, first, shared[release] == first


def _coefficients(signs: Sequence[int], shared: Sequence[Ints], release: int) -> Ints:
    """Of each cell of a release in the combination; 0 where an earlier release stands for it."""
    total = np.zeros(shared[release].shape, np.int64)
    for later, sign in enumerate(signs):
        if sign and later >= release:
            total += sign * (shared[later] == release)
    total[:, -1] *= -1
    return total


def _total(coefficients: Sequence[Ints], boxes: Sequence[Bounds]) -> tuple[Ints, Ints]:
    """Lowest and highest value of the combination's left side, by each cell's own bounds."""
    lowest = highest = np.int64(0)
    for coefficient, (lo, hi) in zip(coefficients, boxes, strict=True):
        by_lo, by_hi = coefficient * lo, coefficient * hi
        lowest = lowest + np.minimum(by_lo, by_hi).sum(axis=1)
        highest = highest + np.maximum(by_lo, by_hi).sum(axis=1)
    return np.asarray(lowest), np.asarray(highest)
