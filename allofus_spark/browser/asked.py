"""What people ask for, read strictly: what is no place, name or number is refused with a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from allofus_spark.errors import AllofusError, BuildMismatch, readable
from allofus_spark.genome import Build, parse_variant_id

_POSITION = re.compile(r"[0-9]{1,10}|[0-9]{1,3}(,[0-9]{3}){1,3}")
_REGION = re.compile(r"(?P<contig>[^:]{1,60}):(?P<first>[^-]{1,20})(-(?P<last>[^-]{1,20}))?")
# A position with thousands, _ or blanks between, G>A.
_SPELLED = re.compile(
    r"(?P<contig>[^\s\[\]<>]+?)[-:_\s](?P<position>[0-9,]+)[-:_\s](?P<ref>[A-Za-z]+)[-:_\s>](?P<alt>\S+)"
)
_RS_NUMBER = re.compile(r"rs([0-9]{1,15})", re.IGNORECASE)
_BASES = re.compile(r"[ACGTN]+")


class Refused(AllofusError):
    """A request that cannot be answered: ``status`` is that of HTTP, the text a sentence for people."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Allele:
    """An allele as named, its contig as the build spells it."""

    contig: str
    position: int
    ref: str
    alt: str


@dataclass(frozen=True)
class Region:
    """Positions of a contig, 1-based, both ends included."""

    contig: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.contig}:{self.first}-{self.last}"


def read_contig(text: str, build: Build) -> str:
    """The build's spelling of a contig; refuses one that it lacks."""
    try:
        contig = build.canonical_contig(text)
    except BuildMismatch as error:
        raise Refused(400, f"{error}.") from None
    if contig not in build.contig_lengths:
        raise Refused(
            400, f"{readable(text)} is no contig of {build.name}. Write one such as 22, chr22 or X."
        )
    return contig


def read_position(text: str, what: str) -> int:
    """A position, 1 or more, with or without commas at its thousands."""
    if not _POSITION.fullmatch(text.strip()):
        raise Refused(400, f"{what} {readable(text)} is no position: write a whole number, 1 or more.")
    position = int(text.strip().replace(",", ""))
    if position < 1:
        raise Refused(400, f"{what} {position} is before the contig: positions count from 1.")
    return position


def read_allele(text: str, build: Build) -> Allele | None:
    """The allele that a text names in any usual spelling, trimmed; None: it names none."""
    parts = parse_variant_id(text.strip())
    if parts is None:
        spelled = _SPELLED.fullmatch(text.strip())
        if spelled is None or not _POSITION.fullmatch(spelled["position"]):
            return None
        position = int(spelled["position"].replace(",", ""))
        parts = (spelled["contig"], position, spelled["ref"], spelled["alt"])
    contig, position, ref, alt = parts
    ref, alt = (allele.upper() if allele.isalpha() else allele for allele in (ref, alt))
    return trimmed(Allele(read_contig(contig, build), position, ref, alt))


def trimmed(allele: Allele) -> Allele:
    """Without bases that ref and alt share at their ends, but one.

    >>> trimmed(Allele("chr1", 10, "CAT", "CGT"))
    Allele(contig='chr1', position=11, ref='A', alt='G')
    """
    ref, alt, position = allele.ref, allele.alt, allele.position
    if ref == alt or not (_BASES.fullmatch(ref) and _BASES.fullmatch(alt)):
        return allele
    while min(len(ref), len(alt)) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while min(len(ref), len(alt)) > 1 and ref[0] == alt[0]:
        ref, alt, position = ref[1:], alt[1:], position + 1
    return Allele(allele.contig, position, ref, alt)


def read_rs_number(text: str) -> int | None:
    """The number of ``rs`` and digits; None: the text is something else."""
    parts = _RS_NUMBER.fullmatch(text.strip())
    return int(parts[1]) if parts else None


def read_region(text: str, build: Build, most_bases: int) -> Region | None:
    """The region that ``CONTIG:FIRST-LAST`` or ``CONTIG:POSITION`` names; None: it is no such text."""
    parts = _REGION.fullmatch(text.strip())
    if parts is None or read_rs_number(text) is not None:
        return None
    contig = read_contig(parts["contig"].strip(), build)
    first = read_position(parts["first"], "Start")
    last = read_position(parts["last"], "End") if parts["last"] else first
    return checked(Region(contig, first, last), build, most_bases)


def checked(region: Region, build: Build, most_bases: int) -> Region:
    """The region, its end within the contig; refuses one that is turned around, outside, or too long."""
    length = build.contig_lengths[region.contig]
    if region.last < region.first:
        raise Refused(400, f"The region ends at {region.last:,}, before its start at {region.first:,}.")
    if region.first > length:
        raise Refused(
            400, f"{region.contig} of {build.name} has {length:,} bases; {region.first:,} is past its end."
        )
    last = min(region.last, length)
    if last - region.first + 1 > most_bases:
        raise Refused(
            400,
            f"The region has {last - region.first + 1:,} bases; at most {most_bases:,} are shown at once.",
        )
    return Region(region.contig, region.first, last)
