"""Which cells of allele counts a release may show: primary suppression, and what keeps it from being undone.

``withhold(counts, floor, earlier) -> Shown``. Pure NumPy; every matrix has a row a variant and a column for
``all``, then one for each ancestry group: [rows, 1 + groups].

    counts = Counts(ac, an, n_hom, diploid, people)
    earlier = [Earlier(ac, an, n_hom, present, people), ...]   # -1: withheld there
    shown = withhold(counts, 20, earlier)
    np.where(shown.ac, counts.ac, -1)

Groups whose size is withheld (see `sizes_withheld`) have no cells. A cell is shown where alt and ref alleles
are each none or more than ``floor`` (see `is_safe`), and it did not change by 1..floor since a release that
shows it. Further cells are then withheld until nothing of 1..floor follows from sums, differences between
releases, or the same people in two of them: the shown group with the rarest minor allele first, never the
last; then ``all``; and where that does not do, every cell of the variant.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allofus_spark.release.cells import Counts, Earlier, Shown
from allofus_spark.release.closure import (
    Flags,
    Ints,
    View,
    is_safe,
    moved,
    same_columns,
    tells,
    tells_change,
    view_of,
    work_out,
)
from allofus_spark.release.counts import sizes_withheld
from allofus_spark.release.homozygotes import homozygotes_shown, homozygotes_tell

_NEVER = np.iinfo(np.int64).max


def withhold(counts: Counts, floor: int, earlier: Sequence[Earlier] = ()) -> Shown:
    """Which cells are shown, such that no count of 1..floor people follows from them and ``earlier``."""
    _check(counts, earlier)
    an_shown = _large_enough(counts, floor)
    labelled = an_shown[:, 1:]
    primary = an_shown & is_safe(counts.ac, counts.an, floor)
    for release in earlier:
        primary &= ~_moved_since(counts, release, floor)
    ac_shown = _closed(counts, primary, labelled, _readings(counts, labelled, earlier, floor), floor)
    return Shown(ac_shown, an_shown, homozygotes_shown(counts, ac_shown, labelled, earlier, floor))


def _check(counts: Counts, earlier: Sequence[Earlier]) -> None:
    shape = counts.ac.shape
    matrices = [counts.an, counts.n_hom]
    matrices += [matrix for release in earlier for matrix in (release.ac, release.an, release.n_hom)]
    people = [counts.people, *(release.people for release in earlier)]
    if any(matrix.shape != shape for matrix in matrices) or any(n.shape != shape[1:] for n in people):
        raise ValueError(f"counts of {shape} go with others of the same variants and groups only")


def _large_enough(counts: Counts, floor: int) -> Flags:
    """bool[rows, 1 + groups]: groups whose size is not withheld, and with more than ``floor`` called."""
    total, *groups = counts.people.tolist()
    try:
        withheld, _ = sizes_withheld(groups, total - sum(groups), floor)
    except ValueError:
        withheld = [True] * len(groups)
    small = np.array([1 <= total <= floor, *withheld])
    few = (counts.an >= 1) & (counts.an <= 2 * floor + 1)
    large = ~(small | few)
    return large & large[:, :1]


@dataclass(frozen=True)
class _Reading:
    """What a reader takes a withheld cell to be, today (`view_of`'s ``moving``) and in ``past`` releases."""

    moving: tuple[Flags, Flags]
    past: Sequence[View]

    def rows(self, chosen: Ints | Flags) -> _Reading:
        nobody, everybody = self.moving
        past = [view.rows(chosen) for view in self.past]
        return _Reading((nobody[chosen], everybody[chosen]), past)


def _readings(counts: Counts, labelled: Flags, earlier: Sequence[Earlier], floor: int) -> list[_Reading]:
    """That nought, or all, may be withheld for a change; and that neither is, which mostly is true."""
    strict = (np.zeros(counts.an.shape, np.bool_),) * 2
    by_change = [_moving(release.an, earlier[:place], floor) for place, release in enumerate(earlier)]
    readings = []
    for today, then in (
        (_moving(counts.an, earlier, floor), by_change),
        (strict, [strict] * len(earlier)),
    ):
        past = [
            _view_of_earlier(release, counts.an, labelled, moving)
            for release, moving in zip(earlier, then, strict=True)
        ]
        readings.append(_Reading(today, past))
    return readings if earlier else readings[:1]


def _moving(an: Ints, earlier: Sequence[Earlier], floor: int) -> tuple[Flags, Flags]:
    """Cells that may be withheld, for their change, though nobody has an allele; and though all have two.

    ``all`` is withheld beside earlier releases for what groups tell, too.
    """
    nobody, everybody = np.zeros(an.shape, np.bool_), np.zeros(an.shape, np.bool_)
    for release in earlier:
        shown = (release.ac >= 0) & (release.an >= 0) & release.present[:, None]
        for value, flags in ((np.zeros_like(an), nobody), (an, everybody)):
            flags |= shown & moved(value - release.ac, value - release.ac, an - release.an, floor)
            flags[:, 0] = True
    return nobody, everybody


def _view_of_earlier(release: Earlier, an: Ints, labelled: Flags, moving: tuple[Flags, Flags]) -> View:
    """A variant that the release lacks was carried by nobody, among alleles as today's."""
    absent = ~release.present[:, None]
    return view_of(
        ac=np.where(absent, 0, release.ac),
        an=np.where(absent, an, np.maximum(release.an, 0)),
        shown=absent | (release.ac >= 0),
        labelled=np.where(absent, labelled, release.an[:, 1:] >= 0),
        people=release.people,
        moving=moving,
    )


def _moved_since(counts: Counts, release: Earlier, floor: int) -> Flags:
    """Cells of which the change since a release that shows them tells, with what it shows of homozygotes."""
    shown = (release.ac >= 0) & (release.an >= 0) & release.present[:, None]
    change = counts.ac - release.ac
    told = moved(change, change, counts.an - release.an, floor)
    unknown = np.full_like(counts.n_hom, -1)
    return shown & (told | homozygotes_tell(counts, unknown, release, floor))


def _closed(
    counts: Counts, primary: Flags, labelled: Flags, readings: Sequence[_Reading], floor: int
) -> Flags:
    """Those of ``primary`` of which nothing follows; rows that still tell are looked at again."""
    shown = primary.copy()
    rows = np.arange(len(shown))
    for _ in range(2 * shown.shape[1] + 2):
        ac, an = counts.ac[rows], counts.an[rows]
        told = np.zeros(len(rows), np.bool_)
        for reading in (each.rows(rows) for each in readings):
            now = view_of(ac, an, shown[rows], labelled[rows], counts.people, reading.moving)
            told |= _follows([now, *reading.past], floor)
        rows, pinned = rows[told], _pinned(now, reading.past)[told]
        if not len(rows):
            return shown
        shown[rows] = _fewer(ac[told], an[told], shown[rows], primary[rows], pinned)
    shown[rows] = False
    return shown


def _follows(views: Sequence[View], floor: int) -> Flags:
    known = work_out(views)
    told = np.zeros(len(views[0].total_an), np.bool_)
    for view in known:
        told |= tells(view, floor)
    for one, other in itertools.combinations(known, 2):
        told |= tells_change(one, other, floor)
    return told


def _pinned(now: View, past: Sequence[View]) -> Flags:
    """bool[rows, groups]: groups that an earlier release shows of the same people: withholding is no use."""
    pinned = np.zeros_like(now.labelled)
    for view in past:
        pinned |= same_columns(now, view) & view.exact
    return pinned[:, :-1]


def _fewer(ac: Ints, an: Ints, shown: Flags, primary: Flags, pinned: Flags) -> Flags:
    """One step less: the rarest of several groups, else ``all`` (and groups anew), else every cell."""
    minor = np.minimum(ac, an - ac)[:, 1:]
    candidates = shown[:, 1:] & (minor > 0) & ~pinned
    several = ((shown[:, 1:] & (minor > 0)).sum(axis=1) > 1) & candidates.any(axis=1)
    with_total = shown[:, 0]
    rarest = np.where(candidates, minor, _NEVER).argmin(axis=1)
    one_less = shown.copy()
    one_less[np.arange(len(shown)), 1 + rarest] = False
    without_total = primary.copy()
    without_total[:, 0] = False
    fewer = np.where(with_total[:, None], without_total, False)
    return np.where(several[:, None], one_less, fewer)
