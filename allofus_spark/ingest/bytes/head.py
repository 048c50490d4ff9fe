"""The beginning of a file's text, read without splits: enough for the header."""

from __future__ import annotations

from allofus_spark.errors import BadSource
from allofus_spark.ingest.bytes.kinds import Kind
from allofus_spark.ingest.bytes.pieces import MAX_PIECE_BYTES, ByteStream
from allofus_spark.ingest.bytes.readers import open_pieces


def read_head(stream: ByteStream, kind: Kind, max_bytes: int, *, path: str = "input") -> bytes:
    """Return the first `max_bytes` bytes of inflated text, or all of it where there is less.

    The stream must stand at byte 0 and is never asked to seek. Damage raises BadSource.
    """
    head = bytearray()
    for piece in open_pieces(stream, kind, path, piece_bytes=max(1, min(max_bytes, MAX_PIECE_BYTES))):
        head += piece.text
        if len(head) >= max_bytes:
            break
    return bytes(head[:max_bytes])


def read_header_lines(
    stream: ByteStream, kind: Kind, *, max_header_bytes: int, path: str = "input"
) -> tuple[list[bytes], bool]:
    """Return all leading lines that begin with `#`, and whether any other line follows.

    Lines come without their line feed and one carriage return before it. The stream must stand at byte 0 and
    is never asked to seek.

    Raises
    ------
    BadSource
        The file is damaged within its header, or the header is longer than `max_header_bytes`.
    """
    lines: list[bytes] = []
    text = bytearray()
    line_start = 0
    for piece in open_pieces(stream, kind, path, piece_bytes=MAX_PIECE_BYTES):
        unsearched = len(text)
        text += piece.text
        while text.startswith(b"#", line_start):
            line_end = text.find(b"\n", max(line_start, unsearched))
            if line_end < 0:
                break
            lines.append(bytes(text[line_start:line_end]).removesuffix(b"\r"))
            line_start = line_end + 1
        other_follows = line_start < len(text) and not text.startswith(b"#", line_start)
        _refuse_long_header(line_start if other_follows else len(text), max_header_bytes, path)
        if other_follows:
            return lines, True
    if line_start < len(text):
        lines.append(bytes(text[line_start:]).removesuffix(b"\r"))
    return lines, False


def _refuse_long_header(header_bytes: int, max_header_bytes: int, path: str) -> None:
    if header_bytes > max_header_bytes:
        raise BadSource(
            f"{path}: at byte {max_header_bytes} of its text, the lines that begin with # still go on: the "
            f"header is longer than max_header_bytes ({max_header_bytes}). If the file is right, raise that "
            "setting."
        )
