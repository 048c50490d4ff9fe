"""A byte range of a file as a row of text pieces, each with the place of its first byte.

There is one reader for each kind of file (`readers`). What stands above them sees only text, where it stood,
and whether it belongs to the range. A reader goes on past the end of its range for as long as it is asked:
the last line of a range ends in the next.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple, NoReturn, Protocol

from allofus_spark.errors import BadSource
from allofus_spark.ingest.bytes.kinds import Kind

MAX_PIECE_BYTES = 256 * 1024
"""Upper bound of one piece: small enough for the processor's cache, so that looking at it twice is free."""
BLOCK_ADDRESS_SHIFT = 16
"""A BGZF virtual offset is the block's address shifted by this, plus the offset in the block's text."""


class ByteStream(Protocol):
    """What is asked of a file object; `seek` is used only for ranges that do not begin at byte 0."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> int: ...


class Piece(NamedTuple):
    """Text in a row, the locator of its first byte, and whether its block starts inside the range."""

    text: bytes
    locator: int
    is_owned: bool


def describe_locator(kind: Kind, locator: int) -> str:
    """Say in words where a locator points, for messages."""
    if kind is Kind.BGZIP:
        block, offset = divmod(locator, 1 << BLOCK_ADDRESS_SHIFT)
        return f"byte {offset} of the text of the bgzip block at byte {block}"
    return f"byte {locator} of the inflated text" if kind is Kind.GZIP else f"byte {locator}"


class Pieces(ABC):
    """The pieces of one range, to be walked once.

    Locators do not depend on ranges: BGZF virtual offsets for bgzip (block address × 65536 + offset in the
    block's text), byte offsets for text, byte offsets in the inflated text for gzip.

    Parameters
    ----------
    stream
        Stands at byte 0 if `start` is 0.
    end
        None reads to the end of the file, wherever that is. A file that ends before `end` is refused.
    piece_bytes
        Upper bound of a piece for text and gzip; a piece of bgzip is a block.

    Attributes
    ----------
    first_block, next_block, saw_eof_marker
        As in `SplitReport`, for the pieces walked so far.
    """

    first_block: int | None = None
    next_block: int | None = None
    saw_eof_marker: bool = False

    def __init__(self, stream: ByteStream, path: str, start: int, end: int | None, piece_bytes: int) -> None:
        self._stream = stream
        self._path = path
        self._start = start
        self._end = end
        self._piece_bytes = min(piece_bytes, MAX_PIECE_BYTES)

    @abstractmethod
    def __iter__(self) -> Iterator[Piece]: ...

    def _go_to_start(self) -> None:
        if self._start > 0:
            self._stream.seek(self._start)

    def _owns(self, address: int) -> bool:
        return self._end is None or address < self._end

    def _record_block(self, address: int, next_address: int) -> None:
        if self.first_block is None:
            self.first_block = address
        self.next_block = next_address

    def _refuse_early_end(self, address: int) -> None:
        if self._end is not None and address < self._end:
            self._refuse(address, f"the file ends, before byte {self._end}: it was cut short")

    def _refuse(self, address: int, problem: str, advice: str = "") -> NoReturn:
        advice = f", or {advice}" if advice else ""
        raise BadSource(
            f"{self._path}: at byte {address}, {problem}. Copy the file again from its source{advice}."
        )
