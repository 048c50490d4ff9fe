"""Sample files and id lists: what ends a row, what quotes mean, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from allofus_spark.cohort import read_sample_ids
from allofus_spark.delimited import places_of, read_table, read_text, split_rows
from allofus_spark.errors import BadSamples, BadSource
from allofus_spark.ingest.samples import read_sample_file


def test_quotes_mean_something_in_csv_alone() -> None:
    assert split_rows("a.csv", '"a",b\n', ",") == [(1, ["a", "b"])]
    assert split_rows("a.tsv", '"a"\tb', "\t") == [(1, ['"a"', "b"])]


def test_an_id_in_a_tsv_keeps_its_quotation_marks(tmp_path: Path) -> None:
    path = tmp_path / "ids.tsv"
    path.write_text('n\tsample_id\r\n1\t"x"\r\n\r\n2\ty z\r\n')
    assert read_sample_ids(path) == ['"x"', "y z"]


def test_ids_one_a_line_need_no_header(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text("007\nNA\n\n")
    assert read_sample_ids(path) == ["007", "NA"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadSource, match=r"ids\.txt: cannot be read as UTF-8 text"):
        read_text(path)


def test_lines_that_end_in_a_carriage_return_alone_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes(b"S1\rS2\r")
    with pytest.raises(BadSource, match=r"ids\.txt: its lines end in a carriage return alone"):
        read_sample_ids(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n\tsample_id\n\tS1\n1\t\n2\n", r"2 lines have no sample id: line 3, line 4; complete them"),
        ("S1\n\tS2\n", "1 lines have no sample id: line 2"),
        ("sample_id\n\n", "no sample ids in it"),
    ],
)
def test_a_line_without_an_id_is_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "ids.tsv"
    path.write_text(text)
    with pytest.raises(BadSamples, match=message):
        read_sample_ids(path)


def test_a_row_counts_whose_first_cell_is_blank(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("n,sample_id\n,S1\n2,S2\n")
    assert read_sample_ids(path) == ["S1", "S2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('sample_id,n\na,"b\nc,d\n', "the row that begins on line 2 cannot be read as CSV: unexpected end"),
        (
            'sample_id,n\na,"b"c\n',
            "the row that begins on line 2 cannot be read as CSV: ',' expected after '\"'",
        ),
        (
            f'sample_id,n\na,"{"x" * 200_000}"\n',
            "the row that begins on line 2 cannot be read as CSV: field larger",
        ),
    ],
)
def test_a_csv_with_loose_quotation_marks_is_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(text)
    with pytest.raises(BadSource, match=rf"ids\.csv: {message}"):
        read_sample_ids(path)
    with pytest.raises(BadSource, match=rf"ids\.csv: {message}"):
        list(read_table(path, "sample_id")[1])


def test_a_column_that_is_wanted_stands_there_once(tmp_path: Path) -> None:
    header = ["", "a", "b", ""]
    assert places_of("f", header, ("x", "y", "z"), {"x": "b", "z": "a"}, ("x",)) == {"x": 2, "z": 1}
    path = tmp_path / "samples.tsv"
    path.write_text("sample_id\tancestry\tancestry\na\tafr\teur\n")
    with pytest.raises(BadSamples, match="several columns are called ancestry; rename all but one of each"):
        read_sample_file(path, {}, ("afr", "eur"))
