"""The header is read from the front of the file, whatever its kind."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.errors import BadSource
from allofus_spark.ingest.bytes import Kind, read_head, read_header_lines

from .plain_reading import EOF_MARKER, ForwardStream, bgzip, block

KINDS = {Kind.BGZIP: lambda text: bgzip(text, [7] * 50), Kind.GZIP: gzip.compress, Kind.TEXT: bytes}


def header_of(text: bytes, kind: Kind, max_header_bytes: int = 1000) -> tuple[list[bytes], bool]:
    return read_header_lines(ForwardStream(KINDS[kind](text), 5), kind, max_header_bytes=max_header_bytes)


@pytest.mark.parametrize("kind", Kind)
def test_header_lines_end_at_the_first_other_line(kind: Kind) -> None:
    header = [b"##fileformat=VCFv4.3", b"##x\ry", b"#CHROM\tPOS"]
    assert header_of(b"##fileformat=VCFv4.3\r\n##x\ry\n#CHROM\tPOS\nchr1\t1\n#not\n", kind) == (header, True)
    assert header_of(b"##fileformat=VCFv4.3\n##x\ry\r\n#CHROM\tPOS\r\n", kind) == (header, False)
    assert header_of(b"##fileformat=VCFv4.3\n##x\ry\n#CHROM\tPOS\r", kind) == (header, False)
    assert header_of(b"chr1\t1\n", kind) == ([], True)
    assert header_of(b"#a\n\n#b\n", kind) == ([b"#a"], True)
    assert header_of(b"#a\n\n", kind) == ([b"#a"], True)


@given(st.lists(st.sampled_from([b"#", b"a", b"\n", b"\r\n"])).map(b"".join), st.sampled_from(Kind))
def test_header_is_the_leading_hash_lines_of_any_text(text: bytes, kind: Kind) -> None:
    lines = text.split(b"\n")
    lines = lines if lines[-1] else lines[:-1]
    n_header = next((number for number, line in enumerate(lines) if not line.startswith(b"#")), len(lines))
    expected = [line.removesuffix(b"\r") for line in lines[:n_header]]
    assert header_of(text, kind) == (expected, n_header < len(lines))


@pytest.mark.parametrize("kind", Kind)
def test_an_endless_header_is_refused(kind: Kind) -> None:
    text = b"##" + b"x" * 97 + b"\nchr1\n"
    assert header_of(text, kind, 100) == ([text[:99]], True)
    with pytest.raises(
        BadSource, match=r"input: at byte 99 .* longer than max_header_bytes \(99\).*raise that setting"
    ):
        header_of(text, kind, 99)


def test_damage_in_the_header_is_refused() -> None:
    data = block(b"##fileformat") + block(b"=VCFv4.3\n#CHROM\n")
    for broken, problem in (
        (data[:-3], "cut short"),
        (data[:50] + b"\1" + data[51:] + EOF_MARKER, "begins that"),
    ):
        with pytest.raises(BadSource, match=f"x.vcf.gz: at byte [0-9]+, .*{problem}"):
            read_header_lines(ForwardStream(broken, 99), Kind.BGZIP, max_header_bytes=1000, path="x.vcf.gz")


@given(st.binary(), st.integers(0, 60), st.sampled_from(Kind))
def test_head_is_the_beginning_of_the_text(text: bytes, max_bytes: int, kind: Kind) -> None:
    assert read_head(ForwardStream(KINDS[kind](text), 9), kind, max_bytes) == text[:max_bytes]
