"""Alleles of a gene that can be reckoned by hand, through the function that tasks call."""

from __future__ import annotations

import errno
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pysam.utils import SamtoolsError

from allofus_spark.consequences import csq_calls, csq_process
from allofus_spark.consequences.csq import CsqOfContig, csq_annotator
from allofus_spark.consequences.csq_process import CsqFailure
from allofus_spark.errors import AnnotationFailed
from allofus_spark.genome import load_build
from allofus_spark.settings import load_settings
from tests.consequences.genome import (
    ENSEMBL,
    GENCODE,
    open_csq,
    rows_of,
    settings_of,
    write_fasta,
    write_gff3,
)

GENE, LINC = "ENST00000000001", "ENST00000000002"


@pytest.fixture(scope="module")
def fasta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fasta(tmp_path_factory.mktemp("genome"))


@pytest.fixture(scope="module")
def csq(fasta: Path) -> CsqOfContig:
    return open_csq(fasta, write_gff3(fasta.with_name("genes.gff3")))


def effect(csq: CsqOfContig, *allele: Any, contig: str = "one") -> list[tuple[Any, ...]]:
    rows = rows_of(csq, contig, allele)
    return [(row["transcript_id"], row["terms"], row["aa_change"]) for row in rows if row["is_most_severe"]]


@pytest.mark.parametrize(
    ("allele", "terms", "aa_change", "impact", "is_coding"),
    [
        ((24, "A", "G"), ["missense_variant"], "2K>2E", "MODERATE", True),
        ((26, "A", "G"), ["synonymous_variant"], "2K", "LOW", True),
        ((29, "G", "A"), ["stop_gained"], "3W>3*", "HIGH", True),
        ((21, "A", "C"), ["start_lost"], "1M>1L", "HIGH", True),
        ((33, "T", "C"), ["stop_lost"], "5*>5Q", "HIGH", True),
        ((34, "A", "G"), ["stop_retained_variant"], None, "LOW", True),
        ((26, "ATGG", "A"), ["inframe_deletion"], "2KW>2K", "MODERATE", True),
        ((30, "T", "TA"), ["frameshift_variant"], None, "HIGH", True),
        ((15, "C", "A"), ["5_prime_UTR_variant"], None, "MODIFIER", False),
        ((40, "G", "A"), ["3_prime_UTR_variant"], None, "MODIFIER", False),
    ],
)
def test_changes_of_the_gene(
    csq: CsqOfContig,
    allele: tuple[int, str, str],
    terms: list[str],
    aa_change: str | None,
    impact: str,
    is_coding: bool,
) -> None:
    (row,) = [row for row in rows_of(csq, "one", allele) if row["transcript_id"] == GENE]
    assert (row["terms"], row["impact"], row["is_coding"]) == (terms, impact, is_coding)
    assert aa_change is None or row["aa_change"] == aa_change
    assert (row["gene_id"], row["gene_symbol"], row["biotype"]) == (
        "ENSG00000000001",
        "GEN1",
        "protein_coding",
    )
    assert row["is_most_severe"]


def test_places_outside_the_gene(csq: CsqOfContig) -> None:
    assert effect(csq, 2, "A", "T") == [(None, ["intergenic_variant"], None)]
    (row,) = rows_of(csq, "one", (7, "A", "T"))
    assert (row["transcript_id"], row["terms"]) == (LINC, ["non_coding_transcript_variant"])
    assert (row["gene_id"], row["gene_symbol"], row["biotype"]) == ("ENSG00000000002", None, "lincRNA")


def test_the_mitochondrion_has_its_own_code(csq: CsqOfContig) -> None:
    # TGA is a stop in the nucleus and tryptophan in the mitochondrion.
    assert effect(csq, 29, "G", "A") == [(GENE, ["stop_gained"], "3W>3*")]
    assert effect(csq, 29, "G", "A", contig="chrM") == [(GENE, ["synonymous_variant"], "3W")]


@pytest.mark.parametrize(
    ("contig", "allele", "reason"),
    [
        ("one", (24, "A", "<DEL>"), "symbolic"),
        ("one", (24, "A", "A[two:5["), "breakend"),
        ("one", (24, "A", "N"), "ambiguous_base"),
        ("one", (24, "R", "C"), "ambiguous_base"),
        ("one", (60, "T", "C"), "not_in_reference"),  # an N there
        ("one", (59, "TTT", "T"), "not_in_reference"),  # past the end
        ("one", (1000, "A", "C"), "not_in_reference"),
        ("one", (0, "A", "C"), "not_in_reference"),
        ("one", (24, "C", "A"), "ref_mismatch"),
        ("bare", (24, "A", "G"), "contig_without_genes"),
        ("bare", (24, "A", "<DEL>"), "symbolic"),
        ("elsewhere", (24, "A", "G"), "not_in_reference"),
    ],
)
def test_what_cannot_be_annotated_says_why(
    csq: CsqOfContig, contig: str, allele: tuple[int, str, str], reason: str
) -> None:
    (row,) = rows_of(csq, contig, allele)
    assert (row["not_annotated"], row["terms"], row["impact"]) == (reason, [], None)
    assert (row["is_most_severe"], row["is_coding"], row["transcript_id"]) == (True, False, None)


def test_alleles_that_cannot_be_annotated_do_not_disturb_others(csq: CsqOfContig) -> None:
    rows = rows_of(csq, "one", (24, "A", "<DEL>"), (24, "A", "G"), (24, "C", "A"), (29, "G", "A"))
    found = [
        (row["ref"], row["alt"], row["not_annotated"], row["terms"][:1])
        for row in rows
        if row["is_most_severe"]
    ]
    assert found == [
        ("A", "<DEL>", "symbolic", []),
        ("A", "G", None, ["missense_variant"]),
        ("C", "A", "ref_mismatch", []),
        ("G", "A", None, ["stop_gained"]),
    ]


def test_gencode_and_ensembl_spellings_give_the_same_rows(csq: CsqOfContig, fasta: Path) -> None:
    other = open_csq(fasta, write_gff3(fasta.with_name("gencode.gff3"), genes=GENCODE))
    alleles = [(position, base, alt) for position, base in enumerate("ATGAAATGGTTATAA", 21) for alt in "ACGT"]
    alleles = [*(allele for allele in alleles if allele[1] != allele[2]), (7, "A", "T"), (15, "C", "A")]
    assert rows_of(other, "one", *alleles) == rows_of(csq, "one", *alleles)


def test_contig_spellings_of_gff3_and_fasta_need_not_agree(csq: CsqOfContig, fasta: Path) -> None:
    other = open_csq(fasta, write_gff3(fasta.with_name("spelled.gff3"), contigs=["chrone", "MT"]))
    assert rows_of(other, "one", (24, "A", "G")) == rows_of(csq, "one", (24, "A", "G"))
    assert rows_of(other, "chrM", (29, "G", "A")) == rows_of(csq, "chrM", (29, "G", "A"))


def test_many_transcripts_are_all_given(fasta: Path) -> None:
    gene, *lines = ["{c}\te\tgene\t11\t45\t.\t+\t.\tID=gene:G;Name=G;biotype=protein_coding"]
    for number in range(70):
        about = f"ID=transcript:T{number:02};Parent=gene:G;biotype=protein_coding"
        lines.append("{c}\te\tmRNA\t11\t45\t.\t+\t.\t" + about)
        lines.append("{c}\te\texon\t11\t45\t.\t+\t.\tParent=transcript:" + f"T{number:02}")
        lines.append("{c}\te\tCDS\t21\t35\t.\t+\t0\tParent=transcript:" + f"T{number:02}")
    genes = "\n".join([gene, *lines]) + "\n"
    csq = open_csq(fasta, write_gff3(fasta.with_name("many.gff3"), contigs=["one"], genes=genes))
    rows = rows_of(csq, "one", (24, "A", "G"))
    assert [row["transcript_id"] for row in rows] == [f"T{number:02}" for number in range(70)]
    assert [row["is_most_severe"] for row in rows] == [True] + [False] * 69
    # No line says that the exon before the CDS is UTR, and csq is silent.
    rows = rows_of(csq, "one", (20, "C", "A"))
    assert {tuple(row["terms"]) for row in rows} <= {("coding_transcript_variant",), ("intron_variant",)}
    assert len(rows) == 70


def test_a_failure_names_the_variant_and_csqs_own_message(
    csq: CsqOfContig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(arguments: Sequence[str], answer: Path) -> None:
        if "\t29\t" in Path(arguments[-1]).read_text():
            raise CsqFailure("Error: this is csq speaking")
        csq_process.run_csq(arguments, answer)

    monkeypatch.setattr(csq_calls, "run_csq", run)
    with pytest.raises(
        AnnotationFailed, match=r"bcftools csq failed at one:29 G>A: Error: this is csq speaking"
    ):
        rows_of(csq, "one", (22, "T", "A"), (23, "G", "A"), (29, "G", "A"), (30, "T", "A"))
    assert rows_of(csq, "one", (22, "T", "A"))


def test_csqs_message_of_genes_that_it_refuses(fasta: Path) -> None:
    genes = write_gff3(fasta.with_name("phase.gff3"))
    out_of_phase = f"one\te\tCDS\t38\t40\t.\t+\t1\tParent=transcript:{GENE}\n"
    genes.write_text(genes.read_text() + out_of_phase)
    with pytest.raises(AnnotationFailed, match=f"one:24 A>G: Error: GFF3 assumption failed .*{GENE}"):
        rows_of(open_csq(fasta, genes), "one", (24, "A", "G"))


def test_a_csq_that_is_killed_is_an_error(csq: CsqOfContig, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*_: str) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    monkeypatch.setattr(csq_process.bcftools, "csq", kill)
    with pytest.raises(AnnotationFailed, match="at one:24 A>G: ended by SIGKILL"):
        rows_of(csq, "one", (24, "A", "G"))


def test_a_csq_that_hangs_is_an_error(csq: CsqOfContig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csq_process, "MAX_SECONDS", 1)
    monkeypatch.setattr(csq_process.bcftools, "csq", lambda *_: time.sleep(60))
    with pytest.raises(
        AnnotationFailed, match="one:24-29, on 2 alleles together: it did not end within 1 sec"
    ):
        rows_of(csq, "one", (24, "A", "G"), (29, "G", "A"))


def test_a_csq_that_loses_alleles_is_an_error(csq: CsqOfContig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csq_process.bcftools, "csq", lambda *_: "##fileformat=VCFv4.2\n")
    monkeypatch.setattr(csq_calls, "_transcripts", lambda _: [])
    with pytest.raises(AnnotationFailed, match="it gave 0 records for 1 alleles"):
        rows_of(csq, "one", (24, "A", "G"))


def test_ranges_do_not_matter(csq: CsqOfContig) -> None:
    alleles = [
        (position, base, "ACGT"[("ACGT".index(base) + 1) % 4])
        for position, base in enumerate("ATGAAATGG", 21)
    ]
    whole = rows_of(csq, "one", *alleles)
    assert [row for allele in alleles for row in rows_of(csq, "one", allele)] == whole


def test_every_transcript_has_a_row_where_that_is_asked_for(csq: CsqOfContig, fasta: Path) -> None:
    every = open_csq(fasta, fasta.with_name("genes.gff3"), "consequences.every_transcript=true")

    def found(of: CsqOfContig, *allele: Any) -> list[tuple[Any, ...]]:
        rows = rows_of(of, "one", allele)
        return [(row["transcript_id"], row["terms"], row["is_most_severe"]) for row in rows]

    missense, non_coding = ["missense_variant"], ["non_coding_transcript_variant"]
    assert found(csq, 24, "A", "G") == [(GENE, missense, True)]
    assert found(every, 24, "A", "G") == [(GENE, missense, True), (LINC, non_coding, False)]
    for allele in ((7, "A", "T"), (2, "A", "T")):
        assert found(every, *allele) == found(csq, *allele)


def test_an_intron_is_of_the_transcripts_without_a_consequence(fasta: Path) -> None:
    other = (
        "{c}\te\tmRNA\t11\t45\t.\t+\t.\tID=transcript:T2;Parent=gene:ENSG00000000001;biotype=protein_coding\n"
    )
    exons = "{c}\te\texon\t11\t12\t.\t+\t.\tParent=transcript:T2\n{c}\te\texon\t44\t45\t.\t+\t.\tParent=transcript:T2\n"  # noqa: E501
    genes = write_gff3(fasta.with_name("introns.gff3"), contigs=["one"], genes=ENSEMBL + other + exons)
    every = open_csq(fasta, genes, "consequences.every_transcript=true")
    found = {row["transcript_id"]: row["terms"] for row in rows_of(every, "one", (24, "A", "G"))}
    assert found == {
        GENE: ["missense_variant"],
        LINC: ["non_coding_transcript_variant"],
        "T2": ["intron_variant"],
    }


def test_every_transcript_is_another_version(fasta: Path) -> None:
    files = settings_of(fasta, write_gff3(fasta.with_name("version.gff3")))
    build = load_build(str(fasta))
    versions = [
        csq_annotator(load_settings(overrides=(*files, *more)), build).version
        for more in ((), ("consequences.every_transcript=true",))
    ]
    assert [" -l, " in version for version in versions] == [True, False]
    assert " -l -G 1, " in versions[1]


def test_a_missing_temp_folder_is_named(csq: CsqOfContig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(
        AnnotationFailed, match="the temp folder /nowhere: No such file or directory; make room"
    ):
        rows_of(csq, "one", (24, "A", "G"))


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "full"),
        SamtoolsError("stderr="),
        SamtoolsError("stderr=x: No space left on device"),
    ],
)
def test_a_full_temp_folder_is_not_halved(
    csq: CsqOfContig, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    calls = []

    def run(arguments: Sequence[str], answer: Path) -> None:
        calls.append(answer)
        csq_process.run_csq(arguments, answer)

    def fail(*_: str) -> str:
        raise error

    monkeypatch.setattr(csq_calls, "run_csq", run)
    monkeypatch.setattr(csq_process.bcftools, "csq", fail)
    with pytest.raises(
        AnnotationFailed, match=r"at one:24-29: .*the temp folder /.*: No space left on device"
    ):
        rows_of(csq, "one", (24, "A", "G"), (29, "G", "A"))
    assert len(calls) == 1
