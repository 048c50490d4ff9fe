"""What bcftools csq says of alleles: files in, files out, every allele accounted for.

Alleles go in as a VCF without samples, with their row number as ID. csq's limits on consequences (``-n``) are
on those of samples; INFO holds them all.
"""

from __future__ import annotations

import gzip
import re
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from allofus_spark.consequences.csq_process import CsqFailure, CsqHangs, run_csq
from allofus_spark.consequences.gff3 import Gene
from allofus_spark.errors import AnnotationFailed

# csq looks one base past an allele, and 8 bases past an exon.
_MARGIN_BASES = 100
_TAG = "BCSQ="
_SHOWN_BASES = 20
# NCBI's genetic code 2, vertebrate mitochondrial.
MITOCHONDRIAL_CODE = ("-C", "2")


class Allele(NamedTuple):
    """An allele of bases; ``position`` is 1-based."""

    position: int
    ref: str
    alt: str


class CsqTranscript(NamedTuple):
    """A transcript as csq has read it: 0-based first and last base, id, and csq's name of its biotype."""

    first: int
    last: int
    transcript_id: str
    biotype: str


class Answer(NamedTuple):
    """Of each allele the text of BCSQ (None: csq is silent), and the transcripts that csq knew."""

    texts: list[str | None]
    transcripts: list[CsqTranscript]


@dataclass(frozen=True)
class CsqCall:
    """How csq is called on one contig.

    ``contig`` is the build's name of it, for messages; ``spelling`` the FASTA's; ``length`` in bases.
    """

    contig: str
    spelling: str
    length: int
    fasta: str
    code: tuple[str, ...]
    genes: Sequence[Gene]
    every_transcript: bool = False

    def answer(self, alleles: Sequence[Allele]) -> Answer:
        """csq's answer for alleles in order of position.

        Raises AnnotationFailed naming the allele that csq fails on, with csq's own message, or the temp
        folder where its files cannot be there.
        """
        try:
            return self._ask(alleles)
        except CsqHangs as failure:
            raise AnnotationFailed(
                f"bcftools csq failed at {self._range(alleles)}, on {len(alleles)} alleles together: "
                f"{failure}; lower consequences.variants_per_range to find the variant"
            ) from None
        except CsqFailure as failure:
            raise self._named(alleles, failure) from None

    def _ask(self, alleles: Sequence[Allele]) -> Answer:
        try:
            return self._ask_in_files(alleles)
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or error
            raise AnnotationFailed(
                f"bcftools csq could not be asked at {self._range(alleles)}: its files cannot be written to "
                f"{_temp_folder()}: {reason}; make room there, or set TMPDIR to a folder that has it"
            ) from None

    def _ask_in_files(self, alleles: Sequence[Allele]) -> Answer:
        genes = self._genes_at(alleles)
        if not genes:
            return Answer([None] * len(alleles), [])
        with tempfile.TemporaryDirectory(prefix="allofus-csq-") as name:
            folder = Path(name)
            gff3, vcf, answer = folder / "genes.gff3", folder / "alleles.vcf", folder / "answer.vcf"
            known = folder / "known.gff3.gz"
            lines = "\n".join(gene.lines for gene in genes)
            gff3.write_text(self.spelling + lines.replace("\n", f"\n{self.spelling}") + "\n")
            vcf.write_text(self._vcf(alleles))
            greedy = ("-G", "1") if self.every_transcript else ()
            options = [
                "-l",
                *greedy,
                "-v",
                "0",
                "--no-version",
                *self.code,
                "-f",
                self.fasta,
                "-g",
                str(gff3),
            ]
            run_csq([*options, "--dump-gff", str(known), str(vcf)], answer)
            return Answer(_texts(answer, len(alleles)), _transcripts(known))

    def _genes_at(self, alleles: Sequence[Allele]) -> list[Gene]:
        first = alleles[0].position - _MARGIN_BASES
        last = max(allele.position + len(allele.ref) for allele in alleles) + _MARGIN_BASES
        return [gene for gene in self.genes if gene.first <= last and gene.last >= first]

    def _vcf(self, alleles: Sequence[Allele]) -> str:
        head = f"##fileformat=VCFv4.2\n##contig=<ID={self.spelling},length={self.length}>\n"
        columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        lines = [
            f"{self.spelling}\t{position}\t{row}\t{ref}\t{alt}\t.\t.\t.\n"
            for row, (position, ref, alt) in enumerate(alleles)
        ]
        return "".join([head, columns, *lines])

    def _range(self, alleles: Sequence[Allele]) -> str:
        return f"{self.contig}:{alleles[0].position}-{alleles[-1].position}"

    def _named(self, alleles: Sequence[Allele], failure: CsqFailure) -> AnnotationFailed:
        """The failure with the allele that brings it about, found by halving."""
        while len(alleles) > 1:
            middle = len(alleles) // 2
            for half in (alleles[:middle], alleles[middle:]):
                try:
                    self._ask(half)
                except CsqFailure as again:
                    alleles, failure = half, again
                    break
            else:
                return AnnotationFailed(
                    f"bcftools csq failed at {self._range(alleles)}, on {len(alleles)} alleles together and "
                    f"on neither half: {failure}"
                )
        position, ref, alt = alleles[0]
        return AnnotationFailed(
            f"bcftools csq failed at {self.contig}:{position} {_shown(ref)}>{_shown(alt)}: {failure}"
        )


def _temp_folder() -> str:
    try:
        return f"the temp folder {tempfile.gettempdir()}"
    except OSError:  # whose text says where it was looked for
        return "a temp folder"


def _texts(answer: Path, n_alleles: int) -> list[str | None]:
    """Text of BCSQ by row number; raises CsqFailure unless every allele is there once."""
    texts: list[str | None] = [None] * n_alleles
    seen = [0] * n_alleles
    with answer.open() as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            fields = line.rstrip("\n").split("\t", 8)
            row, about = int(fields[2]), fields[7]
            seen[row] += 1
            if about.startswith(_TAG):
                texts[row] = about[len(_TAG) :]
    if seen.count(1) != n_alleles:
        raise CsqFailure(f"it gave {sum(seen)} records for {n_alleles} alleles")
    return texts


_DUMPED = re.compile(r"ID=([^;]*);Parent=[^;]*;biotype=([^;]*);")


def _transcripts(known: Path) -> list[CsqTranscript]:
    """Transcripts of what csq dumps of the genes that it has read."""
    transcripts = []
    with gzip.open(known, "rt") as lines:
        for line in lines:
            fields = line.split("\t")
            about = _DUMPED.match(fields[8])
            if about is not None:
                transcripts.append(CsqTranscript(int(fields[3]) - 1, int(fields[4]) - 1, about[1], about[2]))
    return transcripts


def _shown(bases: str) -> str:
    return bases if len(bases) <= _SHOWN_BASES else f"{bases[:_SHOWN_BASES]}… ({len(bases)} bases)"
