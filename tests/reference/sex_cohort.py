"""A simulated cohort with every coding of calls on autosomes, PAR, X, Y and MT, GRCh38.

Styles of a record: ``clean`` has whole calls of the ploidy that is meant; ``half`` has half calls besides;
``het`` has hets of XY on X and Y, and of anyone on MT, besides; ``odd`` has anything.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .plain_calls import plain_region
from .vcf_text import Record

SEXES = {
    f"S{number:03d}": ("XX", "XY", "XX", "XY", "XX", "XY", "other", "")[number % 8] for number in range(96)
}
SAMPLES = list(SEXES)
ANCESTRIES = [("AFR", "eur", "Sas", "")[number % 4] for number in range(5, 101)]
BUILD = "GRCh38"

# Ends of the regions, and places inside: PAR1 is X and Y 10,001-2,781,479, PAR2 of X 155,701,383-156,030,895.
POSITIONS = {
    "chr7": (50_000, 60_000),
    "chrX": (10_001, 1_500_000, 2_781_479, 2_781_480, 75_000_000, 155_701_382, 155_701_383, 156_030_895),
    "chrY": (10_001, 2_781_479, 2_781_480, 20_000_000, 56_887_902, 56_887_903, 57_217_415),
    "chrM": (73, 16_569),
}
STYLES = ("clean", "half", "het", "odd")
_DIPLOID = ("0/0", "0/1", "1/0", "0|1", "1/1", "./.")
_DIPLOID_TWO_ALTS = ("0/2", "1/2", "2|2", "2/1")
_HAPLOID = ("0", "1", "0/0", "1/1", "1|1", ".", "./.")
_HAPLOID_TWO_ALTS = ("2", "2/2")
_HALF = ("./1", "1/.", "0/.", ".|0")
_HET = ("0/1", "1|0")
_ODD = ("0", "1", ".", "0/1/1", "././.", "1/1/1", ".|1|.")


class SexRecord(NamedTuple):
    record: Record
    region: str
    style: str


def simulate(seed: int) -> list[SexRecord]:
    """Each style with one and two alts at (or 1 base beside) each position, in positional order."""
    rng = np.random.default_rng(seed)
    records = []
    for contig, positions in POSITIONS.items():
        places = {place + step: None for place in positions for step in _steps(contig, place)}
        for number, position in enumerate(sorted(places)):
            region = plain_region(contig, position, BUILD)
            style, two_alts = STYLES[number % 4], number // 4 % 2 == 1
            gts = [str(rng.choice(_pool(style, two_alts, region, sex))) for sex in SEXES.values()]
            record = Record(contig, position, "A", "C,T" if two_alts else "G", gts)
            records.append(SexRecord(record, region, style))
    return records


def _steps(contig: str, place: int) -> range:
    """Eight neighbouring positions on the same side of a region's end."""
    ends_here = plain_region(contig, place, BUILD) != plain_region(contig, place + 8, BUILD)
    return range(-7, 1) if ends_here or place == 16_569 else range(8)


def _pool(style: str, two_alts: bool, region: str, sex: str) -> tuple[str, ...]:
    one_meant = region == "MT" or (region in ("X", "Y") and sex == "XY")
    pool: tuple[str, ...] = _HAPLOID if one_meant else _DIPLOID
    if two_alts:
        pool += _HAPLOID_TWO_ALTS if one_meant else _DIPLOID_TWO_ALTS
    if style == "half":
        pool += _HALF + (("2/.", "./2") if two_alts else ())
    if style == "het" and one_meant:
        pool += _HET + (("1/2", "0/2") if two_alts else ())
    if style == "odd":
        pool += _DIPLOID + _HAPLOID + _HALF + _ODD + (("2", "1/2", "./2") if two_alts else ())
    return pool
