"""Bounds against every cohort that there is: on tiny ones all are enumerated."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from allofus_spark.disclosure.genotypes import by_totals
from allofus_spark.disclosure.linear import System
from allofus_spark.disclosure.people import (
    Bounds,
    Copies,
    counts_of_people,
    possible_homozygotes,
)
from allofus_spark.disclosure.sums import tighten


def one_cell(lo: int, hi: int, called: int) -> Copies:
    ac, an = Bounds(np.array([lo]), np.array([hi])), np.array([2 * called])
    diploid = np.array([True])
    return Copies(ac, possible_homozygotes(ac, an, diploid), an, diploid)


@pytest.mark.parametrize("called", range(1, 7))
def test_counts_of_people_of_a_cell_are_those_of_every_cohort(called: int) -> None:
    """Every (het, hom) of so many people with AC between lo and hi, lo at least 1, reaches the bounds."""
    for lo, hi in itertools.combinations_with_replacement(range(1, 2 * called + 1), 2):
        found = counts_of_people(one_cell(lo, hi, called))
        cohorts = [
            (het, hom)
            for hom in range(called + 1)
            for het in range(called - hom + 1)
            if lo <= het + 2 * hom <= hi
        ]
        truth = {
            "carriers": [het + hom for het, hom in cohorts],
            "homozygotes": [hom for _, hom in cohorts],
            "heterozygotes": [het for het, _ in cohorts],
            "carriers of ref": [called - hom for _, hom in cohorts],
            "homozygotes of ref": [called - het - hom for het, hom in cohorts],
        }
        for name, values in truth.items():
            bounds = found[name]
            assert (int(bounds.lo[0]), int(bounds.hi[0])) == (min(values), max(values)), (name, lo, hi)


def random_releases(
    rng: np.random.Generator, n_releases: int
) -> tuple[list[Bounds], list[np.ndarray], list[np.ndarray]]:
    """Two groups and a rest in releases, cells known or within bounds, some shared; and a truth."""
    true = [rng.integers(0, 5, 3)]
    same = [np.zeros(3, bool)]
    for _ in range(n_releases - 1):
        keep = rng.random(3) < 0.5
        true.append(np.where(keep, true[-1], rng.integers(0, 5, 3)))
        same.append(keep)
    cells, shared = [], []
    for place, values in enumerate(true):
        values = np.append(values, values.sum())
        hidden = rng.random(4) < 0.6
        slack = rng.integers(0, 3, (2, 4))
        lo = np.where(hidden, np.maximum(values - slack[0], 0), values)
        cells.append(Bounds(lo[None], np.where(hidden, values + slack[1], values)[None]))
        first = np.full(4, place)
        if place:
            first[:3] = np.where(same[place], shared[-1][0][:3], place)
        shared.append(first[None])
    return cells, shared, true


def every_solution(cells: list[Bounds], shared: list[np.ndarray]) -> list[tuple[tuple[int, ...], ...]]:
    """Groups and rest of every release, and all, that are within the bounds and shared where they are."""

    def fits(place: int, parts: tuple[int, ...], before: tuple[tuple[int, ...], ...]) -> bool:
        total = sum(parts)
        if not cells[place].lo[0, 3] <= total <= cells[place].hi[0, 3]:
            return False
        return all(
            first == place or before[first][column] == parts[column]
            for column, first in enumerate(shared[place][0][:3])
        )

    solutions: list[tuple[tuple[int, ...], ...]] = [()]
    for place, bounds in enumerate(cells):
        ranges = [range(bounds.lo[0, g], bounds.hi[0, g] + 1) for g in range(3)]
        solutions = [
            (*before, (*parts, sum(parts)))
            for before in solutions
            for parts in itertools.product(*ranges)
            if fits(place, parts, before)
        ]
    return solutions


@pytest.mark.parametrize("n_releases", [1, 2, 3])
def test_totals_give_the_bounds_of_every_solution(n_releases: int) -> None:
    """With one or two releases exactly; with three never tighter than the truth."""
    rng = np.random.default_rng(7 + n_releases)
    for _ in range(150 if n_releases < 3 else 40):
        cells, shared, _ = random_releases(rng, n_releases)
        solutions = every_solution(cells, shared)
        assert solutions, "the truth is one"
        for place, bounds in enumerate(tighten(cells, shared)):
            values = np.array([solution[place] for solution in solutions])
            low, high = values.min(0), values.max(0)
            if n_releases < 3:
                assert (bounds.lo[0].tolist(), bounds.hi[0].tolist()) == (low.tolist(), high.tolist())
            assert (bounds.lo[0] <= low).all()
            assert (bounds.hi[0] >= high).all()


def test_totals_give_what_linear_programming_gives() -> None:
    """HiGHS, on the same equations of three releases, finds nothing tighter than one combination did."""
    rng = np.random.default_rng(3)
    for _ in range(15):
        cells, shared, _ = random_releases(rng, 3)
        system = System()
        for place, bounds in enumerate(cells):
            names = [f"{shared[place][0][g]} {g}" for g in range(4)]
            for g, name in enumerate(names):
                system.count(name, int(bounds.lo[0, g]), int(bounds.hi[0, g]))
            system.relate({names[0]: 1, names[1]: 1, names[2]: 1, names[3]: -1})
        for place, bounds in enumerate(tighten(cells, shared)):
            for g in range(4):
                found = system.bounds({f"{shared[place][0][g]} {g}": 1})
                assert found == (int(bounds.lo[0, g]), int(bounds.hi[0, g]))


def test_homozygotes_under_a_total_are_those_of_every_cohort() -> None:
    """Two groups of 3 and 2 people, AC of one withheld, homozygotes of all shown: every cohort is held."""
    people = (3, 2)
    ranges = [[(h, m) for m in range(n + 1) for h in range(n - m + 1)] for n in people]
    for (h0, m0), (h1, m1) in itertools.product(*ranges):
        acs = (h0 + 2 * m0, h1 + 2 * m1, 0, h0 + h1 + 2 * (m0 + m1))
        ac = Bounds(np.array([[0, acs[1], 0, acs[3]]]), np.array([[6, acs[1], 0, acs[3]]]))
        an, two = np.array([[6, 4, 0, 10]]), np.ones((1, 4), bool)
        hom = possible_homozygotes(ac, an, two)
        hom.lo[0, 3] = hom.hi[0, 3] = m0 + m1
        cells = by_totals([Copies(ac, hom, an, two)], [np.zeros((1, 4), np.int64)])[0]
        same = [
            (m, k)
            for (h, m), (i, k) in itertools.product(*ranges)
            if (h + 2 * m, i + 2 * k) == acs[:2] and m + k == m0 + m1
        ]
        first, second = zip(*same, strict=True)
        for place, values in enumerate((first, second)):
            assert (cells.hom.lo[0, place], cells.hom.hi[0, place]) == (min(values), max(values))
