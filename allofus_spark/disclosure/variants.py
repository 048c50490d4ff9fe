"""The attack on allele counts: every row of a release, with the same row of earlier ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from allofus_spark.disclosure.cells import (
    LEAST,
    Cells,
    Conventions,
    Floats,
    conventions,
    most_called,
    read_cells,
)
from allofus_spark.disclosure.findings import Finding, Verification
from allofus_spark.disclosure.genotypes import Hit, attack_cells, attack_changes, attack_unions, by_totals
from allofus_spark.disclosure.people import UNKNOWN, Flags, Ints
from allofus_spark.disclosure.rows import Batch, engine, variant_batches
from allofus_spark.disclosure.subsets import attack_small_unions
from allofus_spark.published import ALL, UNLABELLED

PRODUCT = "variants"
_TOGETHER = 3  # newest releases solved together; combinations of their totals grow as 3 to this power
Sizes = Mapping[str, int | None]


@dataclass(frozen=True)
class Case:
    """Releases that are attacked together, oldest first, and what is known of their groups' sizes.

    ``kept``: the floors that the releases kept, where the tests that they show are to be used.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    sizes: tuple[Sizes, ...]
    floor: int
    kept: tuple[int, ...] | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """What the cells of a row are of."""
        return (*self.groups, UNLABELLED, ALL)


def attack_variants(releases: Sequence[Path], case: Case, result: Verification) -> list[dict[str, int]]:
    """Add to ``result`` what follows from the variants of releases, oldest first.

    Returns the highest AN of each group, and of the rest, in each release.
    """
    with engine() as connection:
        told = [Conventions()] * len(releases)
        most: list[dict[str, int]] = [{} for _ in releases]
        for place, release in enumerate(releases):
            for batch in variant_batches(connection, [release], case.groups):
                told[place] |= conventions(batch.columns[0], case.groups, case.floor)
                for name, an in most_called(batch.columns[0], case.groups).items():
                    most[place][name] = max(most[place].get(name, 0), an)
        for batch in variant_batches(connection, releases, case.groups, case.kept):
            attack_rows(batch, told, case, result)
    return most


def attack_rows(batch: Batch, told: Sequence[Conventions], case: Case, result: Verification) -> None:
    """All attacks on the rows of a batch; a later one tells what the earlier ones did not.

    ``told``: what a null tells in each release.
    """
    cells: list[Cells] = []
    names = [
        f"{name} and the tests that it shows" if f"{ALL}_{LEAST}" in columns else name
        for name, columns in zip(case.names, batch.columns, strict=True)
    ]
    for columns, tells in zip(batch.columns, told, strict=True):
        cells.append(read_cells(columns, case.groups, batch.diploid, tells, case.floor, cells.copy()))
    told_alone = [
        _attack_alone(batch, of_release, name, case, result)
        for name, of_release in zip(names, cells, strict=True)
    ]
    for chosen in _sets(len(cells)):
        of_chosen = [told_alone[place] for place in chosen]
        _attack_together(batch, [cells[place] for place in chosen], of_chosen, case, chosen, result)


def _sets(n_releases: int) -> list[tuple[int, ...]]:
    """Releases to solve together: the newest, and each older one with the last.

    >>> _sets(1), _sets(3), _sets(5)
    ([], [(0, 1, 2)], [(2, 3, 4), (0, 4), (1, 4)])
    """
    newest = tuple(range(max(0, n_releases - _TOGETHER), n_releases))
    older = [(place, n_releases - 1) for place in range(n_releases - len(newest))]
    return [newest, *older] if n_releases > 1 else []


def _attack_alone(
    batch: Batch, cells: Cells, name: str, case: Case, result: Verification
) -> tuple[list[Flags], list[Flags]]:
    """What one release tells: where of its cells, and of its unions, by kind of count."""
    own, floor, rows = cells.copies, case.floor, int(cells.present.sum())
    result.try_kind(PRODUCT, "counts of people in a cell", 5 * rows * len(case.cells))
    hits = list(attack_cells(own, floor, f"from its own numbers in {name}"))
    _report(batch, hits, case, result)
    alone = by_totals([own], [np.zeros_like(own.an)])[0]
    result.try_kind(PRODUCT, "cells and unions by the total", 10 * rows * (len(case.cells) + 2))
    by_total = list(attack_cells(alone, floor, f"by the total of all in {name}"))
    _report(batch, _new(by_total, [hit.at for hit in hits]), case, result)
    how = f"as all minus the groups shown in {name}"
    unions = list(attack_unions(alone, floor, how))
    _report(batch, unions, case, result)
    _report(batch, attack_small_unions(alone, floor, how), case, result)
    return [hit.at for hit in by_total], [hit.at for hit in unions]


def _attack_together(
    batch: Batch,
    cells: Sequence[Cells],
    told_alone: Sequence[tuple[list[Flags], list[Flags]]],
    case: Case,
    chosen: Sequence[int],
    result: Verification,
) -> None:
    """What the releases ``chosen`` tell together: cells that did not change, and changes."""
    floor, names = case.floor, [case.names[place] for place in chosen]
    shared = shared_cells(cells, case, chosen)
    together = by_totals([part.copies for part in cells], shared)
    rows = int(np.logical_and.reduce([part.present for part in cells]).sum())
    result.try_kind(PRODUCT, "cells and unions by several releases", 10 * rows * len(case.cells))
    for name, tight, (of_cells, of_unions) in zip(names, together, told_alone, strict=True):
        how = f"by the totals of {' and '.join(names)} together, in {name}"
        _report(batch, _new(attack_cells(tight, floor, how), of_cells), case, result)
        _report(batch, _new(attack_unions(tight, floor, how), of_unions), case, result)
    for old, new in itertools.combinations(range(len(cells)), 2):
        result.try_kind(PRODUCT, "changes between releases", 8 * rows * len(case.cells))
        how = f"as the difference between {names[old]} and {names[new]}"
        same = shared[new] == shared[old]
        absent = ~(cells[old].present & cells[new].present)[:, None]
        for hit in attack_changes(together[old], together[new], same, floor, how):
            _report(batch, _new([hit], [absent]), case, result)


def shared_cells(cells: Sequence[Cells], case: Case, chosen: Sequence[int]) -> list[Ints]:
    """Of each release and cell, the first release in which it has the same people, called alike."""
    sizes = [
        _row_sizes(of_release, case.sizes[t], case.groups)
        for of_release, t in zip(cells, chosen, strict=True)
    ]
    ans = [of_release.copies.an for of_release in cells]
    shared = [np.full(an.shape, place, np.int64) for place, an in enumerate(ans)]
    for later in range(1, len(cells)):
        for earlier in reversed(range(later)):
            same = (sizes[later] == sizes[earlier]) & (ans[later] == ans[earlier]) & (ans[later] < UNKNOWN)
            # The rest, and all, are the same people only where the groups that they hold are.
            lone = ans[later][:, :-2] >= UNKNOWN
            of_groups = _sizes_of(case.sizes[chosen[later]], case.groups)
            alike = of_groups == _sizes_of(case.sizes[chosen[earlier]], case.groups)
            same[:, -2] &= ((ans[earlier][:, :-2] >= UNKNOWN) == lone).all(1) & (alike | ~lone).all(1)
            same[:, -1] &= alike.all()
            shared[later] = np.where(same, shared[earlier], shared[later])
    return shared


def _row_sizes(cells: Cells, sizes: Sizes, groups: Sequence[str]) -> np.ndarray:
    """Group sizes of each row and cell; NaN where not known. The rest: all minus the groups with a cell."""
    known = _sizes_of(sizes, groups)
    everybody = np.nan if sizes.get(ALL) is None else float(sizes[ALL] or 0)
    has_cell = cells.copies.an[:, : len(groups)] < UNKNOWN
    rest = everybody - np.where(has_cell, known, 0.0).sum(1)
    own = np.where(has_cell, known, np.nan)
    return np.concatenate([own, rest[:, None], np.full((len(rest), 1), everybody)], axis=1)


def _sizes_of(sizes: Sizes, groups: Sequence[str]) -> Floats:
    return np.array([np.nan if sizes.get(name) is None else sizes[name] for name in groups], np.float64)


def _new(hits: Iterable[Hit], told: Iterable[Flags]) -> Iterator[Hit]:
    """Hits without what is told already."""
    for hit, at in zip(hits, told, strict=True):
        yield Hit(hit.quantity, hit.bounds, hit.at & ~at, hit.members, hit.how)


def _report(batch: Batch, hits: Iterable[Hit], case: Case, result: Verification) -> None:
    """Add hits as findings; beyond the room of the list they are only counted."""
    for hit in hits:
        places = np.argwhere(hit.at)
        listed = places[: result.room(PRODUCT)]
        result.count(PRODUCT, len(places) - len(listed))
        for row, column in listed:
            members = hit.members[column] if hit.members.ndim == 2 else hit.members[row, column]
            groups = tuple(name for name, is_in in zip(case.cells, members, strict=True) if is_in)
            lo, hi = int(hit.bounds.lo[row, column]), int(hit.bounds.hi[row, column])
            result.add(Finding(PRODUCT, batch.name(row), hit.quantity, groups, lo, hi, hit.how))
