"""Genes from GFF3: what is refused, what is left out, and how they are packed."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import pysam
import pytest

from allofus_spark.bgzip import END_OF_FILE
from allofus_spark.consequences.csq_calls import Allele, CsqTranscript
from allofus_spark.consequences.genes import read_genes
from allofus_spark.consequences.overlaps import Overlaps, changed_bases
from allofus_spark.errors import AllofusError, BadSource, BuildMismatch
from allofus_spark.genome import load_build
from tests.consequences.genome import ENSEMBL, GENCODE, write_gff3

BUILD = load_build("GRCh38")


def test_genes_are_packed_by_the_builds_contigs(tmp_path: Path) -> None:
    plain = write_gff3(tmp_path / "genes.gff3", contigs=["1", "chrX", "MT", "KI270728.1"])
    packed = tmp_path / "genes.gff3.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    genes, again = read_genes(plain, BUILD), pickle.loads(pickle.dumps(read_genes(packed, BUILD)))
    assert sorted(genes.packed) == sorted(again.packed) == ["KI270728.1", "chr1", "chrM", "chrX"]
    assert again.of("chr1") == genes.of("chr1")
    assert "chr2" not in genes
    assert [(gene.first, gene.last) for gene in genes.of("chr1").genes] == [(5, 45), (11, 45)]
    assert genes.of("chr1").transcripts["ENST00000000001"] == ("ENSG00000000001", "GEN1", "protein_coding")


def test_transcripts_that_csq_does_not_know_are_counted(tmp_path: Path) -> None:
    odd = "{c}\te\tgene\t2\t9\t.\t+\t.\tID=gene:G;biotype=TEC\n"
    odd += "{c}\te\ttranscript\t2\t9\t.\t+\t.\tID=transcript:T;Parent=gene:G;biotype=TEC\n"
    genes = read_genes(write_gff3(tmp_path / "genes.gff3", contigs=["1"], genes=ENSEMBL + odd), BUILD)
    assert genes.left_out == {"TEC": 1}
    assert "T" not in genes.of("chr1").transcripts


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            ENSEMBL.format(c="contig7"),
            BuildMismatch,
            r"none of its contigs \(contig7\) is one",
        ),
        (
            ENSEMBL.format(c="21").replace("\t45\t", "\t48000000\t"),
            BuildMismatch,
            r"gene ENSG0000000000\d ends at chr21:48000000, past the contig's 46709983 bases on GRCh38",
        ),
        (
            "##sequence-region   21 1 48129895\n" + ENSEMBL.format(c="21"),
            BuildMismatch,
            "contig 21 has 48129895 bases, as in GRCh37",
        ),
        (ENSEMBL.format(c="NC_000021.8"), BuildMismatch, "NC_000021.8 is 21 of GRCh37"),
        ("##gff-version 3\n", BadSource, "no transcripts in it"),
        ("21\te\tgene\t2\t9\t.\t+\t.\tID=gene:G;biotype=protein_coding\n", BadSource, "no transcripts in it"),
        ("21\ttext\n", BadSource, "this is no line of a GFF3 file: '21.ttext'"),
        (b"\x1f\x8b\x08\x00\x00", BadSource, "the GFF3 cannot be read"),
        (None, BadSource, "cannot be read"),
    ],
)
def test_a_gff3_that_cannot_be_used_is_refused(
    tmp_path: Path, text: str | bytes | None, error: type[AllofusError], message: str
) -> None:
    path = tmp_path / "genes.gff3"
    if text is not None:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(error, match=message):
        read_genes(path, BUILD)


@pytest.mark.parametrize(
    ("allele", "inside"),
    [
        ((10, "A", "C"), []),
        ((11, "A", "C"), [0]),
        ((20, "A", "C"), [0, 1]),
        ((30, "A", "C"), [1]),
        ((31, "A", "C"), []),
        ((10, "A", "AT"), []),  # between 10 and 11: beside the transcript
        ((11, "A", "AT"), [0]),
        ((20, "A", "AT"), [1]),  # the first one ends at 20
        ((9, "ACG", "A"), [0]),
        ((20, "AC", "A"), [1]),
        ((8, "ACG", "A"), []),
        ((1, "A" * 40, "A"), [0, 1]),
        ((10, "AC", "TG"), [0]),
    ],
)
def test_transcripts_that_an_allele_lies_in(allele: tuple[int, str, str], inside: list[int]) -> None:
    transcripts = [CsqTranscript(10, 19, "A", "lncRNA"), CsqTranscript(14, 29, "B", "lncRNA")]
    assert Overlaps(transcripts).of([Allele(*allele)]) == [tuple(inside)]
    first, last = changed_bases(*allele)
    by_bounds = [n for n, item in enumerate(transcripts) if last >= item.first and first <= item.last]
    assert by_bounds == inside


def test_a_transcript_that_a_contig_has_twice_is_refused(tmp_path: Path) -> None:
    path = write_gff3(tmp_path / "genes.gff3", contigs=["1", "2", "chr1"])
    with pytest.raises(
        BadSource,
        match=r"transcript ENST00000000001 stands 2 times on chr1 \(1 more are repeated\); give a GFF3",
    ):
        read_genes(path, BUILD)


def test_a_part_goes_to_each_of_its_parents(tmp_path: Path) -> None:
    more = ENSEMBL.replace(
        "Parent=transcript:ENST00000000001", "Parent=transcript:ENST00000000001,transcript:T2"
    )
    more += (
        "{c}\te\tmRNA\t11\t45\t.\t+\t.\tID=transcript:T2;Parent=gene:ENSG00000000001;biotype=protein_coding\n"
    )
    more += "{c}\te\texon\t11\t45\t.\t+\t.\tParent=transcript:unknown\n"
    genes = read_genes(write_gff3(tmp_path / "genes.gff3", contigs=["1"], genes=more), BUILD)
    lines = genes.of("chr1").genes[1].lines.split("\n")
    parts = [
        [line for line in lines if line.endswith(f"Parent=transcript:{name}")]
        for name in ("ENST00000000001", "T2")
    ]
    assert [len(of_one) for of_one in parts] == [4, 4]
    assert not any("unknown" in line for line in lines)


def test_a_redefined_stop_codon_is_no_transcript(tmp_path: Path) -> None:
    kind = "stop_codon_redefined_as_selenocysteine"
    line = f"{{c}}\te\t{kind}\t24\t26\t.\t+\t.\tID={kind}:T;Parent=ENST00000000001.7;transcript_type=protein_coding\n"  # noqa: E501
    genes = read_genes(write_gff3(tmp_path / "genes.gff3", contigs=["1"], genes=GENCODE + line * 2), BUILD)
    assert sorted(genes.of("chr1").transcripts) == ["ENST00000000001", "ENST00000000002"]


def test_a_mark_of_byte_order_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = write_gff3(tmp_path / "genes.gff3", contigs=["1"], head="\ufeff")
    packed = tmp_path / "genes.gff3.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert [sorted(read_genes(file, BUILD).packed) for file in (path, packed)] == [["chr1"], ["chr1"]]
    assert len(read_genes(path, BUILD).of("chr1").genes) == 2


def test_a_bgzip_file_that_is_cut_between_blocks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "genes.gff3.gz"
    with pysam.BGZFile(str(path), "wb") as file:
        file.write(ENSEMBL.format(c="1").encode())
    assert "chr1" in read_genes(path, BUILD)
    path.write_bytes(path.read_bytes().removesuffix(END_OF_FILE))
    with pytest.raises(
        BadSource, match=r"genes\.gff3\.gz: truncated: the bgzip end-of-file block is missing; copy"
    ):
        read_genes(path, BUILD)
