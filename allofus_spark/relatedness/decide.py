"""Who is kept in the set without relatives, and for whom the others are left out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allofus_spark.relatedness.people import People
from allofus_spark.relatedness.unrelated_set import unrelated_set


@dataclass(frozen=True)
class Relations:
    """Pairs that are not both kept: places int32[pairs] and kinship float64[pairs]."""

    first: npt.NDArray[np.int32]
    second: npt.NDArray[np.int32]
    kinship: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Decisions:
    """One element a place.

    ``relative_kept`` int32 is the place of the nearest relative that is kept, −1 for who is kept, and
    ``kinship_of_kept`` float64 the kinship with it; ``n_relatives`` int32, ``call_rate`` float64.
    """

    relative_kept: npt.NDArray[np.int32]
    kinship_of_kept: npt.NDArray[np.float64]
    n_relatives: npt.NDArray[np.int32]
    call_rate: npt.NDArray[np.float64]

    @property
    def is_kept(self) -> npt.NDArray[np.bool_]:
        return self.relative_kept < 0


def decide(
    people: People,
    relations: Relations,
    n_called: npt.NDArray[np.int64],
    n_sites: int,
    *,
    cases: Collection[str],
    prefer_call_rate: bool,
) -> Decisions:
    """Decide for each sample; ``n_called`` int64[people] of ``n_sites`` sites.

    Among equally good sets, and equally near relatives, the lower sample ids win.
    """
    n, rank = len(people), people.rank.astype(np.int64)
    place_of = np.argsort(rank)
    first, second = rank[relations.first], rank[relations.second]
    is_case = np.isin(np.array(people.sample_ids, object), list(cases)) if cases else np.zeros(n, np.bool_)
    called = n_called if prefer_call_rate else np.zeros(n, np.int64)
    is_kept = unrelated_set(n, first, second, is_case=is_case[place_of], n_called=called[place_of])
    nearest, kinship = _nearest_kept(n, first, second, relations.kinship, is_kept)
    relative = np.where(nearest < 0, -1, place_of[nearest]).astype(np.int32)
    n_relatives = np.bincount(np.concatenate([first, second]), minlength=n).astype(np.int32)
    return Decisions(relative[rank], kinship[rank], n_relatives[rank], n_called / n_sites)


def _nearest_kept(
    n: int,
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    kinship: npt.NDArray[np.float64],
    is_kept: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """By rank: that of the kept relative of the highest kinship, of equals the lowest; −1 for who is kept."""
    source, target = np.concatenate([first, second]), np.concatenate([second, first])
    value = np.concatenate([kinship, kinship])
    counts = is_kept[target] & ~is_kept[source]
    source, target, value = source[counts], target[counts], value[counts]
    order = np.lexsort((target, -value, source))
    left_out, place = np.unique(source[order], return_index=True)
    nearest, nearest_kinship = np.full(n, -1, np.int64), np.full(n, np.nan)
    nearest[left_out] = target[order][place]
    nearest_kinship[left_out] = value[order][place]
    return nearest, nearest_kinship
