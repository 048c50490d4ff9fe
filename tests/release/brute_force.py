"""A reader with time: every whole-number assignment that fits what releases of a tiny cohort show.

Written apart from the kernel: nothing here is a bound or a formula, everything is enumerated.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from allofus_spark.release.cells import Counts, Shown

Rows = list[int]


@dataclass
class Page:
    """What one release shows of one variant: None is withheld. Lists are ``all`` first, then the groups."""

    ac: list[int | None]
    an: list[int | None]
    n_hom: list[int | None]
    people: Rows

    def columns(self) -> list[int | None]:
        """Allele numbers of groups that are shown at the site (else None), and of the remainder."""
        groups = self.an[1:]
        return [*groups, (self.an[0] or 0) - sum(an for an in groups if an is not None)]


def pages(counts: Counts, shown: Shown) -> list[Page]:
    """The pages of a release, a variant each."""
    made = []
    for row in range(len(counts.ac)):
        cells = [
            [int(value) if mask else None for value, mask in zip(values[row], masks[row], strict=True)]
            for values, masks in (
                (counts.ac, shown.ac),
                (counts.an, shown.an),
                (counts.n_hom, shown.n_hom),
            )
        ]
        made.append(Page(*cells, counts.people.tolist()))
    return made


def alleles_that_fit(page: Page) -> np.ndarray:
    """int[fits, columns] of alt alleles, of the groups and of the remainder."""
    choices = []
    for an, ac in zip(page.columns(), [*page.ac[1:], None], strict=True):
        if an is None:
            choices.append([0])  # part of the remainder
        elif ac is not None:
            choices.append([ac])
        else:
            choices.append(list(range(1, an)))
    choices[-1] = list(range((page.columns()[-1] or 0) + 1))
    fits = np.array(list(itertools.product(*choices))).reshape(-1, len(choices))
    totals = fits.sum(axis=1)
    if page.ac[0] is not None:
        return fits[totals == page.ac[0]]
    return fits[(totals >= 1) & (totals <= (page.an[0] or 0) - 1)]


def told_of_people(page: Page, floor: int) -> list[str]:
    """Quantities of people that what is shown of a diploid variant bounds to 1..floor."""
    fits = alleles_that_fit(page)
    sizes = [(an or 0) // 2 for an in page.columns()]
    told: list[str] = []
    for column, size in enumerate(sizes):
        told += _of_union(fits, page, [column], [size], floor)
    for width in range(2, len(sizes) + 1):
        for union in itertools.combinations(range(len(sizes)), width):
            told += _of_union(fits, page, list(union), [sizes[column] for column in union], floor)
    return told


def _of_union(fits: np.ndarray, page: Page, union: Rows, sizes: Rows, floor: int) -> list[str]:
    """Ranges over all fits, and over all numbers of homozygotes that each allows."""
    low: dict[str, list[int]] = {"carriers": [], "homozygotes": [], "hets": [], "hom refs": [], "refs": []}
    high: dict[str, list[int]] = {name: [] for name in low}
    alt = fits[:, union]
    # Whoever is in a group that is known not to carry is known from the allele number: no new count.
    counted = (alt != 0).any(axis=0)
    for fit in np.unique(alt, axis=0):
        least, most = np.zeros(5, int), np.zeros(5, int)
        for column, ac, size, is_counted in zip(union, fit.tolist(), sizes, counted, strict=True):
            if not is_counted:
                continue
            n_hom = page.n_hom[1 + column] if column < len(page.n_hom) - 1 else None
            possible = range(max(0, ac - size), ac // 2 + 1) if n_hom is None else [n_hom]
            values = [(ac - m, m, ac - 2 * m, size - ac + m, size - m) for m in possible]
            least += np.min(values, axis=0)
            most += np.max(values, axis=0)
        for name, lowest, highest in zip(low, least, most, strict=True):
            low[name].append(int(lowest))
            high[name].append(int(highest))
    return [
        f"{name} of columns {union}: {min(low[name])} to {max(high[name])}"
        for name in low
        if low[name] and min(low[name]) >= 1 and max(high[name]) <= floor
    ]


def told_of_change(one: Page, other: Page, same: Rows, floor: int) -> list[str]:
    """Changes of 1..floor alleles of columns, of ``all``, and of what both leave out; and what one tells.

    ``same``: columns with the same people in both, and so the same alleles.
    """
    first, second = alleles_that_fit(one), alleles_that_fit(other)
    pairs = np.ones((len(first), len(second)), bool)
    for column in same:
        pairs &= first[:, column][:, None] == second[:, column][None, :]
    firsts, seconds = np.nonzero(pairs)
    told = []
    change = first[firsts] - second[seconds]
    known = [column for column in range(change.shape[1]) if len(np.unique(change[:, column])) == 1]
    rest = [column for column in range(change.shape[1]) if column not in known]
    unions = (
        [[column] for column in range(change.shape[1])] + [list(range(change.shape[1]))] + [rest] * bool(rest)
    )
    for union in unions:
        values = np.unique(change[:, union].sum(axis=1))
        if len(values) and (
            set(values) <= set(range(1, floor + 1)) or set(-values) <= set(range(1, floor + 1))
        ):
            told.append(f"change of columns {union}: {values.tolist()}")
    for page, fits in ((one, first[np.unique(firsts)]), (other, second[np.unique(seconds)])):
        for column, an in enumerate(page.columns()):
            alt = set(fits[:, column].tolist())
            ref = {(an or 0) - ac for ac in alt}
            few = set(range(1, floor + 1))
            if alt and (alt <= few or (ref <= few and alt != {0})):
                told.append(f"copies of column {column}: alt {sorted(alt)}, ref {sorted(ref)}")
    return told
