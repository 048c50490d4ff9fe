"""The compiled parser against a plain one on made records, good and bad, however the bytes are cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cases.plain_ingest import parse_file, plain_calls
from tests.cases.plain_parser import PlainRow, parse_line
from tests.cases.vcf_files import vcf_text, write_bgzip, write_bytes

CHR21_LENGTH = 46_709_983


def mostly(good: list[str], odd: list[str]) -> st.SearchStrategy[str]:
    """One of ``good``, or seldom of ``odd``."""
    return st.sampled_from(good * (1 + 8 * len(odd) // len(good)) + odd)


CHROMS = mostly(["chr21", "21", "decoy"], ["<asm>", "HLA*01:01", "", "a b", "#chr21", "a,b", "<x", "é"])
POSITIONS = mostly(
    ["100", "2000000", "46709983"],
    ["1", "0", "00100", "-1", "1.0", "", "46709984", "2147483646", "2147483647"],
)
REFS = mostly(["A", "C", "ACGT", "TTAG"], ["n", "RY", "acgt", "", ".", "A,C", "<DEL>", "X1"])
ALTS = mostly(
    ["G", "T", "GG", "ACG", "T,G", "TTAC,T", "G,*", "G,T,CA"],
    [".", "*", "<*>", "<NON_REF>", "<DEL>", "<DEL>,<DUP>", "g", "A", "a", "G,G", "G,g", "", ",", "G,", "G.",
     ".G", "G[chr1:5[", "]chr1:5]G", "G[chr1:5]", "[x[", "<", "<>", "G T", "R", "G[[", "<a b>"],
)  # fmt: skip
QUALS = mostly(
    [".", "30", "99.5"], ["1e3", "nan", "-Inf", "+5", ".5", "5.", "x", "", "1e", "0x1f", "1_0", "١"]
)
FILTERS = mostly([".", "PASS", "q10", "q10;s50"], ["", "PASS;", "0", "my filter"])
FORMATS = mostly(["GT", "GT:DP", "DP:GT", "GT:AD:GQ"], ["DP", ".", "", "GT:GT", "gt", "GTX:GT", "GT::GT"])
GTS = mostly(
    ["0/0", "0|0", "0/1", "1|0", "1/1", "./.", "0/2", "2|1"],
    ["1", "0", ".", "./1", "1|.", "0/0/1", "/1", "3/0", "0/10", "", "0|", "0//1", "00", "0/01", "1.", "a",
     "0/1 ", "-"],
)  # fmt: skip


@st.composite
def records(draw: st.DrawFn, n_samples: int) -> str:
    format_ = draw(FORMATS)
    place = format_.split(":").index("GT") if "GT" in format_.split(":") else 0
    fields = []
    for _ in range(n_samples):
        values = ["7"] * len(format_.split(":"))
        values[place] = draw(GTS)
        n_values = draw(st.sampled_from([len(values)] * 8 + [place + 1, 1, len(values) + 1]))
        fields.append(":".join([*values, "9"][:n_values]))
    n_columns = draw(mostly(["0"], ["-1", "1"]))
    fields = fields[:-1] if n_columns == "-1" else fields + ["0/0"] * int(n_columns)
    fixed = [draw(CHROMS), draw(POSITIONS), draw(st.sampled_from([".", "rs1", "a;b", "ä"])), draw(REFS)]
    fixed += [draw(ALTS), draw(QUALS), draw(FILTERS), "AC=1;AN=2", format_]
    return "\t".join([*fixed, *fields])


@st.composite
def files(draw: st.DrawFn) -> tuple[int, list[str]]:
    n_samples = draw(st.integers(1, 11))
    return n_samples, draw(st.lists(records(n_samples), min_size=1, max_size=6))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files(), st.integers(40, 600), st.integers(1, 300), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_rows_are_those_of_a_plain_parser(
    folder: Path,
    file: tuple[int, list[str]],
    split_bytes: int,
    chunk_bytes: int,
    line_end: str,
    is_bgzip: bool,
) -> None:
    n_samples, lines = file
    text = vcf_text([], [f"S{number}" for number in range(n_samples)], line_end=line_end)
    # A record line that is a comment right behind the header would end the header there.
    lines = ["\t".join(["chr21", "5", ".", "A", "C", ".", ".", ".", "GT", *["0/0"] * n_samples]), *lines]
    text += line_end.join(lines) + line_end
    path = folder / "records.vcf"
    if is_bgzip:
        write_bgzip(path, text, block_bytes=97)
    else:
        write_bytes(path, text)
    parsed = parse_file(path, split_bytes=split_bytes, chunk_bytes=chunk_bytes, batch_bytes=64)
    expected = [
        parse_line(line, n_samples, CHR21_LENGTH if line.startswith(("chr21\t", "21\t")) else None)
        for line in lines
    ]
    assert len(parsed.refused) == expected.count(None)
    rows = [
        PlainRow(
            row["position"],
            row["ref"],
            row["alt"],
            None if row["filters"] is None else tuple(row["filters"]),
            "" if row["qual"] is None else repr(row["qual"]),
            row["input_id"],
            tuple(plain_calls(row)),
        )
        for row in parsed.alleles
    ]
    assert rows == [row for alleles in expected if alleles for row in alleles]
