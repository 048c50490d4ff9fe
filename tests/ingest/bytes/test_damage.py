"""Damage of every kind ends in an error that says where and what to do, never in fewer or other lines."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from dataclasses import replace

import pytest

from allofus_spark.errors import BadSource
from allofus_spark.ingest.bytes import Kind, Split, SplitReport, check_reports, plan_splits, read_chunks

from .plain_reading import (
    EOF_MARKER,
    PATH,
    bgzip,
    block,
    deflate,
    lines_of,
    plain_lines,
    read_file,
    read_split,
)

TEXT = b"##fileformat=VCFv4.3\n#CHROM\tPOS\nchr1\t11\nchr1\t12\nchr2\t7\n"
FIRST, SECOND = block(TEXT[:30]), block(TEXT[30:])
WHOLE = FIRST + SECOND + EOF_MARKER


def message_of(data: bytes, *, split_bytes: int = 1 << 40) -> str:
    with pytest.raises(BadSource) as refusal:
        read_file(data, split_bytes=split_bytes)
    return str(refusal.value)


def with_trailer(crc: int, n_bytes: int) -> bytes:
    return SECOND[:-8] + struct.pack("<II", crc, n_bytes)


AT = len(FIRST)
BLOCK_AT = f"at byte {AT}, a bgzip block"
N_SECOND, CRC_OF_SECOND = len(TEXT) - 30, zlib.crc32(TEXT[30:])
DAMAGED = {
    "cut in a block": (
        WHOLE[: AT + 40],
        f"{BLOCK_AT} of {len(SECOND)} bytes begins, but the file ends after 40: it was cut short",
    ),
    "cut in a header": (WHOLE[: AT + 10], f"{BLOCK_AT} begins, but the file ends after 10 bytes: cut short"),
    "cut in the end marker": (WHOLE[:-3], "but the file ends after 25"),
    "no end marker": (
        FIRST + SECOND,
        f"cut short at byte {len(FIRST + SECOND)}: it lacks the 28-byte end-of-file marker",
    ),
    "wrong CRC": (
        FIRST + with_trailer(1, N_SECOND) + EOF_MARKER,
        f"{BLOCK_AT} begins that fails its CRC32 check (stored 00000001, computed {CRC_OF_SECOND:08x})",
    ),
    "wrong ISIZE": (
        FIRST + with_trailer(CRC_OF_SECOND, 5) + EOF_MARKER,
        f"{BLOCK_AT} begins that inflates to {N_SECOND} bytes where its ISIZE says 5",
    ),
    "ISIZE too large": (
        FIRST + with_trailer(0, 65537) + EOF_MARKER,
        f"{BLOCK_AT} begins that claims 65537 bytes of text, over the 65536",
    ),
    "bad deflate data": (
        FIRST + SECOND[:18] + b"\xff" * (len(SECOND) - 26) + SECOND[-8:] + EOF_MARKER,
        f"{BLOCK_AT} begins that cannot be inflated",
    ),
    "member without BC": (
        FIRST + gzip.compress(TEXT[30:], mtime=0) + EOF_MARKER,
        f"at byte {AT}, a gzip member begins that has no valid BC field",
    ),
    "trailing garbage": (
        WHOLE + b"garbage after the end",
        f"at byte {len(WHOLE)}, no bgzip block begins (67 61 72 62",
    ),
    "trailing zeros": (WHOLE + bytes(4096), f"at byte {len(WHOLE)}, no bgzip block begins (00 00"),
    "block after the end marker": (WHOLE + block(b"chr3\t1\n"), "lacks the 28-byte end-of-file marker"),
    "length of the first extra field": (
        WHOLE[:10] + (AT + 6).to_bytes(2, "little") + WHOLE[12:],
        "at byte 0, a bgzip block begins whose header is damaged or cut short (1f 8b 08 04",
    ),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_bgzip_names_the_byte_and_the_remedy(damage: str) -> None:
    data, expected = DAMAGED[damage]
    message = message_of(data)
    assert message.startswith(f"{PATH}: ")
    assert expected in message
    assert "opy the file again from its source" in message or "Copy it again" in message


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("split_bytes", [25, 40, 64, 100])
def test_damaged_bgzip_is_refused_however_it_is_split(damage: str, split_bytes: int) -> None:
    assert "byte" in message_of(DAMAGED[damage][0], split_bytes=split_bytes)


def test_repairs_are_named() -> None:
    assert "bgzip -dc FILE | bgzip > NEW.vcf.gz" in message_of(DAMAGED["no end marker"][0])
    assert "gzip -dc FILE | bgzip > NEW.vcf.gz" in message_of(DAMAGED["member without BC"][0])
    assert f"head -c {len(WHOLE)} FILE" in message_of(DAMAGED["trailing garbage"][0])


def test_a_damaged_full_block_is_refused_by_the_split_that_looks_for_it() -> None:
    text = b"".join(b"%d\n" % (number * 7919**3) for number in range(60_000))
    data = bytearray(bgzip(text, level=0))
    split = plan_splits(PATH, Kind.BGZIP, len(data), 150_000)[1]
    data[150_000:] = bytes(len(data) - 150_000)
    with pytest.raises(BadSource, match="at byte 150000, no whole bgzip block begins within 65536 bytes"):
        list(read_chunks(io.BytesIO(data), split, chunk_bytes=1000, max_line_bytes=1000))


@pytest.mark.parametrize("split_bytes", [1 << 20, 33])
def test_no_flipped_byte_changes_lines_silently(split_bytes: int) -> None:
    text = b"#CHROM\tPOS\nchr1\t11\n"
    data = block(text[:13]) + block(text[13:]) + EOF_MARKER
    assert lines_of(read_file(data, split_bytes=split_bytes)) == plain_lines(text)
    n_refused = 0
    for position in range(len(data)):
        for flip in range(1, 256):
            flipped = bytearray(data)
            flipped[position] ^= flip
            try:
                lines = lines_of(read_file(bytes(flipped), split_bytes=split_bytes))
            except BadSource:
                n_refused += 1
            else:
                assert lines == plain_lines(text), (position, flip)
    assert n_refused > 0.5 * 255 * len(data)


@pytest.mark.parametrize("split_bytes", [1 << 20, 33, 64])
def test_no_truncation_loses_lines_silently(split_bytes: int) -> None:
    for n_bytes in range(len(WHOLE)):
        with pytest.raises(BadSource):
            read_file(WHOLE[:n_bytes], split_bytes=split_bytes)


@pytest.mark.parametrize("n_missing", range(1, 5))
def test_a_lost_block_header_is_not_read_as_text_or_gzip(n_missing: int) -> None:
    with pytest.raises(BadSource):
        read_file(WHOLE[n_missing:])


def test_truncated_and_corrupt_gzip() -> None:
    members = gzip.compress(TEXT[:30], mtime=0), gzip.compress(TEXT[30:], mtime=0)
    data, at = b"".join(members), len(members[0])
    assert lines_of(read_file(data)) == plain_lines(TEXT)
    for n_bytes in range(1, len(data)):
        if n_bytes != at:  # gzip has no end marker: a file cut between members looks whole to any reader
            assert "byte" in message_of(data[:n_bytes])
    assert (
        f"at byte {at}, a gzip member begins that is cut short: the file ends at byte {at + 20}"
        in message_of(data[: at + 20])
    )
    assert f"at byte {at}, a gzip member begins that is corrupt" in message_of(
        data[:-6] + b"\0\0" + data[-4:]
    )
    assert f"at byte {at}, a gzip member begins that is corrupt" in message_of(data[:-1] + b"\1")
    garbage = message_of(data + b"garbage")
    assert f"at byte {len(data)}, bytes follow the last gzip member that are not one (67 61 72" in garbage
    assert f"head -c {len(data)} FILE" in garbage


def test_no_flipped_byte_of_gzip_changes_lines_silently() -> None:
    data = gzip.compress(TEXT[:40], mtime=0)
    for position in range(len(data)):
        for flip in range(1, 256):
            flipped = data[:position] + bytes([data[position] ^ flip]) + data[position + 1 :]
            try:
                lines = lines_of(read_file(flipped))
            except BadSource:
                continue
            assert lines == plain_lines(TEXT[:40]), (position, flip)


def test_a_block_that_inflates_beyond_its_claim_is_refused() -> None:
    bomb = deflate(bytes(5_000_000))
    member = struct.pack("<4BI2BH", 31, 139, 8, 4, 0, 0, 255, 6) + b"BC\x02\x00"
    member += struct.pack("<H", 18 + len(bomb) + 8 - 1) + bomb + struct.pack("<II", 0, 60_000)
    assert "inflates to 5000000 bytes" in message_of(FIRST + member + EOF_MARKER)


def read_whole_as_planned(stored: bytes, planned: bytes, kind: Kind) -> None:
    n_planned = len(planned)
    stream = io.BytesIO(stored)
    _, report = read_split(stream, planned, kind, 0, n_planned, chunk_bytes=1000, max_line=1000)
    check_reports([report], kind, n_planned)


@pytest.mark.parametrize("kind", Kind)
def test_a_file_that_changes_length_after_planning_is_refused(kind: Kind) -> None:
    data = {Kind.BGZIP: WHOLE, Kind.GZIP: gzip.compress(TEXT), Kind.TEXT: TEXT}[kind]
    more = {Kind.BGZIP: SECOND, Kind.GZIP: gzip.compress(TEXT), Kind.TEXT: TEXT}[kind]
    less = {Kind.BGZIP: FIRST, Kind.GZIP: b"", Kind.TEXT: TEXT[:20]}[kind]
    for stored, expected in ((data + more, f"{len(data)}"), (less, "cut short")):
        with pytest.raises(BadSource, match=expected):
            read_whole_as_planned(stored, data, kind)


def reports_of(data: bytes, kind: Kind, split_bytes: int) -> list[SplitReport]:
    numbers = range(len(plan_splits(PATH, kind, len(data), split_bytes)))
    return [
        read_split(io.BytesIO(data), data, kind, number, split_bytes, chunk_bytes=10, max_line=1000)[1]
        for number in numbers
    ]


def test_reports_say_what_was_read() -> None:
    first, second, third = reports_of(WHOLE, Kind.BGZIP, AT)[:3]
    assert first == SplitReport(
        path=PATH,
        start=0,
        end=AT,
        first_block=0,
        next_block=AT,
        bytes_inflated_owned=30,
        line_bytes=TEXT.index(b"\n", 30) + 1,
        discarded_bytes=0,
        read_past_bytes=TEXT.index(b"\n", 30) + 1 - 30,
        n_lines=2,
        added_newline=False,
        saw_eof_marker=False,
    )
    assert (second.first_block, second.next_block) == (AT, len(WHOLE))  # both blocks begin before 2 × AT
    assert second.saw_eof_marker
    assert second.discarded_bytes == first.read_past_bytes
    assert second.line_bytes == len(TEXT) - first.line_bytes
    assert second.n_lines == 3
    assert (third.first_block, third.next_block, third.n_lines, third.bytes_inflated_owned) == (
        None,
        None,
        0,
        0,
    )


def test_a_missing_final_line_feed_is_added_and_recorded() -> None:
    for data, kind in (
        (b"a\nb", Kind.TEXT),
        (bgzip(b"a\nb"), Kind.BGZIP),
        (gzip.compress(b"a\nb"), Kind.GZIP),
    ):
        reports = reports_of(data, kind, 2)
        assert [report.added_newline for report in reports].count(True) == 1
        assert sum(report.line_bytes for report in reports) == 4
        check_reports(reports, kind, len(data))


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.BGZIP])
def test_lost_doubled_and_contradictory_reports_are_refused(kind: Kind) -> None:
    data = WHOLE if kind is Kind.BGZIP else TEXT
    reports = reports_of(data, kind, 20)
    check_reports(reports[::-1], kind, len(data))
    lost = reports[:1] + reports[2:]
    with pytest.raises(BadSource, match=rf"{PATH}: bytes 20 to 40 of {len(data)} were read in no split"):
        check_reports(lost, kind, len(data))
    with pytest.raises(BadSource, match=rf"bytes 20 to 40 of {len(data)} were read in more than one split"):
        check_reports([*reports, reports[1]], kind, len(data))
    with pytest.raises(BadSource, match=rf"bytes {len(data)} to {len(data) + 1} .* in no split"):
        check_reports(reports, kind, len(data) + 1)
    other_text = [*reports[1:], replace(reports[0], line_bytes=reports[0].line_bytes - 1)]
    with pytest.raises(
        BadSource, match=f"holds {len(TEXT)} bytes of text .* but {len(TEXT) - 1} bytes were given"
    ):
        check_reports(other_text, kind, len(data))
    with pytest.raises(ValueError, match="exactly one file"):
        check_reports([*reports, replace(reports[0], path="other")], kind, len(data))


def test_a_split_that_missed_a_block_is_refused() -> None:
    reports = reports_of(WHOLE, Kind.BGZIP, AT)
    moved = [reports[0], replace(reports[1], first_block=AT + 1), *reports[2:]]
    with pytest.raises(
        BadSource, match=rf"bytes {AT} to {AT + 1} of {len(WHOLE)} were read in no block: .* damaged"
    ):
        check_reports(moved, Kind.BGZIP, len(WHOLE))


def test_a_block_damaged_between_splits_is_refused() -> None:
    """The damaged block is the first of its split, and the line before it ends in its own block."""
    first, damaged, last = block(b"a\nb\n"), bytearray(block(b"c\n")), block(b"d\n")
    damaged[-8] ^= 1
    data = first + bytes(damaged) + last + EOF_MARKER
    for split_bytes in range(len(first) - 3, len(first) + 4):
        assert "byte" in message_of(data, split_bytes=split_bytes)


def test_split_arguments_are_checked() -> None:
    split = Split(PATH, Kind.TEXT, 0, 4, 4)
    with pytest.raises(ValueError, match="must be positive"):
        read_chunks(io.BytesIO(b"a\nb\n"), split, chunk_bytes=0, max_line_bytes=10)
    with pytest.raises(ValueError, match="split_bytes"):
        plan_splits(PATH, Kind.TEXT, 4, 0)
