"""Cells of the variants of a release, out of every column whose meaning is known.

A cell is a group at a variant: AC, AN, homozygotes. Two of AC, homozygotes, carriers (sc) and heterozygotes
give the others; a frequency or a percentage times AN gives AC to within its digits; faf95 and AN give AC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import gammaincinv

from allofus_spark.disclosure.people import (
    UNKNOWN,
    Bounds,
    Copies,
    Flags,
    Ints,
    possible_homozygotes,
)
from allofus_spark.published import ALL

COUNTS = ("ac", "an", "n_hom", "sc", "n_het")
RATES = {"af": 1.0, "pct": 0.01, "percent": 0.01}
FAF = "faf95"
LEAST = "least"  # copies of alt, and of ref, that there must be: a row of associations is shown
REST = "the rest"  # of all, whoever is in no group that has an AN
_FAF_TAIL = 0.05
_DIGITS = 12  # a frequency with more is taken as exact to the last bit
_MIXED_CONTIGS = ("X", "Y", "M", "MT")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Conventions:
    """What a null tells, learned from what the release shows anywhere.

    ``zero_copies``: AC of 0 (or AN) is shown beside withheld cells, so that a withheld one is neither;
    ``small_zero``: the same of cells with few people called; ``zero_hom``, ``zero_ref_hom``: n_hom is shown
    where nobody is homozygous for alt, or for ref, though somebody carries it.
    """

    zero_copies: bool = False
    small_zero: bool = False
    zero_hom: bool = False
    zero_ref_hom: bool = False

    def __or__(self, other: Conventions) -> Conventions:
        return Conventions(
            self.zero_copies or other.zero_copies,
            self.small_zero or other.small_zero,
            self.zero_hom or other.zero_hom,
            self.zero_ref_hom or other.zero_ref_hom,
        )


@dataclass(frozen=True)
class Cells:
    """Cells of a batch of rows in one release, (rows, groups + 2): groups, the rest, and all.

    ``shown``, ``shown_hom``: of which AC, and homozygotes, follow from the row's own cell; ``present``: rows
    that the release has.
    """

    copies: Copies
    shown: Flags
    shown_hom: Flags
    present: Flags


def known_columns(names: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Columns among ``names`` that say something of a group's people."""
    suffixes = (*COUNTS, *RATES, FAF)
    wanted = {f"{group}_{suffix}" for group in (*groups, ALL) for suffix in suffixes}
    return [name for name in names if name in wanted or name in ("max_af", "max_af_group")]


def is_diploid(contigs: pa.Array) -> Flags:
    """Whether every call at the contig has two copies, by its name."""
    names = contigs.dictionary_encode() if not pa.types.is_dictionary(contigs.type) else contigs
    plain = [(name or "").removeprefix("chr").upper() for name in names.dictionary.to_pylist()]
    diploid = np.array([name not in _MIXED_CONTIGS for name in plain], bool)
    return np.asarray(diploid[names.indices.to_numpy()])


def conventions(columns: Mapping[str, Floats], groups: Sequence[str], floor: int) -> Conventions:
    """What the rows of a batch show that a rule could withhold."""
    learned = Conventions()
    withheld = np.zeros(len(next(iter(columns.values()))), bool)
    for name in (*groups, ALL):
        withheld |= np.isnan(_column(columns, name, "ac")) & (_column(columns, name, "an") > 0)
    for name in groups:
        ac, an, hom = (_column(columns, name, suffix) for suffix in ("ac", "an", "n_hom"))
        bare = (ac == 0) | (ac == an)
        inner, ref_hom = (hom >= 0) & (ac > 0) & (ac < an), an / 2 - ac + hom
        learned |= Conventions(
            zero_copies=bool((bare & (an > 2 * floor) & withheld).any()),
            small_zero=bool((bare & (an > 0) & (an <= 2 * floor) & withheld).any()),
            zero_hom=bool((inner & (hom == 0)).any()),
            zero_ref_hom=bool((inner & (ref_hom == 0)).any()),
        )
    return learned


def most_called(columns: Mapping[str, Floats], groups: Sequence[str]) -> dict[str, int]:
    """Highest AN of each group that has one, of all, and of all minus the groups."""
    ans = {name: _column(columns, name, "an") for name in (*groups, ALL)}
    rest = ans[ALL] - sum(np.nan_to_num(ans[name]) for name in groups)
    return {name: int(np.nanmax(an)) for name, an in (ans | {REST: rest}).items() if not np.isnan(an).all()}


def read_cells(
    columns: Mapping[str, Floats],
    groups: Sequence[str],
    diploid: Flags,
    told: Conventions,
    floor: int,
    earlier: Sequence[Cells] = (),
) -> Cells:
    """Cells of a batch by its columns, with what a null tells; ``earlier``: those of releases before."""
    names = (*groups, ALL)
    facts = [_facts(columns, name) for name in names]
    acs, homs, ans = (np.stack([fact[place] for fact in facts], axis=1) for place in range(3))
    an = np.where(np.isnan(ans), UNKNOWN, np.nan_to_num(ans)).astype(np.int64)
    known = ~np.isnan(acs[:, :, 0])
    told_of = np.where(an > 2 * floor, told.zero_copies, told.small_zero)
    told_of = told_of & np.any(known, axis=1, keepdims=True) & ~known & (an > 1) & (an < UNKNOWN)
    lo = (told_of & ~_may_have_moved(0 * an, an, earlier, floor)).astype(np.int64)
    hi = an - (told_of & ~_may_have_moved(an, an, earlier, floor))
    given = np.nan_to_num(acs).astype(np.int64)
    tested = np.stack([np.nan_to_num(_column(columns, name, LEAST)) for name in names], axis=1)
    least = np.where(diploid[:, None], tested, 0).astype(np.int64)  # of one copy each, tests may count two
    lo, hi = np.maximum(lo, least), np.minimum(hi, an - least)
    lo, hi = np.where(known, given[:, :, 0], lo), np.where(known, given[:, :, 1], hi)
    lo, hi, an, known = _with_rest(lo, hi, an, known)
    two = np.broadcast_to(diploid[:, None], an.shape) & ((an % 2 == 0) | (an >= UNKNOWN))
    cells = Copies(Bounds(lo, hi), possible_homozygotes(Bounds(lo, hi), an, two), an, two)
    homs = np.insert(homs, homs.shape[1] - 1, np.nan, axis=1)
    hom = _with_homozygotes(homs, cells, told, earlier, floor)
    present = np.asarray(~np.all(np.isnan(ans), axis=1))
    return Cells(Copies(cells.ac, hom, an, two), known & (lo == hi), ~np.isnan(homs), present)


def _may_have_moved(ac: Ints, an: Ints, earlier: Sequence[Cells], floor: int) -> Flags:
    """Cells that an earlier release shows, of which this AC would be withheld as it came so near.

    And ``all`` beside any earlier release: it is withheld for what the groups of two releases tell, too.
    """
    near = np.zeros(an.shape, bool)
    near[:, -1] = bool(earlier)
    for cells in earlier:
        # The rest has no column of its own.
        then, an_then, shown = (
            np.delete(values, -2, axis=1) for values in (cells.copies.ac.lo, cells.copies.an, cells.shown)
        )
        alt, alleles = np.abs(ac - then), np.abs(an - an_then)
        ref = np.abs((an - ac) - (an_then - then))
        near |= shown & ((alt <= floor) | (ref <= floor) | (alleles <= 4 * floor))
    return near


def _with_rest(lo: Ints, hi: Ints, an: Ints, known: Flags) -> tuple[Ints, Ints, Ints, Flags]:
    """The cells with the rest before the last: whoever is in all but in no group with an AN."""
    counted = np.where(an[:, :-1] < UNKNOWN, an[:, :-1], 0).sum(axis=1)
    rest = np.where(an[:, -1] < UNKNOWN, np.maximum(an[:, -1] - counted, 0), UNKNOWN)
    # A group without an AN is within the rest: it has no cell of its own.
    lone = an[:, :-1] >= UNKNOWN
    lo[:, :-1][lone & ~known[:, :-1]] = 0
    hi[:, :-1][lone & ~known[:, :-1]] = 0

    def put(values: Ints, column: Ints) -> Ints:
        return np.concatenate([values[:, :-1], column[:, None], values[:, -1:]], axis=1)

    nothing = np.zeros(len(rest), np.int64)
    shown = np.concatenate([known[:, :-1], (rest == 0)[:, None], known[:, -1:]], axis=1)
    return put(lo, nothing), put(hi, rest), put(an, rest), shown


def _with_homozygotes(
    homs: Floats, cells: Copies, told: Conventions, earlier: Sequence[Cells], floor: int
) -> Bounds:
    """Bounds of homozygotes with those shown, and with what a null tells of the others."""
    shown, (lo, hi) = ~np.isnan(homs), cells.hom
    exact = (cells.ac.lo == cells.ac.hi) & ~shown & cells.diploid & (cells.ac.lo > 0) & (cells.an < UNKNOWN)
    for release in earlier:
        exact &= ~release.shown_hom  # else it may be withheld for its change
    exact[:, -2:] = False  # the rest has no n_hom, and that of all hangs on others
    ac, ref = cells.ac.lo, cells.an - cells.ac.lo
    least = ac - cells.an // 2
    if told.zero_hom:
        lo = np.where(exact & (ac > floor) & (ac < cells.an), np.maximum(lo, 1), lo)
    if told.zero_ref_hom:
        lo = np.where(exact & (least > floor) & (ref > floor), np.maximum(lo, least + 1), lo)
    value = np.nan_to_num(homs).astype(np.int64)
    return Bounds(np.where(shown, value, lo), np.where(shown, value, hi))


def _facts(columns: Mapping[str, Floats], name: str) -> tuple[Floats, Floats, Floats]:
    """Of one group: bounds of AC (rows, 2), homozygotes, AN; NaN where not known."""
    ac, an, hom, sc, het = (_column(columns, name, suffix) for suffix in COUNTS)
    for _ in range(2):
        hom = _first(hom, ac - sc, (ac - het) / 2, sc - het)
        ac = _first(ac, sc + hom, het + 2 * hom)
    bounds = np.stack([ac, ac], axis=1)
    for suffix, unit in RATES.items():
        rate = _column(columns, name, suffix) * unit
        bounds = np.where(np.isnan(bounds), copies_by_rate(rate, an, unit), bounds)
    faf = _column(columns, name, FAF)
    hidden = np.isnan(bounds[:, 0]) & (faf > 0)
    if hidden.any():
        bounds[hidden] = _copies_by_faf(faf[hidden] * an[hidden])[:, None]
    by_max = np.isnan(bounds[:, 0]) & (columns.get(f"max_is_{name}", np.zeros(len(ac))) > 0)
    if by_max.any():
        bounds[by_max] = copies_by_rate(columns["max_af"][by_max], an[by_max], 1.0)
    low, high = _first(bounds[:, 0], sc), _first(bounds[:, 1], 2 * sc)
    return np.stack([low, high], axis=1), hom, an


def _column(columns: Mapping[str, Floats], name: str, suffix: str) -> Floats:
    found = columns.get(f"{name}_{suffix}")
    return found if found is not None else np.full(len(next(iter(columns.values()))), np.nan)


def _first(*values: Floats) -> Floats:
    """The first that is known, of each row."""
    answer = values[0]
    for value in values[1:]:
        answer = np.where(np.isnan(answer), value, answer)
    return answer


def copies_by_rate(rate: Floats, an: Floats, unit: float) -> Floats:
    """Bounds of AC (rows, 2) by a rate of so many digits: within half of the last digit."""
    shown = rate[~np.isnan(rate)] / unit
    digits = next((d for d in range(_DIGITS) if np.allclose(shown, np.round(shown, d), 1e-14, 0)), _DIGITS)
    slack = (0.5 * 10.0**-digits * unit if digits < _DIGITS else 0) + 1e-13
    low, high = np.ceil((rate - slack) * an - 1e-6), np.floor((rate + slack) * an + 1e-6)
    return np.stack([np.maximum(low, 0), np.minimum(high, an)], axis=1)


def _copies_by_faf(bound: Floats) -> Floats:
    """The AC of which faf95 × AN is this: gammaincinv(AC, 0.05), which rises with AC."""
    low, high = np.ones_like(bound), np.full_like(bound, 2.0**40)
    for _ in range(60):
        middle = (low + high) / 2
        below = gammaincinv(middle, _FAF_TAIL) < bound
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.rint(low)
