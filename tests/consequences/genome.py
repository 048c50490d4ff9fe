"""A small genome with a gene that can be reckoned by hand, on three contigs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pysam

from allofus_spark.consequences.csq import CsqOfContig, csq_annotator
from allofus_spark.genome import load_build
from allofus_spark.settings import load_settings

# ATG AAA TGG TTA TAA: Met Lys Trp Leu stop, from base 21 on.
BEFORE, CODING, AFTER = "CATTCGATTCCATTCGATTC", "ATGAAATGGTTATAA", "GCTTGCTTGCTTGCTTGCTTGCTTN"
SEQUENCE = BEFORE + CODING + AFTER
CONTIGS = ("one", "two", "chrM", "bare")

ENSEMBL = """\
{c}\te\tgene\t11\t45\t.\t+\t.\tID=gene:ENSG00000000001;Name=GEN1;biotype=protein_coding
{c}\te\tmRNA\t11\t45\t.\t+\t.\tID=transcript:ENST00000000001;Parent=gene:ENSG00000000001;biotype=protein_coding
{c}\te\tfive_prime_UTR\t11\t20\t.\t+\t.\tParent=transcript:ENST00000000001
{c}\te\texon\t11\t45\t.\t+\t.\tParent=transcript:ENST00000000001
{c}\te\tCDS\t21\t35\t.\t+\t0\tID=CDS:P1;Parent=transcript:ENST00000000001
{c}\te\tthree_prime_UTR\t36\t45\t.\t+\t.\tParent=transcript:ENST00000000001
{c}\te\tlincRNA_gene\t5\t45\t.\t-\t.\tID=gene:ENSG00000000002;biotype=lincRNA
{c}\te\tlincRNA\t5\t45\t.\t-\t.\tID=transcript:ENST00000000002;Parent=gene:ENSG00000000002;biotype=lincRNA
{c}\te\texon\t5\t45\t.\t-\t.\tParent=transcript:ENST00000000002
"""
GENCODE = """\
{c}\tH\tgene\t11\t45\t.\t+\t.\tID=ENSG00000000001.4;gene_type=protein_coding;gene_name=GEN1
{c}\tH\ttranscript\t11\t45\t.\t+\t.\tID=ENST00000000001.7;Parent=ENSG00000000001.4;transcript_type=protein_coding
{c}\tH\texon\t11\t45\t.\t+\t.\tID=exon:1;Parent=ENST00000000001.7;transcript_type=protein_coding
{c}\tH\tCDS\t21\t35\t.\t+\t0\tID=CDS:1;Parent=ENST00000000001.7;transcript_type=protein_coding
{c}\tH\tstart_codon\t21\t23\t.\t+\t0\tID=start:1;Parent=ENST00000000001.7
{c}\tH\tfive_prime_UTR\t11\t20\t.\t+\t.\tID=UTR5:1;Parent=ENST00000000001.7
{c}\tH\tthree_prime_UTR\t36\t45\t.\t+\t.\tID=UTR3:1;Parent=ENST00000000001.7
{c}\tH\tgene\t5\t45\t.\t-\t.\tID=ENSG00000000002.1;gene_type=lincRNA
{c}\tH\ttranscript\t5\t45\t.\t-\t.\tID=ENST00000000002.1;Parent=ENSG00000000002.1;transcript_type=lincRNA
{c}\tH\texon\t5\t45\t.\t-\t.\tID=exon:2;Parent=ENST00000000002.1;transcript_type=lincRNA
"""


def write_fasta(folder: Path) -> Path:
    fasta = folder / "small.fa"
    fasta.write_text("".join(f">{contig}\n{SEQUENCE}\n" for contig in CONTIGS))
    pysam.faidx(str(fasta))
    return fasta


def write_gff3(
    path: Path, contigs: Iterable[str] = CONTIGS[:3], genes: str = ENSEMBL, head: str = "##gff-version 3\n"
) -> Path:
    path.write_text(head + "".join(genes.format(c=contig) for contig in contigs))
    return path


def settings_of(fasta: Path, gff3: Path) -> tuple[str, ...]:
    return f"genome.reference_fasta={fasta}", f"consequences.gff3={gff3}"


def open_csq(fasta: Path, gff3: Path, *settings_more: str) -> CsqOfContig:
    """The function that tasks call."""
    settings = load_settings(overrides=(*settings_of(fasta, gff3), *settings_more))
    made = csq_annotator(settings, load_build(str(fasta))).open().annotate
    assert isinstance(made, CsqOfContig)
    return made


def batch_of(contig: str, alleles: Iterable[tuple[int, str, str]]) -> pa.RecordBatch:
    positions, refs, alts = zip(*sorted(alleles), strict=True)
    return pa.record_batch(
        {
            "contig": [contig] * len(refs),
            "bin": pa.array([0] * len(refs), pa.int32()),
            "position": pa.array(positions, pa.int32()),
            "ref": list(refs),
            "alt": list(alts),
        }
    )


def rows_of(csq: CsqOfContig, contig: str, *alleles: tuple[int, str, str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = csq(batch_of(contig, alleles)).to_pylist()
    return rows
