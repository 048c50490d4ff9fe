"""Annotation by bcftools csq, as pysam bundles it.

The method is that of Danecek & McCarthy 2017 (doi:10.1093/bioinformatics/btx100). Each allele is judged by
itself (``-l``): sites have no haplotypes. A range of a contig is one call, in a process of its own, with the
genes that it reaches.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa

from allofus_spark.checksums import short
from allofus_spark.consequences.annotator import Annotator, Opened
from allofus_spark.consequences.assessable import why_not
from allofus_spark.consequences.checksums import checksum_of
from allofus_spark.consequences.csq_calls import MITOCHONDRIAL_CODE, Allele, CsqCall
from allofus_spark.consequences.csq_effects import EffectsOfAnswer
from allofus_spark.consequences.csq_process import BCFTOOLS_VERSION
from allofus_spark.consequences.genes import Genes, read_genes
from allofus_spark.consequences.rows import Coded, Effect, RowMaker
from allofus_spark.errors import SettingsError
from allofus_spark.genome import MITOCHONDRIAL, Build, ReferenceSequence
from allofus_spark.settings import Settings

CSQ = "csq"
# Raised when the rows made from csq's answer change.
_ROWS_VERSION = 2


def csq_annotator(settings: Settings, build: Build) -> Annotator:
    """The annotator of the settings' genes (consequences.gff3) and sequence (genome.reference_fasta).

    Reads both files whole, for their checksums. Raises SettingsError where one is not set, BadSource or
    BuildMismatch where the FASTA is not usable.
    """
    gff3, fasta = settings.consequences.gff3, settings.genome.reference_fasta
    if gff3 is None or fasta is None:
        named = (("consequences.gff3", gff3), ("genome.reference_fasta", fasta))
        missing = [name for name, value in named if value is None]
        raise SettingsError(
            f"bcftools csq needs genes and a sequence: set {' and '.join(missing)}, as in --set "
            f"{missing[0]}=FILE"
        )
    reference = ReferenceSequence(fasta, build)
    every_transcript = settings.consequences.every_transcript
    version = (
        f"bcftools csq {BCFTOOLS_VERSION} -l{' -G 1' if every_transcript else ''}, rows {_ROWS_VERSION}; "
        f"genes sha256:{short(checksum_of(gff3))}; "
        f"sequence sha256:{short(reference.checksum())}"
    )
    return Annotator(CSQ, version, partial(_open, gff3, reference, every_transcript))


def _open(gff3: str, reference: ReferenceSequence, every_transcript: bool) -> Opened:
    """Read the genes."""
    genes = read_genes(gff3, reference.build)
    warnings = list(reference.warnings)
    if genes.left_out:
        counted = ", ".join(f"{name} ({count})" for name, count in sorted(genes.left_out.items()))
        warnings.append(
            f"{gff3}: {sum(genes.left_out.values())} transcripts are left out, as csq does not know their "
            f"biotypes: {counted}"
        )
    return Opened(CsqOfContig(genes, reference, every_transcript), warnings)


@dataclass(frozen=True)
class CsqOfContig:
    """Rows of ``consequences`` of alleles of one contig; see `AnnotateAlleles`."""

    genes: Genes
    reference: ReferenceSequence = field(repr=False)
    every_transcript: bool = False

    def __call__(self, alleles: pa.RecordBatch) -> pa.RecordBatch:
        contig = alleles.column("contig")[0].as_py()
        has_genes = contig in self.genes
        reasons = why_not(alleles, self.reference, has_genes)
        maker = RowMaker(self.genes.of(contig).transcripts if has_genes else {})
        refused = {
            reason: maker.code([Effect(None, (), not_annotated=reason)])
            for reason in dict.fromkeys(reasons)
            if reason is not None
        }
        columns = (alleles.column(name).to_pylist() for name in ("position", "ref", "alt"))
        asked = [
            Allele(*values)
            for reason, values in zip(reasons, zip(*columns, strict=True), strict=True)
            if reason is None
        ]
        answered = iter(self._answers(contig, asked, maker))
        return maker.rows(
            alleles, [next(answered) if reason is None else refused[reason] for reason in reasons]
        )

    def _answers(self, contig: str, alleles: list[Allele], maker: RowMaker) -> list[Coded]:
        if not alleles:
            return []
        answer = EffectsOfAnswer(self._call(contig).answer(alleles), every_transcript=self.every_transcript)
        keys = answer.keys(alleles)
        coded = {key: maker.code(answer.effects(*key)) for key in dict.fromkeys(keys)}
        return [coded[key] for key in keys]

    def _call(self, contig: str) -> CsqCall:
        reference = self.reference
        region = reference.build.ploidy_regions(contig, np.array([1], np.int64))[0]
        return CsqCall(
            contig=contig,
            spelling=reference.spelling(contig),
            length=reference.length(contig) or 0,
            fasta=str(reference.path),
            code=MITOCHONDRIAL_CODE if region == MITOCHONDRIAL else (),
            genes=self.genes.of(contig).genes,
            every_transcript=self.every_transcript,
        )
