"""How a VCF is stored: told from the bytes, and the same rows from each."""

from __future__ import annotations

import json
from pathlib import Path

import pysam
import pytest

from allofus_spark.errors import BadSource, BuildMismatch
from tests.cases.plain_ingest import HET, HOM_REF, parse_file
from tests.cases.vcf_files import gt_record, vcf_text, write_bgzip, write_bytes, write_gzip

RECORDS = [gt_record("0/1", "0/0", pos=pos) for pos in range(1000, 1100)]
CALLS = {f"chr1:{pos}:A:T": [HET, HOM_REF] for pos in range(1000, 1100)}
EOF_MARKER = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@pytest.mark.parametrize(
    "name", ["plain_gzip.vcf.gz", "bgzip_named_gz.vcf.gz", "plain_text.vcf.bgz", "cat_of_two_bgzip.vcf.gz"]
)
def test_the_kind_is_in_the_bytes_not_in_the_name(name: str, cases: Path) -> None:
    folder = cases / "12_gz_kinds"
    expected = json.loads((folder / "expected.json").read_text())[name]
    calls = parse_file(folder / name).calls
    assert len(calls) == expected["n_rows"]
    assert sum(map(sum, calls.values())) == expected["sum_AC"]
    assert {2 * len(row) for row in calls.values()} == {expected["AN_each"]}


def test_every_storing_gives_the_same_rows(tmp_path: Path) -> None:
    text = vcf_text(RECORDS)
    crlf = vcf_text(RECORDS, line_end="\r\n")
    files = {
        "text": write_bytes(tmp_path / "text", text),
        "text without a last line end": write_bytes(tmp_path / "open", text.rstrip("\n")),
        "CRLF": write_bytes(tmp_path / "crlf", crlf),
        "CRLF without the last": write_bytes(tmp_path / "open_crlf", crlf.rstrip("\r\n")),
        "mixed line ends": write_bytes(tmp_path / "mixed", crlf.replace("\r\n", "\n", 50)),
        "gzip": write_gzip(tmp_path / "gzip", text),
        "gzip of CRLF, no last": write_gzip(tmp_path / "gzip_crlf", crlf.rstrip("\r\n")),
        "bgzip": write_bgzip(tmp_path / "bgzip", text),
        "bgzip of CRLF": write_bgzip(tmp_path / "bgzip_crlf", crlf),
        "bgzip of CRLF, small blocks": write_bgzip(tmp_path / "small", crlf, block_bytes=37),
        "bgzip of CRLF, no last": write_bgzip(tmp_path / "open_bgzip", crlf.rstrip("\r\n")),
    }
    for storing, path in files.items():
        for sizes in ({}, {"split_bytes": 400, "chunk_bytes": 64}):
            parsed = parse_file(path, **sizes)
            assert parsed.calls == CALLS, storing
            assert parsed.samples == ("S1", "S2"), storing


def test_an_empty_block_inside_a_bgzip_file_is_not_its_end(tmp_path: Path) -> None:
    head = write_bgzip(tmp_path / "head", vcf_text(RECORDS[:40])).read_bytes()
    rest = "".join(record.replace(" ", "\t") + "\n" for record in RECORDS[40:])
    tail = write_bgzip(tmp_path / "tail", rest).read_bytes()
    for joined in (head + tail, head.removesuffix(EOF_MARKER) + 3 * EOF_MARKER + tail):
        assert parse_file(write_bytes(tmp_path / "joined.vcf.gz", joined)).calls == CALLS


@pytest.mark.parametrize("write", [write_bgzip, write_gzip])
def test_a_compressed_file_with_a_header_only(write: object, tmp_path: Path) -> None:
    parsed = parse_file(write(tmp_path / "empty.vcf.gz", vcf_text([])))  # type: ignore[operator]
    assert (parsed.samples, parsed.alleles, parsed.refused) == (("S1", "S2"), [], [])


@pytest.mark.parametrize("split_bytes", [1 << 23, 700])
def test_joined_files_repeat_the_header(split_bytes: int, tmp_path: Path) -> None:
    parts = [vcf_text(RECORDS[:50]), vcf_text(RECORDS[50:])]
    text = write_bytes(tmp_path / "text", "".join(parts))
    blocks = [write_bgzip(tmp_path / str(number), part).read_bytes() for number, part in enumerate(parts)]
    for path in (text, write_bytes(tmp_path / "bgzip", b"".join(blocks))):
        assert parse_file(path, split_bytes=split_bytes).calls == CALLS


@pytest.mark.parametrize("samples", [["S1", "S3"], ["S2", "S1"], ["S1"], ["S1", "S2", "S3"]])
def test_joined_files_of_other_samples_are_refused(samples: list[str], tmp_path: Path) -> None:
    other = vcf_text([gt_record(*(["0/1"] * len(samples)), pos=5000)], samples)
    path = write_bytes(tmp_path / "joined.vcf", vcf_text(RECORDS) + other)
    with pytest.raises(BadSource, match="a second #CHROM line announces other columns"):
        parse_file(path)


def test_joined_files_of_another_build_are_refused(tmp_path: Path) -> None:
    ours, other = ([f"##contig=<ID=chr1,length={length}>"] for length in (248_956_422, 249_250_621))
    path = write_bytes(tmp_path / "joined.vcf", vcf_text(RECORDS[:3], meta=ours) + vcf_text([], meta=other))
    with pytest.raises(BuildMismatch, match="249250621 bases, as in GRCh37"):
        parse_file(path)


def test_a_record_that_was_commented_out_is_not_passed_over(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "a.vcf", vcf_text([RECORDS[0], "#" + RECORDS[1], RECORDS[2]]))
    parsed = parse_file(path)
    assert parsed.reasons == [("bad_chrom", "#chr1", "1001")]
    assert len(parsed.alleles) == 2


def test_bcf_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    source = write_bytes(tmp_path / "a.vcf", vcf_text(RECORDS, meta=["##contig=<ID=chr1>", _GT_LINE]))
    with (
        pysam.VariantFile(str(source)) as reader,
        pysam.VariantFile(str(tmp_path / "a.bcf"), "wb", header=reader.header) as writer,
    ):
        for record in reader:
            writer.write(record)
    with pytest.raises(BadSource, match=r"is BCF, not VCF text .* bcftools view"):
        parse_file(tmp_path / "a.bcf")


_GT_LINE = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">'
