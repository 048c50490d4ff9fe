"""What follows from the cells of variants: within a cell, by a total, between releases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from allofus_spark.disclosure.people import (
    UNKNOWN,
    Bounds,
    Copies,
    Flags,
    Ints,
    counts_of_people,
    possible_homozygotes,
    small_either_way,
    within,
)
from allofus_spark.disclosure.sums import tighten


@dataclass(frozen=True)
class Hit:
    """Bounds of a count, (rows, sets of groups), and where they lie within 1 to the floor.

    ``members``: (rows, sets, cells) or (sets, cells), the cells of each set; ``quantity``, ``how``: in words.
    """

    quantity: str
    bounds: Bounds
    at: Flags
    members: Flags
    how: str


def attack_cells(cells: Copies, floor: int, how: str) -> Iterator[Hit]:
    """Counts of people in each cell by its own bounds."""
    members = np.eye(cells.an.shape[1], dtype=bool)
    for quantity, bounds in counts_of_people(cells).items():
        yield Hit(quantity, bounds, within(bounds, floor), members, how)


def by_totals(releases: Sequence[Copies], shared: Sequence[Ints]) -> list[Copies]:
    """Cells with the tightest bounds of AC by the totals, then of homozygotes."""
    acs = tighten([cells.ac for cells in releases], shared)
    homs = []
    for ac, cells in zip(acs, releases, strict=True):
        possible = possible_homozygotes(ac, cells.an, cells.diploid)
        homs.append(Bounds(np.maximum(possible.lo, cells.hom.lo), np.minimum(possible.hi, cells.hom.hi)))
    homs = tighten(homs, shared)
    return [
        Copies(ac, hom, cells.an, cells.diploid) for ac, hom, cells in zip(acs, homs, releases, strict=True)
    ]


def union(cells: Copies, members: Flags) -> Copies:
    """The union of some cells of each row, (rows, 1): by their sum, and as all minus the others."""
    parts, others = members[:, :-1], ~members[:, :-1]

    def bounds_of(values: Bounds) -> Bounds:
        (lo, hi), all_lo, all_hi = values, values.lo[:, -1], values.hi[:, -1]
        inside = Bounds((lo[:, :-1] * parts).sum(1), (hi[:, :-1] * parts).sum(1))
        outside = Bounds((lo[:, :-1] * others).sum(1), (hi[:, :-1] * others).sum(1))
        low, high = np.maximum(inside.lo, all_lo - outside.hi), np.minimum(inside.hi, all_hi - outside.lo)
        return Bounds(low[:, None], high[:, None])

    an = np.minimum((cells.an[:, :-1] * parts).sum(1), UNKNOWN)[:, None]
    diploid = np.asarray(np.all(cells.diploid[:, :-1] | others, axis=1, keepdims=True))
    ac, hom = bounds_of(cells.ac), bounds_of(cells.hom)
    possible = possible_homozygotes(ac, an, diploid)
    hom = Bounds(np.maximum(hom.lo, possible.lo), np.minimum(hom.hi, possible.hi))
    return Copies(ac, hom, an, diploid)


def attack_unions(cells: Copies, floor: int, how: str) -> Iterator[Hit]:
    """Counts of people in the union of what is hidden: of AC, and of homozygotes."""
    for hidden in (cells.ac, cells.hom):
        members = hidden.lo < hidden.hi
        members[:, -1] = False
        several = members.sum(1, keepdims=True) > 1
        for quantity, bounds in counts_of_people(union(cells, members)).items():
            yield Hit(quantity, bounds, within(bounds, floor) & several, members[:, None, :], how)


def attack_changes(before: Copies, after: Copies, same: Flags, floor: int, how: str) -> Iterator[Hit]:
    """Changes from one release to a later one: of each cell, and of the union of what one of them hides.

    ``same``: cells with the same people in both, which cannot change.
    """
    lone = (before.an >= UNKNOWN) | (after.an >= UNKNOWN)
    lone[:, -2:] = False
    before, after = _within_rest(before, lone), _within_rest(after, lone)
    change = Copies(
        _difference(before.ac, after.ac, same),
        _difference(before.hom, after.hom, same),
        after.an - before.an,
        before.diploid & after.diploid,
    )
    nothing = np.broadcast_to(np.arange(1), change.an.shape).copy()
    change = Copies(
        tighten([change.ac], [nothing])[0], tighten([change.hom], [nothing])[0], change.an, change.diploid
    )
    unknown = (before.an >= UNKNOWN) | (after.an >= UNKNOWN)
    cell_sets = np.eye(change.an.shape[1], dtype=bool)
    yield from _attack_change(change, unknown, cell_sets, floor, how)
    members = (change.ac.lo < change.ac.hi) & ~same
    members[:, -1] = False
    several = members.sum(1, keepdims=True) > 1
    whole = _union_change(change, members)
    unknown = np.asarray(np.any(unknown & members, axis=1, keepdims=True))
    for hit in _attack_change(whole, unknown, members[:, None, :], floor, how):
        yield Hit(hit.quantity, hit.bounds, hit.at & several, hit.members, hit.how)


def _within_rest(cells: Copies, lone: Flags) -> Copies:
    """Cells with those that one of two releases has not counted with the rest, as that release does."""

    def moved(values: Ints) -> Ints:
        own = np.where(lone & (values < UNKNOWN), values, 0).sum(1)
        kept = np.where(lone, 0, values)
        kept[:, -2] = np.minimum(kept[:, -2] + own, UNKNOWN)
        return kept

    ac, hom = (Bounds(moved(lo), moved(hi)) for lo, hi in (cells.ac, cells.hom))
    return Copies(ac, hom, moved(cells.an), cells.diploid)


def _difference(before: Bounds, after: Bounds, same: Flags) -> Bounds:
    return Bounds(np.where(same, 0, after.lo - before.hi), np.where(same, 0, after.hi - before.lo))


def _union_change(change: Copies, members: Flags) -> Copies:
    """The change of the union of some cells: that of all minus those of the others."""
    others = ~members[:, :-1]

    def of(values: Bounds) -> Bounds:
        lo, hi = (values.lo[:, :-1] * others).sum(1), (values.hi[:, :-1] * others).sum(1)
        return Bounds((values.lo[:, -1] - hi)[:, None], (values.hi[:, -1] - lo)[:, None])

    an = (change.an[:, :-1] * ~others).sum(1)[:, None]
    return Copies(
        of(change.ac), of(change.hom), an, np.asarray(np.all(change.diploid, axis=1, keepdims=True))
    )


def _attack_change(change: Copies, unknown: Flags, sets: Flags, floor: int, how: str) -> Iterator[Hit]:
    """Copies of alt and ref, and homozygotes, that came or went; and people, if none came as others went."""
    gone = change.an < 0
    ac, hom = (_turned(bounds, gone) for bounds in (change.ac, change.hom))
    an = np.abs(change.an)
    ref = Bounds(an - ac.hi, an - ac.lo)
    for quantity, bounds, at in (
        ("copies of alt more or fewer", ac, ~gone | gone),
        # Where none of alt may have come or gone, those of ref are the denominator's change, which is public.
        ("copies of ref more or fewer", ref, ~unknown & ((ac.lo > 0) | (ac.hi < 0))),
        ("homozygotes more or fewer", hom, ~gone | gone),
    ):
        yield Hit(quantity, bounds, at & small_either_way(bounds, floor), sets, how)
    nested = (ac.lo >= 0) & (ref.lo >= 0) & (an > 0) & ~unknown & (hom.hi >= 0)
    newcomers = Copies(ac, Bounds(np.maximum(hom.lo, 0), hom.hi), an, change.diploid & (an % 2 == 0))
    possible = possible_homozygotes(ac, an, newcomers.diploid)
    hom = Bounds(np.maximum(possible.lo, newcomers.hom.lo), np.minimum(possible.hi, newcomers.hom.hi))
    people = counts_of_people(Copies(ac, hom, an, newcomers.diploid))
    for quantity, bounds in people.items():
        yield Hit(
            f"{quantity} among those who came or went", bounds, nested & within(bounds, floor), sets, how
        )


def _turned(bounds: Bounds, at: Flags) -> Bounds:
    return Bounds(np.where(at, -bounds.hi, bounds.lo), np.where(at, -bounds.lo, bounds.hi))
