"""Files that hold less than usual: no records, no samples, no bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from allofus_spark.errors import AllofusError, BadSource
from tests.cases.plain_ingest import HET, HOM_ALT, HOM_REF, MISSING, parse_file
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

FOLDER = "14_empty_sitesonly_crlf"


def test_a_header_alone_is_a_callset_without_records(cases: Path) -> None:
    parsed = parse_file(cases / FOLDER / "header_only.vcf")
    assert (parsed.samples, parsed.alleles) == (("S1", "S2"), [])


def test_zero_bytes_are_refused(cases: Path) -> None:
    with pytest.raises(BadSource, match=r"zero_byte\.vcf: empty file \(0 bytes\)"):
        parse_file(cases / FOLDER / "zero_byte.vcf")


@pytest.mark.parametrize(("name", "n_rows"), [("sites_only.vcf", 2), ("format_no_samples.vcf", 1)])
def test_sites_without_samples(name: str, n_rows: int, cases: Path) -> None:
    parsed = parse_file(cases / FOLDER / name)
    assert (len(parsed.alleles), parsed.samples) == (n_rows, ())
    assert set(map(len, parsed.calls.values())) == {0}


def test_windows_line_ends_change_nothing(cases: Path) -> None:
    where = ("source_file", "source_offset")
    lf, crlf = (parse_file(cases / FOLDER / name) for name in ("lf.vcf", "crlf.vcf"))
    for rows in (lf.alleles, crlf.alleles):
        for row in rows:
            assert all(row.pop(name) is not None for name in where)
    assert lf.alleles == crlf.alleles
    assert crlf.samples == ("S1", "S2")
    assert crlf.calls == {"chr1:100:A:G": [HET, HOM_ALT], "chr1:200:C:T": [HOM_REF, MISSING]}


def test_calls_in_a_file_that_announces_no_samples_are_refused(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "sites.vcf", vcf_text([gt_record("0/1")], None))
    assert parse_file(path).reasons == [("column_count", "chr1", "100")]


def test_blank_lines_are_no_records(tmp_path: Path) -> None:
    text = vcf_text([gt_record("0/1", "0/0"), "", gt_record("0/1", "0/0", pos=200), "", ""])
    parsed = parse_file(write_bytes(tmp_path / "blank.vcf", text))
    assert (len(parsed.alleles), parsed.counters["lines_blank"], parsed.refused) == (2, 3, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n", "must begin with ##fileformat=VCFv4"),
        ("chr1\t100\t.\tA\tT\t.\t.\t.\n", "must begin with ##fileformat=VCFv4"),
        ("##fileformat=VCFv3.3\n#CHROM\n", "must begin with ##fileformat=VCFv4"),
        ("##fileformat=VCFv4.2\n", "no #CHROM line"),
        ("##fileformat=VCFv4.2\nchr1\t100\t.\tA\tT\t.\t.\t.\n", "no #CHROM line"),
        (vcf_text([]).replace("FORMAT", "format"), "#CHROM line must hold"),
        (vcf_text([]).replace("\t", " "), "#CHROM line must hold"),
        (vcf_text([]).replace("\n", "\r"), "no #CHROM line"),
        (vcf_text([]).replace("#CHROM", "#comment\n#CHROM"), "line 2 begins with a single #"),
        (vcf_text([]).replace("S1", ""), "sample column 1 has an empty id"),
        (vcf_text([]).replace("S2", " "), "sample column 2 has an empty id"),
        ("\ufeff" + vcf_text([]), "byte order mark"),
    ],
)
def test_what_is_no_vcf_header_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "bad.vcf", text)
    with pytest.raises(AllofusError, match=message) as refusal:
        parse_file(path)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize("line", ["##GVCFBlock0-1=minGQ=0(inclusive)", '##ALT=<ID=NON_REF,Description="x">'])
def test_a_gvcf_of_one_sample_is_refused_and_a_joint_one_is_not(line: str, tmp_path: Path) -> None:
    joint = write_bytes(tmp_path / "joint.vcf", vcf_text([gt_record("0/1", "0/0")], meta=[line]))
    assert len(parse_file(joint).alleles) == 1
    single = write_bytes(tmp_path / "single.vcf", vcf_text([gt_record("0/1")], ["S1"], meta=[line]))
    with pytest.raises(BadSource, match=r"single\.vcf: a single-sample gVCF .* combine"):
        parse_file(single)
