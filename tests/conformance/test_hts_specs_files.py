"""The VCF files of samtools/hts-specs: those that must be read, and those that are broken.

Read through the byte layer and the parser without Spark: some 430 files, a few milliseconds each.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from allofus_spark.errors import AllofusError, BuildMismatch
from allofus_spark.genome import Build, load_build
from tests.cases.plain_ingest import ParsedFile, parse_file, plain_calls
from tests.conformance.plain_records import PlainAllele, alleles_by_pysam, alleles_of_line

VERSIONS = ("4.1", "4.2")
TOLERATED = Path(__file__).with_name("tolerated.tsv")
# Records of good files that are refused: (file, CHROM, POS, ALT) to the reason.
NOT_STORED = {
    ("passed_body_alt.vcf", "1", "1900", "."): "a GT names allele 1, and the record has no alternate",
    ("passed_body_id.vcf", "1", "0", "T"): "position 0 is the telomere, not a base",
    ("passed_body_pos.vcf", "1", "0", "T"): "position 0 is the telomere, not a base",
}


def parse_under_its_build(path: Path, folder: Path) -> ParsedFile:
    """Parse as GRCh37, or as a custom build where the header declares other lengths."""
    try:
        return parse_file(path, build="GRCh37")
    except BuildMismatch:
        return parse_file(path, build=_custom_build(path, folder / "custom.fa.fai"))


def _custom_build(path: Path, index: Path) -> Build:
    lengths: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if line.startswith("##contig=<ID=") and "length=" in line:
            name = line.removeprefix("##contig=<ID=").partition(",")[0]
            lengths[name] = line.partition("length=")[2].partition(",")[0].rstrip(">")
    index.write_text("".join(f"{name}\t{length}\t0\t60\t61\n" for name, length in lengths.items()))
    return load_build(str(index))


def row_as_plain(row: dict) -> PlainAllele:
    """A staged row with the source's spelling of the contig, which these files do not share with a build."""
    return PlainAllele(
        row["contig"],
        row["input_position"],
        row["input_ref"],
        row["input_alts"],
        row["input_allele"],
        plain_calls(row),
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_good_files_give_pysam_s_calls(version: str, realdata: Path, tmp_path: Path) -> None:
    paths = sorted((realdata / "vcf_conformance" / version / "passed").glob("*.vcf"))
    assert len(paths) == 25
    refused = []
    for path in paths:
        parsed = parse_under_its_build(path, tmp_path)
        rows = [row_as_plain(row) for row in parsed.alleles]
        at_refused = [(row["chrom"], row["pos"], row["input_alts"]) for row in parsed.refused]
        refused += [(path.name, *where) for where in at_refused]
        expected = [
            allele
            for alleles in alleles_by_pysam(path)
            for allele in alleles
            if (allele.chrom, str(allele.pos), allele.alts) not in at_refused
        ]
        assert rows == expected, path
        keys = [(row["position"], row["ref"], row["alt"]) for row in parsed.alleles]
        assert keys == [allele.key for allele in expected], path
    assert sorted(refused) == sorted(NOT_STORED)


@pytest.mark.parametrize("version", VERSIONS)
def test_broken_files_are_refused_quarantined_or_tolerated_and_never_misread(
    version: str, realdata: Path
) -> None:
    with TOLERATED.open(newline="") as lines:
        reasons = {row["file"]: row["reason"] for row in csv.DictReader(lines, delimiter="\t")}
    assert all(reasons.values())
    tolerated = set()
    paths = sorted((realdata / "vcf_conformance" / version / "failed").glob("*.vcf"))
    assert len(paths) >= 190
    for path in paths:
        parsed = _parse_or_refuse(path)
        if parsed is None:
            continue
        if not parsed.refused:
            tolerated.add(f"{version}/{path.name}")
        _assert_rows_are_the_text(path, parsed)
    listed = {name for name in reasons if name.startswith(f"{version}/")}
    assert tolerated == listed


def _parse_or_refuse(path: Path) -> ParsedFile | None:
    """None where the file is refused with a message that names it."""
    try:
        return parse_file(path, build="GRCh37")
    except AllofusError as error:
        if str(path) not in str(error):
            raise
        return None


def _assert_rows_are_the_text(path: Path, parsed: ParsedFile) -> None:
    """Every record that was not refused gives its alleles and calls as a plain split of its line does."""
    data = path.read_bytes()
    refused = {row["source_offset"] for row in parsed.refused}
    offset, expected = 0, []
    for line in data.splitlines(keepends=True):
        text = line.decode().rstrip("\r\n")
        if text and not text.startswith("#") and offset not in refused:
            expected += alleles_of_line(text)
        offset += len(line)
    assert [row_as_plain(row) for row in parsed.alleles] == expected, path
    keys = [(row["position"], row["ref"], row["alt"]) for row in parsed.alleles]
    assert keys == [allele.key for allele in expected], path
