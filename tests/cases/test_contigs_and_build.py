"""Contigs in any spelling, and sources of another build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from allofus_spark.errors import BuildMismatch
from tests.cases.plain_ingest import HET, HOM_ALT, HOM_REF, parse_file
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

FOLDER = "16_contig_names_and_build"


def test_calls_and_known_sites_meet_under_the_build_s_names(cases: Path) -> None:
    expected = json.loads((cases / FOLDER / "expected.json").read_text())["calls x known"]
    calls = parse_file(cases / FOLDER / "calls.vcf").calls
    known = parse_file(cases / FOLDER / "known.vcf").calls
    assert sorted(calls.keys() & known.keys()) == sorted(expected["known"])
    assert sorted(calls.keys() - known.keys()) == expected["not_assessed"]
    assert calls["chrM:73:A:G"] == [HOM_ALT, HOM_REF]


def test_a_header_of_the_other_build_is_refused(cases: Path) -> None:
    with pytest.raises(BuildMismatch, match=r"chr1 has 249250621 bases, as in GRCh37.*248956422 on GRCh38"):
        parse_file(cases / FOLDER / "build37_header.vcf")


def test_positions_outside_the_contig_are_set_aside(cases: Path) -> None:
    parsed = parse_file(cases / FOLDER / "bad_positions.vcf")
    assert parsed.reasons == [("bad_position", "chrM", "0"), ("position_past_contig", "chrM", "16600")]
    assert parsed.alleles == []


@pytest.mark.parametrize(
    ("build", "spellings", "contig"),
    [
        ("GRCh38", ["chr1", "1", "CHR1", "Chr1", "NC_000001.11"], "chr1"),
        ("GRCh37", ["chr1", "1", "NC_000001.10"], "1"),
        ("GRCh38", ["chrM", "M", "MT", "chrMT", "NC_012920.1", "26"], "chrM"),
        ("GRCh37", ["MT", "M", "NC_012920.1"], "MT"),
        ("GRCh38", ["X", "chrX", "23"], "chrX"),
        ("GRCh38", ["HLA*01:01:01:01"], "HLA*01:01:01:01"),
        ("GRCh38", ["chrUn_KI270302v1"], "chrUn_KI270302v1"),
        ("GRCh38", ["<1>"], "<1>"),
    ],
)
def test_spellings_may_be_mixed_in_one_file(
    build: str, spellings: list[str], contig: str, tmp_path: Path
) -> None:
    records = [
        gt_record("0/0", "0/0", contig=name, pos=100 + number) for number, name in enumerate(spellings)
    ]
    for meta in ([], [f"##contig=<ID={name}>" for name in spellings]):
        parsed = parse_file(write_bytes(tmp_path / "a.vcf", vcf_text(records, meta=meta)), build=build)
        assert [row["contig"] for row in parsed.alleles] == [contig] * len(spellings)


def test_one_allele_in_two_spellings_is_one_key(tmp_path: Path) -> None:
    records = [gt_record("0/1", "0/0", contig=name) for name in ("chr1", "1")]
    parsed = parse_file(write_bytes(tmp_path / "a.vcf", vcf_text(records)))
    assert parsed.calls == {"chr1:100:A:T": [HET, HOM_REF]}
    assert len(parsed.alleles) == 2


@pytest.mark.parametrize("spelling", ["NC_000001.10", "NC_000001"])
def test_an_accession_of_another_build_is_refused_wherever_it_stands(spelling: str, tmp_path: Path) -> None:
    for meta in ([], [f"##contig=<ID={spelling}>"]):
        path = write_bytes(
            tmp_path / "a.vcf", vcf_text([gt_record("0/1", "0/0", contig=spelling)], meta=meta)
        )
        with pytest.raises(BuildMismatch, match=spelling):
            parse_file(path)


def test_positions_are_held_to_the_build_without_contig_lines(tmp_path: Path) -> None:
    records = [
        gt_record("0/1", "0/0", contig="chr21", pos=46_709_983),
        gt_record("0/1", "0/0", contig="chr21", pos=46_709_984),
        gt_record("0/1", "0/0", contig="chr21", pos=46_709_983, ref="AC", alt="A"),  # REF ends behind it
        gt_record("0/1", "0/0", contig="chr21", pos=46_709_982, ref="AC", alt="A"),
        gt_record("0/1", "0/0", contig="decoy", pos=2_000_000_000),  # no length is known
    ]
    parsed = parse_file(write_bytes(tmp_path / "a.vcf", vcf_text(records)))
    assert parsed.reasons == [("position_past_contig", "chr21", pos) for pos in ("46709984", "46709983")]
    assert len(parsed.alleles) == 3


def test_other_contigs_are_held_to_the_length_of_the_header(tmp_path: Path) -> None:
    meta = ["##contig=<ID=HLA*01:01:01:01,length=3503,md5=x>"]
    records = [gt_record("0/1", "0/0", contig="HLA*01:01:01:01", pos=pos) for pos in (3503, 3504)]
    parsed = parse_file(write_bytes(tmp_path / "a.vcf", vcf_text(records, meta=meta)))
    assert parsed.reasons == [("position_past_contig", "HLA*01:01:01:01", "3504")]


@pytest.mark.parametrize("pos", ["0", "-1", "+5", "1e3", "", ".", "5.0", "2147483647", "99999999999"])
def test_positions_that_are_none_are_refused(pos: str, tmp_path: Path) -> None:
    line = "\t".join(["decoy", pos, ".", "A", "T", ".", "PASS", ".", "GT", "0/1", "0/0"]) + "\n"
    parsed = parse_file(write_bytes(tmp_path / "a.vcf", vcf_text([]) + line))
    assert parsed.reasons == [("bad_position", "decoy", pos)]


@pytest.mark.parametrize("chrom", ["", "chr 1", "chr1 "])
def test_contig_names_that_are_none_are_refused(chrom: str, tmp_path: Path) -> None:
    line = "\t".join([chrom, "100", ".", "A", "T", ".", "PASS", ".", "GT", "0/1", "0/0"]) + "\n"
    parsed = parse_file(write_bytes(tmp_path / "a.vcf", vcf_text([]) + line))
    assert parsed.reasons == [("bad_chrom", chrom, "100")]
