"""Contig names and the trimmed form of an allele, restated in plain Python."""

from __future__ import annotations

import re

Key = tuple[str, int, str, str]

_SEQUENCE = re.compile("[ACGTN]+", re.IGNORECASE)
_DROPPED = ("*", "<*>", "<NON_REF>")


def is_sequence(allele: str) -> bool:
    return _SEQUENCE.fullmatch(allele) is not None


def is_dropped(alt: str) -> bool:
    """Whether an ALT stands for no allele of its own."""
    return alt in _DROPPED


def plain_contig(spelling: str, build: str) -> str:
    """chr1 ... chrM on GRCh38, 1 ... MT on GRCh37."""
    short = spelling.removeprefix("chr")
    short = "MT" if short == "M" else short
    if build == "GRCh37":
        return short
    return "chrM" if short == "MT" else f"chr{short}"


def plain_trim(position: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Shared bases cut from the right, then the left; one base of each allele stays. Symbolic ones stay."""
    if not is_sequence(alt):
        return position, ref, alt
    while min(len(ref), len(alt)) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while min(len(ref), len(alt)) > 1 and ref[0] == alt[0]:
        position, ref, alt = position + 1, ref[1:], alt[1:]
    return position, ref, alt


def plain_key(chrom: str, position: int, ref: str, alt: str, build: str) -> Key:
    return (plain_contig(chrom, build), *plain_trim(position, ref.upper(), alt))
