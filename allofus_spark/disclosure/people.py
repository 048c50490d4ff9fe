"""Counts of people that follow from copies of an allele.

Of K people called at a diploid site (AN = 2K) with AC copies of alt: m homozygotes, h heterozygotes,
AC = h + 2m, and K − h − m homozygotes of ref. Where AC is known to lie in an interval, each count lies in
one too; its ends are reached, so that it is the smallest that holds the truth. Where some calls may be of one
copy (X, Y, MT), a carrier holds one copy or two, and K is not known.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
UNKNOWN = np.int64(2**40)  # an AN that is not known: more than there are people


class Bounds(NamedTuple):
    """Lowest and highest value, both possible; arrays of one shape."""

    lo: Ints
    hi: Ints


class Copies(NamedTuple):
    """What is known of a cell: bounds of AC and of homozygotes, AN, and whether every call has two copies."""

    ac: Bounds
    hom: Bounds
    an: Ints
    diploid: Flags


def half_up(values: Ints) -> Ints:
    """Half of values, rounded up."""
    return -(-values // 2)


def possible_homozygotes(ac: Bounds, an: Ints, diploid: Flags) -> Bounds:
    """Homozygotes of alt, by AC alone: from max(0, AC − K) to AC / 2."""
    lowest = np.where(diploid, np.maximum(ac.lo - an // 2, 0), 0)
    return Bounds(lowest, np.maximum(ac.hi, 0) // 2)


def counts_of_people(cells: Copies) -> dict[str, Bounds]:
    """Bounds of each count of people in cells.

    Heterozygotes are whoever has one copy: where calls may be of one copy, those too. Where AC may be 0,
    people with ref may be all of the denominator, which is public: they are given from 0.
    """
    (lo, hi), hom, an, diploid = cells
    called = np.where(diploid, an // 2, an)
    ref_lo, ref_hi = np.maximum(an - hi, 0), an - lo
    carriers = Bounds(np.maximum(half_up(lo), lo - hom.hi), np.minimum(np.minimum(hi, called), hi - hom.lo))
    ref_carriers = Bounds(half_up(ref_lo), np.minimum(np.where(diploid, called - hom.lo, ref_hi), ref_hi))
    exact_odd = (lo == hi) & (lo % 2 == 1)
    het = Bounds(
        np.maximum(np.maximum(lo - 2 * hom.hi, 0), exact_odd & diploid),
        np.minimum(hi - 2 * hom.lo, np.minimum(np.minimum(hi, ref_hi), called)),
    )
    from_zero = lo <= 0
    ref_hom = Bounds(
        np.where(diploid & ~from_zero, np.maximum(called - carriers.hi, 0), 0),
        np.minimum(ref_hi // 2, np.where(diploid, called - carriers.lo, ref_hi)),
    )
    return {
        "carriers": carriers,
        "homozygotes": hom,
        "heterozygotes": het,
        "carriers of ref": Bounds(np.where(from_zero, 0, ref_carriers.lo), ref_carriers.hi),
        "homozygotes of ref": ref_hom,
    }


def within(bounds: Bounds, floor: int) -> Flags:
    """Whether every value lies in 1..floor."""
    return (bounds.lo >= 1) & (bounds.hi <= floor) & (bounds.lo <= bounds.hi)


def small_either_way(bounds: Bounds, floor: int) -> Flags:
    """Whether every value of a change lies in 1..floor, or every one in −floor..−1."""
    return within(bounds, floor) | within(Bounds(-bounds.hi, -bounds.lo), floor)
