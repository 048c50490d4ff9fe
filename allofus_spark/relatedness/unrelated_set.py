"""The largest set of people of whom no two are related.

What is largest is told in this order: cases kept, where there are any; people kept; their sites called, where
call rates count; the lowest numbers. Of people numbered by sample id the set depends on nothing else. A
family of up to 30 is solved exactly; in a larger one, and where that takes too many steps, people with most
relatives go first.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_MOST_EXACT = 30
# Subsets of a family that are looked at: about a second. Pedigrees of 30 need some hundred.
_MOST_STEPS = 50_000

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def unrelated_set(
    n_people: int, first: Numbers, second: Numbers, *, is_case: Flags, n_called: Numbers
) -> Flags:
    """Who is kept, bool[n_people].

    Parameters
    ----------
    first, second
        Pairs that are related, int64[pairs]: numbers of two people each, every pair once.
    is_case
        bool[n_people]; none set: no one is kept before others.
    n_called
        int64[n_people] of sites called; zeros: call rates do not count.
    """
    is_kept = np.ones(n_people, np.bool_)
    for family, relatives in _families(n_people, first, second):
        cases, called = is_case[family], n_called[family]
        kept = _exact(relatives, cases, called) if len(family) <= _MOST_EXACT else None
        if kept is None:
            kept = _greedy(relatives, cases, called)
        is_kept[family] = False
        is_kept[family[kept]] = True
    return is_kept


def _families(n_people: int, first: Numbers, second: Numbers) -> Iterator[tuple[Numbers, list[list[int]]]]:
    """Families of two or more: people by rising number, and the relatives of each by place in it."""
    if not len(first):
        return
    edges = coo_array((np.ones(len(first), np.bool_), (first, second)), shape=(n_people, n_people))
    _, label = connected_components(edges, directed=False)
    related = np.unique(np.concatenate([first, second]))
    order = related[np.argsort(label[related], kind="stable")]
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    place = np.zeros(n_people, np.int64)
    place[order] = np.arange(len(order)) - np.repeat(starts, np.diff([*starts, len(order)]))
    sources, targets = np.concatenate([first, second]), np.concatenate([second, first])
    by_source = np.argsort(label[sources], kind="stable")
    sources, targets = sources[by_source], targets[by_source]
    begins = np.searchsorted(label[sources], label[order[starts]])
    ends = [*begins[1:], len(sources)]
    for family, begin, end in zip(np.split(order, starts[1:]), begins, ends, strict=True):
        relatives: list[list[int]] = [[] for _ in family]
        for source, target in zip(place[sources[begin:end]], place[targets[begin:end]], strict=True):
            relatives[source].append(int(target))
        yield family, relatives


def _exact(relatives: Sequence[Sequence[int]], is_case: Flags, n_called: Numbers) -> list[int] | None:
    """Places kept of a family; None where there are too many steps.

    The wishes are the digits of one number for each person, so that the set with the highest sum is the one:
    a case, a person, sites called, then a bit of one's own, the higher the lower the place.
    """
    n = len(relatives)
    of_called = int(n_called.sum()) + 1  # no sum of sites called reaches the digit of a person
    worth = [
        (((int(case) * (n + 1) + 1) * of_called + int(called)) << n) + (1 << (n - 1 - place))
        for place, (case, called) in enumerate(zip(is_case, n_called, strict=True))
    ]
    kept = _heaviest(worth, [sum(1 << other for other in own) for own in relatives])
    return None if kept is None else [place for place in range(n) if kept >> place & 1]


def _heaviest(worth: Sequence[int], relatives: Sequence[int]) -> int | None:
    """The independent set of the highest worth; sets are numbers whose bit v says that v is in it."""
    known: dict[int, tuple[int, int]] = {0: (0, 0)}

    def heaviest(among: int) -> tuple[int, int]:
        if among not in known:
            if len(known) > _MOST_STEPS:
                raise _TooManySteps
            known[among] = divided(among)
        return known[among]

    def divided(among: int) -> tuple[int, int]:
        """Families apart; of one, without who has most relatives, or with them and without these."""
        family = _reached(among & -among, among, relatives)
        if family != among:
            (worth_1, chosen_1), (worth_2, chosen_2) = heaviest(family), heaviest(among & ~family)
            return worth_1 + worth_2, chosen_1 | chosen_2
        degree, most = max(((relatives[v] & among).bit_count(), v) for v in _bits(among))
        if degree == 0:
            return worth[most], among
        without = among & ~(1 << most)
        rest, chosen = heaviest(without & ~relatives[most])
        return max(heaviest(without), (rest + worth[most], chosen | 1 << most))

    try:
        return heaviest((1 << len(worth)) - 1)[1]
    except _TooManySteps:
        return None


def _reached(start: int, among: int, relatives: Sequence[int]) -> int:
    """The people of a set who are related to those of ``start`` by way of others in it."""
    reached, new = 0, start
    while new:
        reached |= new
        beside = 0
        for v in _bits(new):
            beside |= relatives[v]
        new = beside & among & ~reached
    return reached


class _TooManySteps(Exception):
    pass


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _greedy(relatives: Sequence[Sequence[int]], is_case: Flags, n_called: Numbers) -> list[int]:
    """Places kept: first among the cases, then among those that no kept case is related to."""
    kept: set[int] = set()
    for wanted in (True, False):
        open_to = {
            place
            for place, case in enumerate(is_case)
            if bool(case) == wanted and kept.isdisjoint(relatives[place])
        }
        kept |= _without_most_related(open_to, relatives, n_called)
    return sorted(kept)


def _without_most_related(
    people: set[int], relatives: Sequence[Sequence[int]], n_called: Numbers
) -> set[int]:
    """People of whom no two are related, left when whoever has most relatives goes, and so again.

    Of equals goes who has fewer sites called, then the higher place. Who was let go for people that went
    later comes back.
    """
    left = set(people)
    degree = {place: len(left.intersection(relatives[place])) for place in left}

    def turn(place: int) -> tuple[int, int, int]:
        return -degree[place], int(n_called[place]), -place

    _let_go(left, degree, relatives, turn)
    for place in sorted(people - left, key=lambda place: (-int(n_called[place]), place)):
        if left.isdisjoint(relatives[place]):
            left.add(place)
    return left


def _let_go(
    left: set[int],
    degree: dict[int, int],
    relatives: Sequence[Sequence[int]],
    turn: Callable[[int], tuple[int, int, int]],
) -> None:
    """Take people out of ``left`` by turn until no two are related; turns come earlier as relatives go."""
    queue = [turn(place) for place in left]
    heapq.heapify(queue)
    while queue:
        due = heapq.heappop(queue)
        place = -due[2]
        if place not in left or due != turn(place):
            continue
        if degree[place] == 0:
            break
        left.remove(place)
        for other in relatives[place]:
            if other in left:
                degree[other] -= 1
                heapq.heappush(queue, turn(other))
