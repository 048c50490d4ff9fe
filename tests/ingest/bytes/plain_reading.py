"""The slow, obvious way: bgzip blocks written with zlib, files read whole, lines cut with `split`."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, repeat

import numpy as np

from allofus_spark.ingest.bytes import (
    ByteStream,
    Kind,
    SplitReport,
    check_reports,
    plan_splits,
    read_chunks,
    sniff_kind,
)

# SAM specification, section 4.1.2.
EOF_MARKER = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
PATH = "cohort.vcf.gz"


def deflate(text: bytes, level: int = 6) -> bytes:
    deflater = zlib.compressobj(level, zlib.DEFLATED, -15)
    return deflater.compress(text) + deflater.flush()


def block(text: bytes, *, level: int = 6, before: bytes = b"", after: bytes = b"") -> bytes:
    """One BGZF block; `before` and `after` are extra subfields around BC."""
    data = deflate(text, level)
    n_extra = len(before) + 6 + len(after)
    n_bytes = 12 + n_extra + len(data) + 8
    header = struct.pack("<4BI2BH", 31, 139, 8, 4, 0, 0, 255, n_extra)
    header += before + b"BC" + struct.pack("<HH", 2, n_bytes - 1) + after
    return header + data + struct.pack("<II", zlib.crc32(text), len(text))


def pieces(text: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """Cut a text into pieces of the given sizes; the rest is one piece of at most 65,280 at a time."""
    sizes = chain(sizes, repeat(65280))
    while text:
        size = next(sizes)
        yield text[:size]
        text = text[size:]


def bgzip(text: bytes, sizes: Iterable[int] = (), *, level: int = 6) -> bytes:
    return b"".join(block(piece, level=level) for piece in pieces(text, sizes)) + EOF_MARKER


def plain_lines(text: bytes) -> list[bytes]:
    lines = text.split(b"\n")
    return [line + b"\n" for line in (lines if lines[-1] else lines[:-1])]


def plain_offsets(text: bytes) -> list[int]:
    """Byte offset of each line start."""
    lengths = [len(line) for line in plain_lines(text)]
    return list(accumulate(lengths, initial=0))[:-1]


def plain_virtual_offsets(text: bytes, sizes: Iterable[int]) -> list[int]:
    """(Address of the block that holds the first byte) × 65536 + offset in it, of each line."""
    of_byte: list[int] = []
    address = 0
    for piece in pieces(text, sizes):
        of_byte += [(address << 16) + offset for offset in range(len(piece))]
        address += len(block(piece))
    return [of_byte[offset] for offset in plain_offsets(text)]


class ForwardStream:
    """A stream that cannot seek and reads at most `at_most` bytes at a time."""

    def __init__(self, data: bytes, at_most: int) -> None:
        self._file = io.BytesIO(data)
        self._at_most = at_most

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._at_most))

    def seek(self, offset: int, /) -> int:
        raise AssertionError(f"seek to {offset} on a forward-only stream")


def read_split(
    stream: ByteStream,
    data: bytes,
    kind: Kind,
    number: int,
    split_bytes: int,
    *,
    chunk_bytes: int,
    max_line: int,
) -> tuple[list[tuple[bytes, int]], SplitReport]:
    """Lines with locators of one split of a file, and its report, after checking the chunks' own promises."""
    split = plan_splits(PATH, kind, len(data), split_bytes)[number]
    reader = read_chunks(stream, split, chunk_bytes=chunk_bytes, max_line_bytes=max_line)
    located = []
    for chunk in reader:
        text = chunk.data.tobytes()
        assert chunk.data.dtype == np.uint8
        assert text.endswith(b"\n")
        starts = np.array(plain_offsets(text))
        located += list(zip(plain_lines(text), chunk.locate(starts).tolist(), strict=True))
    return located, reader.report


def read_file(
    data: bytes, *, kind: Kind | None = None, split_bytes: int = 1 << 40, chunk_bytes: int = 1 << 20
) -> list[tuple[bytes, int]]:
    """Lines with locators of a file, split by split, accounted for."""
    kind = kind or sniff_kind(data, path=PATH)
    results = [
        read_split(
            io.BytesIO(data), data, kind, number, split_bytes, chunk_bytes=chunk_bytes, max_line=1 << 30
        )
        for number in range(len(plan_splits(PATH, kind, len(data), split_bytes)))
    ]
    check_reports([report for _, report in results], kind, len(data))
    assert sum(report.n_lines for _, report in results) == sum(len(located) for located, _ in results)
    return [item for located, _ in results for item in located]


def lines_of(located: Sequence[tuple[bytes, int]]) -> list[bytes]:
    return [line for line, _ in located]
