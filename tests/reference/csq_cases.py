"""bcftools' own test cases of csq: alleles, genes and stored answers, each case on a contig of its own."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pysam

# (position, ref, alt), as written in a case's VCF
Written = tuple[int, str, str]

_GAP_BASES = 1_000
# bcftools refuses the genes without --force: their phase is not that of the lengths.
OUT_OF_PHASE = ("ribosomal-slippage",)


@dataclass
class Case:
    """One contig of a folder, with the genes of one GFF3 and the alleles of all VCFs there.

    ``contig`` is a name of its own, ``written`` the name in the folder's files; ``offset`` bases come before
    it on ``contig``.
    """

    contig: str
    written: str
    folder: Path
    gff3: Path
    alleles: set[Written]
    offset: int = 0

    @property
    def sequence(self) -> str:
        (fasta,) = self.folder.glob("*.fa")
        with pysam.FastaFile(str(fasta)) as held:
            sequence: str = held.fetch(self.written)
        return sequence

    @property
    def gff3_lines(self) -> list[str]:
        """Lines of the GFF3, moved to ``contig``."""
        rows = [line.split("\t") for line in self.gff3.read_text().splitlines() if line and line[0] != "#"]
        return [
            "\t".join((self.contig, *row[1:3], *(str(int(end) + self.offset) for end in row[3:5]), *row[5:]))
            for row in rows
            if row[0] == self.written
        ]

    @property
    def moved_alleles(self) -> list[Written]:
        return [(position + self.offset, ref, alt) for position, ref, alt in sorted(self.alleles)]


def find_cases(folder: Path) -> list[Case]:
    cases = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        alleles: dict[str, set[Written]] = {}
        for vcf in sorted(place.glob("*.vcf")):
            for contig, allele in alleles_of(vcf):
                alleles.setdefault(contig, set()).add(allele)
        for gff3 in sorted(place.glob("*.gff")):
            for written, held in alleles.items():
                if gff3.stem not in OUT_OF_PHASE:
                    own = place.name if gff3.stem == place.name else f"{place.name}_{gff3.stem}"
                    cases.append(Case(own + f"_{written}", written, place, gff3, held))
    return cases


def end_to_end(cases: Iterable[Case]) -> list[Case]:
    """The cases on few contigs, with unknown bases between; those about a contig's ends, and those
    with genes that reach past it, keep their own.

    No id of a gene or transcript stands twice on a contig.
    """
    ids: list[set[str]] = []
    ends: list[int] = []
    placed = []
    for case in cases:
        ends_of_lines = [int(end) for line in case.gff3_lines for end in line.split("\t")[3:5]]
        reaches_out = min(ends_of_lines) < 1 or max(ends_of_lines) > len(case.sequence)
        if reaches_out or case.folder.name.startswith("EDUMMY"):
            placed.append(case)
            continue
        mine = set(re.findall(r"ID=([^;\s]+)", "\n".join(case.gff3_lines)))
        number = next((number for number, held in enumerate(ids) if not held & mine), len(ids))
        if number == len(ids):
            ids.append(set())
            ends.append(0)
        ids[number] |= mine
        placed.append(replace(case, contig=f"joined{number + 1}", offset=ends[number]))
        ends[number] += len(case.sequence) + _GAP_BASES
    return placed


def sequences_of(cases: Iterable[Case]) -> dict[str, str]:
    """The sequence of each contig."""
    sequences: dict[str, str] = {}
    for case in cases:
        before = sequences.get(case.contig, "")
        sequences[case.contig] = before.ljust(case.offset, "N") + case.sequence
    return sequences


def alleles_of(vcf: Path) -> Iterator[tuple[str, Written]]:
    """(contig, allele) of each allele of bases of a VCF, plain or gzip."""
    with gzip.open(vcf, "rt") if vcf.suffix == ".gz" else vcf.open() as lines:
        for line in lines:
            if not line.startswith("#"):
                contig, position, _, ref, alts, *_ = line.rstrip("\n").split("\t")
                for alt in alts.split(","):
                    if set(alt) <= set("ACGTN") and alt != ref:
                        yield contig, (int(position), ref, alt)


def stored_answers(file: Path) -> list[tuple[Written, str]]:
    """(allele as written, text of BCSQ; "": none) of a .txt or .txt-l file: the second of each two lines."""
    lines = [line.split("\t") for line in file.read_text().splitlines() if line.strip()]
    return [
        ((int(position), ref, alt), "" if text == "." else text) for position, ref, alt, text in lines[1::2]
    ]
