"""Counting on sex chromosomes and the mitochondrion, restated in plain Python: one person, one call."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

# Copies that are meant, by region and sex karyotype; other and not known ("") are not counted on X and Y.
MEANT = {
    "autosome": {"XX": 2, "XY": 2, "other": 2, "": 2},
    "X": {"XX": 2, "XY": 1, "other": 0, "": 0},
    "Y": {"XX": 0, "XY": 1, "other": 0, "": 0},
    "MT": {"XX": 1, "XY": 1, "other": 1, "": 1},
}


def counted_call(gt: str, alt: int, copies_meant: int) -> tuple[int, int] | None:
    """(alt copies, alleles called) of one person; None where the call is missing or not counted."""
    alleles = re.split("[/|]", gt)
    called = [int(allele) for allele in alleles if allele != "."]
    if copies_meant == 0 or not called or len(alleles) > 2:
        return None
    if copies_meant == 2:
        return (called.count(alt), 2) if len(called) == 2 else None
    if len(called) == 2 and (called[0] == alt) != (called[1] == alt):
        return None
    return int(called[0] == alt), 1


def plain_counts(calls: Iterable[tuple[str, int]], alt: int) -> dict[str, int]:
    """Counts of some people, each given as (GT, copies meant)."""
    kinds: Counter[tuple[int, int]] = Counter()
    for gt, copies_meant in calls:
        counted = counted_call(gt, alt, copies_meant)
        if counted is not None:
            kinds[counted] += 1
    het, hom, hemi = kinds[1, 2], kinds[2, 2], kinds[1, 1]
    return {
        "ac": het + 2 * hom + hemi,
        "an": 2 * (kinds[0, 2] + het + hom) + kinds[0, 1] + hemi,
        "sc": het + hom + hemi,
        "n_hom": hom,
        "n_hemi": hemi,
    }


def missing_by_policy(gt: str, region: str, sex: str) -> str | None:
    """The rule that makes a called GT missing at ingest: half, haploid or polyploid."""
    alleles = re.split("[/|]", gt)
    n_called = sum(allele != "." for allele in alleles)
    one_meant = region == "MT" or (region in ("X", "Y") and sex == "XY")
    if n_called == 0:
        return None
    if len(alleles) > 2:
        return "polyploid"
    if len(alleles) == 2 and n_called == 1 and not one_meant:
        return "half"
    if len(alleles) == 1 and (region == "autosome" or (region == "X" and sex == "XX")):
        return "haploid"
    return None
