"""What a reader can work out about one variant from the cells that releases show.

The columns of a view are the ancestry groups and, last, the remainder: who is in ``all`` and in no group that
is shown (the unlabelled, and groups too small to show). Every array has a row a variant. A withheld cell of a
group is at least 1 and leaves at least 1 of its alleles, since nought and "all of them" are always shown; of
the remainder nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """What is known of the alleles of one release: ``value`` holds where ``known``.

    ``value``, ``an``: int64[rows, groups + 1]; ``known``, ``labelled``: bool of the same shape, ``labelled``
    false where a group is part of the remainder, which has an allele number, and is never labelled itself;
    ``total``, ``total_an``: int64[rows]; ``total_known``: bool[rows]. ``people``: int64[groups + 2]: of all,
    of each group, and of the remainder's unlabelled; -1: not known.
    """

    value: Ints
    an: Ints
    known: Flags
    labelled: Flags
    total: Ints
    total_an: Ints
    total_known: Flags
    people: Ints

    def rows(self, chosen: Ints | Flags) -> View:
        """The view of some rows."""
        rows = {name: getattr(self, name)[chosen] for name in self.__dataclass_fields__ if name != "people"}
        return replace(self, **rows)

    def left(self) -> tuple[Ints, Ints]:
        """Alt alleles, and alleles, of all columns that are not known together: int64[rows] each."""
        of_known = np.where(self.known, self.value, 0).sum(axis=1)
        return self.total - of_known, np.where(self.known, 0, self.an).sum(axis=1)


def view_of(ac: Ints, an: Ints, shown: Flags, labelled: Flags, people: Ints) -> View:
    """A view of cells [rows, 1 + groups], ``all`` first; ``labelled`` bool[rows, groups]."""
    of_groups = np.where(labelled, an[:, 1:], 0)
    rest = (an[:, 0] - of_groups.sum(axis=1))[:, None]
    known = np.concatenate([shown[:, 1:] | ~labelled, rest == 0], axis=1)
    value = np.where(labelled & shown[:, 1:], ac[:, 1:], 0)
    unlabelled = people[0] - people[1:].sum() if (people >= 0).all() else -1
    return View(
        value=np.concatenate([value, np.zeros_like(rest)], axis=1),
        an=np.concatenate([of_groups, rest], axis=1),
        known=known,
        labelled=np.concatenate([labelled, np.zeros_like(rest, np.bool_)], axis=1),
        total=np.where(shown[:, 0], ac[:, 0], 0),
        total_an=an[:, 0].copy(),
        total_known=shown[:, 0].copy(),
        people=np.append(people, unlabelled),
    )


def same_columns(one: View, other: View) -> Flags:
    """bool[rows, groups + 1]: whether a column has the same people in both: it has as many.

    The remainder has where its unlabelled do, and the same groups, unchanged, are part of it.
    """
    unchanged = (one.people == other.people) & (one.people >= 0)
    groups = one.labelled[:, :-1] & other.labelled[:, :-1] & unchanged[1:-1]
    alike = (one.labelled == other.labelled)[:, :-1] & (one.labelled[:, :-1] | unchanged[1:-1])
    return np.concatenate([groups, (alike.all(axis=1) & unchanged[-1])[:, None]], axis=1)


def work_out(views: list[View]) -> list[View]:
    """The same views with every column and total that follows: a single gap in a sum, or the same people."""
    views = [_fill_gaps(view) for view in views]
    if len(views) == 1:
        return views
    for _ in range(2 * len(views)):
        n_before = _n_known(views)
        for place, view in enumerate(views):
            for other in views:
                if other is not views[place]:
                    view = _taken_over(view, other)
            views[place] = _fill_gaps(view)
        if _n_known(views) == n_before:
            break
    return views


def _n_known(views: list[View]) -> int:
    return sum(int(view.known.sum()) + int(view.total_known.sum()) for view in views)


def _fill_gaps(view: View) -> View:
    gap = ~view.known
    single = view.total_known & (gap.sum(axis=1) == 1)
    missing, _ = view.left()
    found = gap & single[:, None]
    value = np.where(found, missing[:, None], view.value)
    known = view.known | found
    complete = known.all(axis=1)
    total = np.where(view.total_known | ~complete, view.total, value.sum(axis=1))
    return replace(view, value=value, known=known, total=total, total_known=view.total_known | complete)


def _taken_over(view: View, other: View) -> View:
    """What ``other`` knows of the same people is known in ``view`` too."""
    new = ~view.known & other.known & same_columns(view, other)
    same_total = view.people[0] == other.people[0] and view.people[0] >= 0
    new_total = ~view.total_known & other.total_known & same_total
    return replace(
        view,
        value=np.where(new, other.value, view.value),
        known=view.known | new,
        total=np.where(new_total, other.total, view.total),
        total_known=view.total_known | new_total,
    )


def is_safe(ac: Ints, an: Ints, floor: int) -> Flags:
    """Whether alt alleles of so many may be known.

    Carriers, homozygotes and heterozygotes of either allele must not be bounded to 1..floor by it: none has
    the allele; all of more than ``floor`` people have two; or both alleles have more than ``floor`` copies,
    and homozygotes that must be there (more copies than people) can be more than ``floor``.
    """
    ref = an - ac
    many = (np.minimum(ac, ref) > floor) & ((ac == ref) | (np.maximum(ac, ref) > 2 * floor + 1))
    return (ac == 0) | ((ref == 0) & (an > 2 * floor + 1)) | many


def bounds(view: View) -> tuple[Ints, Ints]:
    """Lowest and highest alt alleles of each column: int64[rows, groups + 1] each."""
    least = np.where(view.known, 0, view.labelled.astype(np.int64))
    most = np.where(view.known, 0, view.an - least)
    left, _ = view.left()
    low = np.maximum(least, (left - most.sum(axis=1))[:, None] + most)
    high = np.minimum(most, (left - least.sum(axis=1))[:, None] + least)
    summed = view.total_known[:, None]
    low, high = np.where(summed, low, least), np.where(summed, high, most)
    return np.where(view.known, view.value, low), np.where(view.known, view.value, high)


def tells(view: View, floor: int) -> Flags:
    """bool[rows]: whether some count of 1..floor people follows from a view that was worked out."""
    low, high = bounds(view)
    gap = ~view.known
    told = gap & (
        _is_small(low, high, view.an, floor) | _is_small(view.an - high, view.an - low, view.an, floor)
    )
    left, alleles = view.left()
    told_left = view.total_known & gap.any(axis=1) & ~is_safe(left, alleles, floor)
    told |= view.known & ~is_safe(view.value, view.an, floor)
    # A total that is withheld has an allele, and lacks one: where no group has it, few others are told of.
    alt = np.where(view.known, view.value, 0).sum(axis=1)
    ref = np.where(view.known, view.an - view.value, 0).sum(axis=1)
    told_total = ~view.total_known & ((alt == 0) | (ref == 0)) & (alleles <= 2 * floor + 1)
    return told.any(axis=1) | told_left | told_total


def _is_small(low: Ints, high: Ints, an: Ints, floor: int) -> Flags:
    """Whether copies from ``low`` to ``high`` are of 1..floor carriers, or mean 1..floor homozygotes."""
    carriers = (low >= 1) & ((high <= floor) | (an <= 2 * floor + 1))
    homozygotes = (2 * low > an) & (high <= 2 * floor + 1)
    return carriers | homozygotes


def moved(change: Ints, change_an: Ints, floor: int) -> Flags:
    """Whether alt alleles changed by 1..floor, or ref alleles did while alt alleles changed too."""
    ref = np.abs(change_an - change)
    alt = np.abs(change)
    return ((alt >= 1) & (alt <= floor)) | ((alt >= 1) & (ref >= 1) & (ref <= floor))


def tells_change(one: View, other: View, floor: int) -> Flags:
    """bool[rows]: whether a change of 1..floor between two views that were worked out follows from them."""
    alike = one.labelled & other.labelled
    alike[:, -1] = (one.labelled == other.labelled).all(axis=1)
    both = one.known & other.known & alike
    change, change_an = one.value - other.value, one.an - other.an
    told = (both & moved(change, change_an, floor)).any(axis=1)
    totals = one.total_known & other.total_known
    total, total_an = one.total - other.total, one.total_an - other.total_an
    left = total - np.where(both, change, 0).sum(axis=1)
    left_an = total_an - np.where(both, change_an, 0).sum(axis=1)
    told |= totals & (moved(total, total_an, floor) | moved(left, left_an, floor))
    low, high = bounds(one)
    other_low, other_high = bounds(other)
    least, most = low - other_high, high - other_low
    narrow = ((least >= 1) & (most <= floor)) | ((least >= -floor) & (most <= -1))
    return told | (narrow & alike & ~same_columns(one, other)).any(axis=1)
