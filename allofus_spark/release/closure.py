"""What a reader can work out about one variant from the cells that releases show.

The columns of a view are the ancestry groups and, last, the remainder: who is in ``all`` and in no group that
is shown (the unlabelled, and groups too small to show). Every array has a row a variant. A withheld cell of a
group, or of ``all``, is at least 1 and leaves at least 1 of its alleles, since nought and "all of them" are
always shown; of the remainder nothing is known. Bounds are tightened by sums, by the same people in two
releases, and by differences between releases, until nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_MAX_ROUNDS = 8


@dataclass(frozen=True)
class View:
    """Bounds of the alt alleles of one release.

    ``low``, ``high``, ``an``: int64[rows, groups + 1]; ``labelled``: bool of the same shape, false of the
    remainder, and where a group is part of it; ``total_low``, ``total_high``, ``total_an``: int64[rows].
    ``people``: int64[groups + 2]: of all, of each group, and of the unlabelled; -1: not known.
    """

    low: Ints
    high: Ints
    an: Ints
    labelled: Flags
    total_low: Ints
    total_high: Ints
    total_an: Ints
    people: Ints

    @property
    def exact(self) -> Flags:
        return np.asarray(self.low == self.high)

    def rows(self, chosen: Ints | Flags) -> View:
        """The view of some rows."""
        rows = {name: getattr(self, name)[chosen] for name in self.__dataclass_fields__ if name != "people"}
        return replace(self, **rows)


def view_of(
    ac: Ints, an: Ints, shown: Flags, labelled: Flags, people: Ints, moving: tuple[Flags, Flags]
) -> View:
    """A view of cells [rows, 1 + groups], ``all`` first; ``labelled`` bool[rows, groups].

    ``moving``: cells that may be withheld for their change though nobody has an allele; though all have two.
    """
    of_groups = np.where(labelled, an[:, 1:], 0)
    rest = (an[:, 0] - of_groups.sum(axis=1))[:, None]
    nobody, everybody = moving
    low, high = np.where(shown, ac, ~nobody), np.where(shown, ac, an - ~everybody)
    return View(
        low=np.concatenate([np.where(labelled, low[:, 1:], 0), np.zeros_like(rest)], axis=1),
        high=np.concatenate([np.where(labelled, high[:, 1:], 0), rest], axis=1),
        an=np.concatenate([of_groups, rest], axis=1),
        labelled=np.concatenate([labelled, np.zeros_like(rest, np.bool_)], axis=1),
        total_low=low[:, 0],
        total_high=high[:, 0],
        total_an=an[:, 0],
        people=np.append(people, people[0] - people[1:].sum() if (people >= 0).all() else -1),
    )


def same_columns(one: View, other: View) -> Flags:
    """bool[rows, groups + 1]: whether a column has the same people in both: it has as many.

    The remainder has where its unlabelled do, and the same groups, unchanged, are part of it.
    """
    unchanged = (one.people == other.people) & (one.people >= 0)
    groups = one.labelled[:, :-1] & other.labelled[:, :-1] & unchanged[1:-1]
    alike = (one.labelled == other.labelled)[:, :-1] & (one.labelled[:, :-1] | unchanged[1:-1])
    return np.concatenate([groups, (alike.all(axis=1) & unchanged[-1])[:, None]], axis=1)


def work_out(views: Sequence[View]) -> list[View]:
    """The same views with bounds as tight as follows from all of them."""
    views = [_summed(view) for view in views]
    for _ in range(_MAX_ROUNDS):
        before = _width(views)
        for place, view in enumerate(views):
            for other in (*views[:place], *views[place + 1 :]):
                view = _by_difference(_taken_over(view, other), other)
            views[place] = _summed(view)
        if _width(views) == before:
            break
    return views


def _width(views: Sequence[View]) -> int:
    return sum(int((view.high - view.low).sum() + (view.total_high - view.total_low).sum()) for view in views)


def _tighter(view: View, low: Ints, high: Ints) -> View:
    """Bounds that are the tighter; those that leave nothing are of people who are not the same."""
    low, high = np.maximum(view.low, low), np.minimum(view.high, high)
    some = low <= high
    return replace(view, low=np.where(some, low, view.low), high=np.where(some, high, view.high))


def _summed(view: View) -> View:
    """Columns sum up to the total."""
    low, high = view.low.sum(axis=1), view.high.sum(axis=1)
    total_low, total_high = np.maximum(view.total_low, low), np.minimum(view.total_high, high)
    some = total_low <= total_high
    total_low = np.where(some, total_low, view.total_low)
    total_high = np.where(some, total_high, view.total_high)
    view = replace(view, total_low=total_low, total_high=total_high)
    return _tighter(view, (total_low - high)[:, None] + view.high, (total_high - low)[:, None] + view.low)


def _taken_over(view: View, other: View) -> View:
    """The same people have the same alleles."""
    same = same_columns(view, other)
    view = _tighter(view, np.where(same, other.low, view.low), np.where(same, other.high, view.high))
    if view.people[0] != other.people[0] or view.people[0] < 0:
        return view
    low = np.maximum(view.total_low, other.total_low)
    high = np.minimum(view.total_high, other.total_high)
    some = low <= high
    return replace(
        view,
        total_low=np.where(some, low, view.total_low),
        total_high=np.where(some, high, view.total_high),
    )


def _by_difference(view: View, other: View) -> View:
    """Columns of other people differ, together, by as much as the totals do; and the totals as they."""
    changed = ~same_columns(view, other)
    least, most = _sum(view.low, changed), _sum(view.high, changed)
    low = np.maximum(view.total_low, other.total_low + least - _sum(other.high, changed))
    high = np.minimum(view.total_high, other.total_high + most - _sum(other.low, changed))
    some = low <= high
    view = replace(
        view,
        total_low=np.where(some, low, view.total_low),
        total_high=np.where(some, high, view.total_high),
    )
    low, high = changed_sums(view, other, changed)
    lows, highs = (low - most)[:, None] + view.high, (high - least)[:, None] + view.low
    return _tighter(view, np.where(changed, lows, view.low), np.where(changed, highs, view.high))


def changed_sums(view: View, other: View, changed: Flags) -> tuple[Ints, Ints]:
    """Lowest and highest sum of the changed columns: int64[rows] each."""
    low = view.total_low - other.total_high + _sum(other.low, changed)
    high = view.total_high - other.total_low + _sum(other.high, changed)
    return np.maximum(low, _sum(view.low, changed)), np.minimum(high, _sum(view.high, changed))


def _sum(values: Ints, chosen: Flags) -> Ints:
    return np.asarray(np.where(chosen, values, 0).sum(axis=1))


def is_safe(ac: Ints, an: Ints, floor: int) -> Flags:
    """Whether alt alleles of so many may be known.

    Carriers, homozygotes and heterozygotes of either allele must not be bounded to 1..floor by it: none has
    the allele; all of more than ``floor`` people have two; or both alleles have more than ``floor`` copies,
    and homozygotes that must be there (more copies than people) can be more than ``floor``.
    """
    return ~is_small(ac, ac, an, floor)


def is_small(low: Ints, high: Ints, an: Ints, floor: int) -> Flags:
    """Whether low to high copies of alt are of 1..floor carriers of alt or of ref, or of homozygotes.

    So few people have ``an`` of at most 2 × floor + 1. Where nobody carries, the allele number says how many
    do not.
    """
    told = np.zeros(np.shape(low), np.bool_)
    for least, most in ((low, high), (an - high, an - low)):
        carriers = (least >= 1) & ((most <= floor) | (an <= 2 * floor + 1))
        told |= carriers | ((2 * least > an) & (least < an) & (most <= 2 * floor + 1))
    return told & (high > 0)


def tells(view: View, floor: int) -> Flags:
    """bool[rows]: whether some count of 1..floor people follows from a view that was worked out."""
    told = is_small(view.low, view.high, view.an, floor).any(axis=1)
    told |= is_small(view.total_low, view.total_high, view.total_an, floor)
    return np.asarray(told | _tells_of(view, ~view.exact, view.total_low, view.total_high, view.exact, floor))


def _tells_of(view: View, chosen: Flags, low: Ints, high: Ints, known: Flags, floor: int) -> Flags:
    """Whether a sum of low to high tells of its columns ``chosen``, less those that are known."""
    of_known = _sum(view.low, known)
    small = is_small(low - of_known, high - of_known, _sum(view.an, chosen), floor)
    return np.asarray(chosen.any(axis=1) & small)


def moved(low: Ints, high: Ints, change_an: Ints, floor: int) -> Flags:
    """Whether a change of alt alleles from low to high tells of 1..floor people.

    Where alt, or ref while alt changed too, changed by 1..floor; and where people only came, or only left: as
    `is_small` has it of them.
    """
    down = change_an < 0
    low, high = np.where(down, -high, low), np.where(down, -low, high)
    an = np.abs(change_an)
    ref = _is_narrow(an - high, an - low, floor) & ((low > 0) | (high < 0))
    nested = (low >= 0) & (high <= an)
    return np.asarray(_is_narrow(low, high, floor) | ref | (nested & is_small(low, high, an, floor)))


def _changes(one: View, other: View, same: Flags) -> tuple[Ints, Ints, Ints, Ints]:
    """Lowest and highest change of each column, and of the total, which is their sum."""
    low, high = np.where(same, 0, one.low - other.high), np.where(same, 0, one.high - other.low)
    least = np.maximum(one.total_low - other.total_high, low.sum(axis=1))
    most = np.minimum(one.total_high - other.total_low, high.sum(axis=1))
    lows = np.maximum(low, (least - high.sum(axis=1))[:, None] + high)
    highs = np.minimum(high, (most - low.sum(axis=1))[:, None] + low)
    some = lows <= highs
    return np.where(some, lows, low), np.where(some, highs, high), least, most


def tells_change(one: View, other: View, floor: int) -> Flags:
    """bool[rows]: whether a change of 1..floor between two views that were worked out follows from them."""
    alike = one.labelled & other.labelled
    alike[:, -1] = (one.labelled == other.labelled).all(axis=1)
    same = same_columns(one, other)
    change_an = one.an - other.an
    low, high, total_low, total_high = _changes(one, other, same)
    told = (alike & moved(low, high, change_an, floor)).any(axis=1)
    # The remainder with the groups that either release counts to it.
    merged = ~(one.labelled & other.labelled)
    least, most = _sum(low, merged), _sum(high, merged)
    told |= moved(least, most, _sum(change_an, merged), floor) & ~same[:, -1]
    least, most = total_low, total_high
    an = one.total_an - other.total_an
    told |= moved(least, most, an, floor)
    known = alike & (low == high)
    left, left_an = _sum(low, known), an - _sum(change_an, known)
    told |= moved(least - left, most - left, left_an, floor) & ~known.all(axis=1)
    for view, against in ((one, other), (other, one)):
        low, high = changed_sums(view, against, ~same)
        unknown = ~view.exact
        told |= _tells_of(view, ~same & unknown, low, high, ~same & ~unknown, floor)
        low, high = view.total_low - high, view.total_high - low
        told |= _tells_of(view, same & unknown, low, high, same & ~unknown, floor)
    return np.asarray(told)


def _is_narrow(low: Ints, high: Ints, floor: int) -> Flags:
    return np.asarray(((low >= 1) & (high <= floor)) | ((low >= -floor) & (high <= -1)))
