"""Sample ids and labels: opaque text on every side, each sample once."""

from __future__ import annotations

from pathlib import Path

import pytest

from allofus_spark.errors import BadSamples, BadSource
from allofus_spark.ingest.samples import read_sample_file
from allofus_spark.settings import Settings
from tests.cases.plain_ingest import parse_file
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

GROUPS = Settings().frequencies.ancestry_groups
ODD_IDS = [
    "1e5", "1E5", "100000", "100000.0", "007", "7", "TRUE", "true", "NA", "null", "NaN", ".", "0x1F", "1_000",
    "NA 12", " lead", "trail ", "Ünit-3", "U\u0308nit-3", "双", "a,b", 'say "hi"', '"quoted"', "it's", "a;b",
    "a\\tb",     "x\u2028y", "x\x85y", "x\x0by", "-1", "=1+1", "#5", "%41", "a:b", "S1", "s1",
]  # fmt: skip


def test_ids_of_any_kind_stay_as_they_are(tmp_path: Path) -> None:
    vcf = write_bytes(tmp_path / "ids.vcf", vcf_text([gt_record(*(["0/1"] * len(ODD_IDS)))], ODD_IDS))
    parsed = parse_file(vcf)
    assert parsed.samples == tuple(ODD_IDS)
    rows = "".join(f"{name}\tafr\n" for name in reversed(ODD_IDS))
    labels = write_bytes(tmp_path / "labels.tsv", "sample_id\tancestry\n" + rows)
    described, _ = read_sample_file(labels, {}, GROUPS)
    assert described == {name: {"ancestry": "afr"} for name in ODD_IDS}


def test_labels_join_all_samples_of_the_callset(cases: Path) -> None:
    folder = cases / "11_sample_ids"
    described, _ = read_sample_file(folder / "labels.tsv", {"sample_id": "sample"}, GROUPS)
    assert set(described) == set(parse_file(folder / "ids.vcf").samples)


def test_a_repeated_column_is_refused_naming_the_sample(cases: Path) -> None:
    with pytest.raises(BadSamples, match=r"dup\.vcf: 1 sample ids stand more than once in the header: S2\."):
        parse_file(cases / "11_sample_ids" / "dup.vcf")


def test_csv_quotes_ids_with_commas_and_tsv_quotes_nothing(tmp_path: Path) -> None:
    csv = write_bytes(tmp_path / "a.csv", 'sample_id,ancestry\r\n"a,b",eur\r\n"say ""hi""",afr\r\n')
    tsv = write_bytes(tmp_path / "a.tsv", 'sample_id\tancestry\r\n"a,b"\teur\r\nsay "hi"\tafr\r\n')
    assert list(read_sample_file(csv, {}, GROUPS)[0]) == ["a,b", 'say "hi"']
    assert list(read_sample_file(tsv, {}, GROUPS)[0]) == ['"a,b"', 'say "hi"']


def test_a_byte_order_mark_and_blank_lines_are_no_data(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "a.tsv", "\ufeffsample_id\tancestry\n\nS1\tafr\n\n\n")
    assert read_sample_file(path, {}, GROUPS)[0] == {"S1": {"ancestry": "afr"}}


def test_the_same_label_twice_is_one_label(cases: Path) -> None:
    folder = cases / "18_an0_and_group_labels"
    read = [
        read_sample_file(folder / name, {"sample_id": "sample"}, GROUPS)[0]
        for name in ("labels.tsv", "labels_dup_same.tsv")
    ]
    del read[0]["Z9"]
    assert read[0] == read[1]


def test_two_labels_of_one_sample_are_refused_naming_it(cases: Path) -> None:
    path = cases / "18_an0_and_group_labels" / "labels_dup_conflict.tsv"
    with pytest.raises(BadSamples, match="1 samples have two different rows: S2;"):
        read_sample_file(path, {"sample_id": "sample"}, GROUPS)


def test_labels_are_compared_without_case_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    good = write_bytes(tmp_path / "good.tsv", "sample_id\tancestry\nS1\tEuR\nS2\tAFR\nS3\t\nS4\tNA\n")
    labels = {name: row["ancestry"] for name, row in read_sample_file(good, {}, GROUPS)[0].items()}
    assert labels == {"S1": "eur", "S2": "afr", "S3": None, "S4": None}
    bad = write_bytes(tmp_path / "bad.tsv", "sample_id\tancestry\nS1\teur\n\nS2\tmartian\n")
    with pytest.raises(BadSamples, match=r"line 4, sample S2: ancestry 'martian' is not among afr, amr"):
        read_sample_file(bad, {}, GROUPS)


def test_sex_karyotypes(tmp_path: Path) -> None:
    values = {
        "XX": "XX",
        "xy": "XY",
        "X0": "other",
        "XXY": "other",
        "other": "other",
        "": None,
        "unknown": None,
    }
    rows = "".join(f"S{number}\t{value}\n" for number, value in enumerate(values))
    path = write_bytes(tmp_path / "a.tsv", "sample_id\tsex_karyotype\n" + rows)
    described, present = read_sample_file(path, {}, GROUPS)
    assert [row["sex_karyotype"] for row in described.values()] == list(values.values())
    assert present == ("sex_karyotype",)
    for value in ("male", "1", "F", "46,XX", "YX1"):
        path = write_bytes(tmp_path / "b.tsv", f"sample_id\tsex_karyotype\nS1\t{value}\n")
        with pytest.raises(BadSamples, match="line 2, sample S1: sex_karyotype"):
            read_sample_file(path, {}, GROUPS)


@pytest.mark.parametrize(
    ("text", "columns", "error", "message"),
    [
        ("", {}, BadSource, "empty; it needs a header line"),
        ("id\tancestry\nS1\tafr\n", {}, BadSamples, "no column for sample_id; the file has: id, ancestry"),
        ("sample_id\tpop\n", {"ancestry": "super_pop"}, BadSamples, "no column for ancestry"),
        ("sample_id\tancestry\n \tafr\n", {}, BadSamples, "line 2 has an empty sample id"),
        ("sample_id\tancestry\nS1\n", {}, BadSamples, "line 2 has 1 fields, not 2"),
        ("sample_id\tancestry\nS1\tafr\tx\n", {}, BadSamples, "line 2 has 3 fields, not 2"),
        ("sample_id\tsex_karyotype\nS1\tXX\nS1\tXY\n", {}, BadSamples, "two different rows: S1"),
        ("sample_id\tsex_karyotype\nS1\tXX\nS1\tzz\n", {}, BadSamples, "line 3, sample S1: sex_karyotype"),
        ("sample_id\tancestry\n", {}, BadSamples, "a header and no samples"),
    ],
)
def test_sample_files_that_do_not_say_who_is_who(
    text: str, columns: dict[str, str], error: type[Exception], message: str, tmp_path: Path
) -> None:
    path = write_bytes(tmp_path / "bad.tsv", text)
    with pytest.raises(error, match=message) as refusal:
        read_sample_file(path, columns, GROUPS)
    assert str(path) in str(refusal.value)


def test_a_sample_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (
        tmp_path / "absent.tsv",
        tmp_path,
        write_bytes(tmp_path / "latin.tsv", b"sample_id\n\xdc\n"),
    ):
        with pytest.raises(BadSource, match="cannot be read as UTF-8 text"):
            read_sample_file(path, {}, GROUPS)
