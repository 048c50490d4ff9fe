"""Each line is given once, whole and with its place, however the file is compressed, split and chunked."""

from __future__ import annotations

import gzip
import io
import json
import random
import tracemalloc
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.errors import BadSource
from allofus_spark.ingest.bytes import Kind, plan_splits, read_chunks

from .plain_reading import (
    EOF_MARKER,
    PATH,
    ForwardStream,
    bgzip,
    block,
    lines_of,
    plain_lines,
    plain_offsets,
    plain_virtual_offsets,
    read_file,
    read_split,
)

# Few letters, many line feeds; carriage returns and NUL bytes must come through.
texts = st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"\0", b"a", b"bcd", b"#" * 20]), min_size=1).map(
    b"".join
)
block_sizes = st.lists(st.integers(0, 12), max_size=40)
sizes = st.integers(1, 300)


@given(texts, block_sizes, sizes, sizes)
def test_bgzip_reads_as_plain_text_with_virtual_offsets(
    text: bytes, payloads: list[int], split_bytes: int, chunk_bytes: int
) -> None:
    data = bgzip(text, payloads)
    located = read_file(data, kind=Kind.BGZIP, split_bytes=split_bytes, chunk_bytes=chunk_bytes)
    assert located == list(zip(plain_lines(text), plain_virtual_offsets(text, payloads), strict=True))


@given(texts, sizes, sizes)
def test_text_reads_as_plain_text_with_byte_offsets(text: bytes, split_bytes: int, chunk_bytes: int) -> None:
    located = read_file(text, kind=Kind.TEXT, split_bytes=split_bytes, chunk_bytes=chunk_bytes)
    assert located == list(zip(plain_lines(text), plain_offsets(text), strict=True))


@given(texts, block_sizes, sizes)
def test_gzip_of_many_members_reads_as_plain_text(text: bytes, members: list[int], chunk_bytes: int) -> None:
    cuts = np.cumsum([0, *members]).tolist()
    ranges = zip(cuts, [*cuts[1:], len(text)], strict=True)
    data = b"".join(gzip.compress(text[start:end]) for start, end in ranges)
    located = read_file(data, kind=Kind.GZIP, split_bytes=7, chunk_bytes=chunk_bytes)
    assert located == list(zip(plain_lines(text), plain_offsets(text), strict=True))


@given(texts, block_sizes, sizes, st.sampled_from(Kind))
def test_a_whole_file_needs_no_seek_and_no_full_reads(
    text: bytes, payloads: list[int], at_most: int, kind: Kind
) -> None:
    data = {Kind.BGZIP: bgzip(text, payloads), Kind.GZIP: gzip.compress(text), Kind.TEXT: text}[kind]
    stream = ForwardStream(data, at_most)
    located, _ = read_split(stream, data, kind, 0, len(data), chunk_bytes=64, max_line=1 << 20)
    assert lines_of(located) == plain_lines(text)


def random_text(n_bytes: int, longest_line: int, seed: int) -> bytes:
    """Lines of random bytes that deflate cannot shrink, so that blocks reach their full size."""
    draw = random.Random(seed)
    text = bytearray(draw.randbytes(n_bytes).replace(b"\n", b" "))
    position = 0
    while (position := position + draw.randint(1, longest_line)) < n_bytes:
        text[position] = ord("\n")
    return bytes(text)


@pytest.mark.parametrize("longest_line", [50, 5000, 300_000])
@pytest.mark.parametrize("split_bytes", [20_000, 65_536, 70_001, 500_000])
def test_splits_of_full_blocks(longest_line: int, split_bytes: int) -> None:
    text = random_text(1_200_000, longest_line, seed=longest_line)
    located = read_file(bgzip(text), kind=Kind.BGZIP, split_bytes=split_bytes, chunk_bytes=100_000)
    assert lines_of(located) == plain_lines(text)


@pytest.mark.parametrize("split_bytes", [1000, 4099, 65_536, 100_003])
def test_block_headers_inside_stored_blocks_do_not_mislead(split_bytes: int) -> None:
    """A bgzip file inside a bgzip file, stored as it is: hundreds of true headers at false places."""
    inner = bgzip(random_text(400_000, 500, seed=1), [1500] * 1000)
    located = read_file(bgzip(inner, level=0), kind=Kind.BGZIP, split_bytes=split_bytes)
    assert lines_of(located) == plain_lines(inner)


@pytest.mark.parametrize("split_bytes", range(20, 130, 7))
def test_a_false_header_whose_length_leads_to_a_true_block_does_not_mislead(split_bytes: int) -> None:
    text = b"line 1\nline 2 "
    # In a stored block of n bytes of text, the text ends 8 bytes before the next block begins.
    false_header = EOF_MARKER[:16] + (18 + 30 + 8 - 1).to_bytes(2, "little") + b"x" * 30
    outer = block(text + false_header, level=0)
    assert outer.find(false_header) + 18 + 30 + 8 == len(outer)
    data = outer + block(b"\nline 3\n") + EOF_MARKER
    located = read_file(data, kind=Kind.BGZIP, split_bytes=split_bytes)
    assert lines_of(located) == plain_lines(text + false_header + b"\nline 3\n")


def test_other_extra_subfields_around_bc_are_legal() -> None:
    data = block(b"a\nb", before=b"XY\x01\x00z") + block(b"c\n", after=b"BC\x00\x00") + EOF_MARKER
    assert lines_of(read_file(data, split_bytes=30)) == [b"a\n", b"bc\n"]


def test_files_joined_with_cat_are_whole(cases: Path) -> None:
    folder = cases / "12_gz_kinds"
    expected = json.loads((folder / "expected.json").read_text())
    files = {path.name: path.read_bytes() for path in folder.glob("*.vcf.*")}
    assert set(files) == {name for name in expected if name != "or"}
    for name, data in files.items():
        for split_bytes in (1 << 20, 100, 30):
            lines = lines_of(read_file(data, split_bytes=split_bytes))
            assert sum(not line.startswith(b"#") for line in lines) == expected[name]["n_rows"]


@pytest.mark.parametrize("split_bytes", [1 << 40, 65_536, 30_000])
def test_virtual_offsets_are_those_of_htslib(realdata: Path, split_bytes: int) -> None:
    path = realdata / "multisample" / "pgx_grch38_3202" / "VKORC1.vcf.gz"
    expected = []
    with pysam.BGZFile(str(path)) as file:
        place = file.tell()
        while line := file.readline():
            expected.append((line + b"\n", place))
            place = file.tell()
    assert len(expected) > 100
    assert read_file(path.read_bytes(), split_bytes=split_bytes, chunk_bytes=1 << 18) == expected


def test_htslib_finds_each_line_at_its_virtual_offset_across_empty_blocks(tmp_path: Path) -> None:
    part = bgzip(b"one\ntwo\nthree and", [4, 6, 0, 5])
    data = part + EOF_MARKER + bgzip(b" more\nfour\n", [6])
    path = tmp_path / "joined.gz"
    path.write_bytes(data)
    located = read_file(data, split_bytes=50)
    assert len(located) == 4
    with pysam.BGZFile(str(path)) as file:
        for line, place in located:
            file.seek(place)
            assert file.readline() + b"\n" == line


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("chunk_bytes", [1, 10, 1000])
def test_longest_line_is_a_limit_whatever_the_chunk(kind: Kind, chunk_bytes: int) -> None:
    text = b"short\n" + b"x" * 50 + b"\nshort\n"
    data = {Kind.BGZIP: bgzip(text, [9] * 20), Kind.GZIP: gzip.compress(text), Kind.TEXT: text}[kind]
    place = {
        Kind.BGZIP: "byte 6 of the text of the bgzip block at byte 0",
        Kind.GZIP: "byte 6 of the inflated text",
    }
    arguments = {"chunk_bytes": chunk_bytes}
    located, _ = read_split(io.BytesIO(data), data, kind, 0, len(data), max_line=50, **arguments)
    assert len(located) == 3
    with pytest.raises(BadSource, match=rf"{PATH}: a line is longer than max_line_bytes \(49\)") as refusal:
        read_split(io.BytesIO(data), data, kind, 0, len(data), max_line=49, **arguments)
    assert place.get(kind, "begins at byte 6.") in str(refusal.value)
    assert "raise that setting" in str(refusal.value)


def test_chunks_hold_about_what_was_asked_and_stay_valid() -> None:
    text = random_text(3_000_000, 900, seed=3)
    split = plan_splits(PATH, Kind.TEXT, len(text), len(text))[0]
    chunks = list(read_chunks(io.BytesIO(text), split, chunk_bytes=200_000, max_line_bytes=1 << 20))
    assert b"".join(chunk.data.tobytes() for chunk in chunks).removesuffix(b"\n") == text.removesuffix(b"\n")
    assert all(199_000 < chunk.data.size < 402_000 for chunk in chunks[:-1])


def test_memory_is_bounded_by_the_chunk() -> None:
    chunk_bytes = 2_000_000
    # Lines as long as a record of 30 samples: beside its text, a chunk holds eight bytes a line.
    data = bgzip((b"0/0\t0/1\t./.\t" * 10 + b"\n") * 300_000)
    split = plan_splits(PATH, Kind.BGZIP, len(data), len(data))[0]
    read_file(bgzip(b"one line\n"))  # compiles what finds lines
    tracemalloc.start()
    n_bytes = sum(
        chunk.data.size
        for chunk in read_chunks(io.BytesIO(data), split, chunk_bytes=chunk_bytes, max_line_bytes=1 << 30)
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_bytes == 36_300_000
    assert peak < 2 * chunk_bytes + 2 * 1024 * 1024  # two pieces and a read of compressed bytes


def test_plan_covers_the_file_and_leaves_gzip_whole() -> None:
    assert [(split.start, split.end) for split in plan_splits(PATH, Kind.TEXT, 10, 4)] == [
        (0, 4),
        (4, 8),
        (8, 10),
    ]
    assert [(split.start, split.end) for split in plan_splits(PATH, Kind.BGZIP, 8, 4)] == [(0, 4), (4, 8)]
    assert [(split.start, split.end) for split in plan_splits(PATH, Kind.GZIP, 10, 4)] == [(0, 10)]
    with pytest.raises(BadSource, match="empty file"):
        plan_splits(PATH, Kind.TEXT, 0, 4)


def test_a_report_is_known_only_at_the_end() -> None:
    split = plan_splits(PATH, Kind.TEXT, 4, 4)[0]
    reader = read_chunks(io.BytesIO(b"a\nb\n"), split, chunk_bytes=1, max_line_bytes=9)
    next(reader)
    with pytest.raises(RuntimeError, match="only after its last chunk"):
        _ = reader.report
    list(reader)
    assert reader.report.n_lines == 2
