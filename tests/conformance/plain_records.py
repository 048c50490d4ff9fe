"""What the alleles of a VCF record are, by plain splits of its text and by pysam, call policy applied.

The files have no sex karyotypes, and no records on X or Y outside of the pseudoautosomal regions: two copies
are meant everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pysam

from tests.cases.plain_ingest import HOM_REF, MISSING

DROPPED = ("*", "<*>", "<NON_REF>")
Gt = Sequence[int | None]


class PlainAllele(NamedTuple):
    """One allele as written, and its calls as they must be stored."""

    chrom: str
    pos: int
    ref: str
    alts: str
    allele: int
    calls: list[int]

    @property
    def key(self) -> tuple[int, str, str]:
        """Position, ref and alt after trimming; other alternates than bases as written."""
        return trimmed(self.pos, self.ref, self.alts.split(",")[self.allele - 1])


def trimmed(pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    if not alt.isalpha():
        return pos, ref, alt
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return pos, ref, alt


def stored_call(gt: Gt | None, allele: int) -> int:
    """Two alleles, both called, are a call; everything else is missing."""
    if gt is None or len(gt) != 2 or None in gt:
        return MISSING
    return HOM_REF + sum(number == allele for number in gt)


def _alleles(chrom: str, pos: int, ref: str, alts: str, gts: Sequence[Gt | None]) -> Iterator[PlainAllele]:
    for allele, alt in enumerate(alts.split(","), 1):
        if alt not in DROPPED and alts != ".":
            calls = [stored_call(gt, allele) for gt in gts]
            yield PlainAllele(chrom, pos, ref, alts, allele, calls)


def alleles_by_pysam(path: Path) -> Iterator[list[PlainAllele]]:
    """The alleles of each record."""
    with pysam.VariantFile(str(path)) as file:
        for record in file:
            gts = [sample.get("GT") for sample in record.samples.values()]
            alts = ",".join(record.alts or ["."])
            yield list(_alleles(record.chrom, record.pos, record.ref, alts, gts))


def alleles_of_line(line: str) -> list[PlainAllele]:
    """The alleles of a record, from its text."""
    chrom, pos, _, ref, alts, _, _, _, *rest = line.split("\t")
    gts: list[Gt | None] = []
    if rest:
        keys = rest[0].split(":")
        for field in rest[1:]:
            values = dict(zip(keys, field.split(":"), strict=False))
            gts.append(_gt(values["GT"]) if "GT" in values else None)
    return list(_alleles(chrom, int(pos), ref, alts, gts))


def _gt(text: str) -> list[int | None]:
    return [None if allele == "." else int(allele) for allele in text.replace("|", "/").split("/")]
