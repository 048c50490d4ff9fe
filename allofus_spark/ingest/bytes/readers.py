"""Readers of the three kinds of file: plain text, gzip and bgzip.

Nothing is passed over in silence: every byte of the file is text, or part of a member or block whose checks
were taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from isal import igzip_lib

from allofus_spark.bgzip import END_OF_FILE
from allofus_spark.ingest.bytes import bgzf
from allofus_spark.ingest.bytes.kinds import Kind
from allofus_spark.ingest.bytes.pieces import BLOCK_ADDRESS_SHIFT, ByteStream, Piece, Pieces

_BGZIP_READ_BYTES = 1024 * 1024
_GZIP_READ_BYTES = 256 * 1024  # a member copies what was read behind it: many small members must stay cheap


def open_pieces(
    stream: ByteStream, kind: Kind, path: str, *, start: int = 0, end: int | None = None, piece_bytes: int
) -> Pieces:
    """Return the pieces of the bytes [start, end) of a file; see `Pieces` for the parameters."""
    readers: dict[Kind, type[Pieces]] = {
        Kind.BGZIP: _BgzipPieces,
        Kind.GZIP: _GzipPieces,
        Kind.TEXT: _TextPieces,
    }
    return readers[kind](stream, path, start, end, piece_bytes)


class _TextPieces(Pieces):
    def __iter__(self) -> Iterator[Piece]:
        self._go_to_start()
        address = self._start
        while text := self._stream.read(self._allowance(address)):
            is_owned = self._owns(address)
            if is_owned:
                self._record_block(address, address + len(text))
            yield Piece(text, address, is_owned)
            address += len(text)
        self._refuse_early_end(address)

    def _allowance(self, address: int) -> int:
        """Return how much to read so that no piece reaches over the end of the range."""
        if self._end is None or address >= self._end:
            return self._piece_bytes
        return min(self._piece_bytes, self._end - address)


class _GzipPieces(Pieces):
    """Members in a row, as RFC 1952 allows; CRC32 and ISIZE of each are checked while it is inflated.

    The range is always the whole file: nothing in gzip tells where a task could start.
    """

    _n_read = 0

    def __iter__(self) -> Iterator[Piece]:
        text_offset = 0
        pending = self._read()
        while pending:
            member = self._n_read - len(pending)
            if not bgzf.GZIP_MAGIC.startswith(pending[:2]):
                self._refuse_garbage(member, pending)
            inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
            for text in self._inflate(inflater, pending, member):
                yield Piece(text, text_offset, True)
                text_offset += len(text)
            pending = inflater.unused_data or self._read()
        self._record_block(0, self._n_read)
        self._refuse_early_end(self._n_read)

    def _inflate(self, inflater: igzip_lib.IgzipDecompressor, pending: bytes, member: int) -> Iterator[bytes]:
        while not inflater.eof:
            if inflater.needs_input and not pending and not (pending := self._read()):
                self._refuse(
                    member, f"a gzip member begins that is cut short: the file ends at byte {self._n_read}"
                )
            try:
                text = inflater.decompress(pending, self._piece_bytes)
            except bgzf.INFLATE_ERROR as error:
                self._refuse(member, f"a gzip member begins that is corrupt ({error})")
            pending = b""
            if text:
                yield text

    def _read(self) -> bytes:
        data = self._stream.read(_GZIP_READ_BYTES)
        self._n_read += len(data)
        return data

    def _refuse_garbage(self, address: int, data: bytes) -> None:
        self._refuse(
            address,
            f"bytes follow the last gzip member that are not one ({data[:8].hex(' ')}): trailing garbage",
            f"if they are known to be worthless, cut them off: head -c {address} FILE > NEW.vcf.gz",
        )


class _BgzipPieces(Pieces):
    def __iter__(self) -> Iterator[Piece]:
        self._go_to_start()
        window = _Window(self._stream, self._start)
        if self._start > 0 and not self._skip_to_block(window):
            return
        while available := window.fill(bgzf.MAX_BLOCK_BYTES):
            address = window.address
            shape = bgzf.block_shape(window.data, window.offset)
            if shape is None or shape.block_bytes > available:
                self._refuse_block(window, available, shape)
            block = memoryview(window.data)[window.offset : window.offset + shape.block_bytes]
            try:
                text = bgzf.inflate_block(block, shape.header_bytes)
            except ValueError as error:
                self._refuse(address, f"a bgzip block begins that {error}")
            is_owned = self._owns(address)
            if is_owned:
                self._record_block(address, address + shape.block_bytes)
                self.saw_eof_marker = block == END_OF_FILE
            window.skip(shape.block_bytes)
            yield Piece(text, address << BLOCK_ADDRESS_SHIFT, is_owned)
        self._refuse_early_end(window.address)

    def _skip_to_block(self, window: _Window) -> bool:
        """Move to the first block that starts in the range; False where one block covers all of it."""
        window.fill(bgzf.SEARCH_BYTES)
        search_bytes = bgzf.MAX_BLOCK_BYTES
        if self._end is not None:
            search_bytes = min(search_bytes, self._end - self._start)
        found = bgzf.find_block(window.data[: bgzf.SEARCH_BYTES], search_bytes)
        if found is not None:
            window.skip(found)
        elif search_bytes == bgzf.MAX_BLOCK_BYTES:  # no block is longer, so one must start here
            self._refuse(
                self._start, f"no whole bgzip block begins within {search_bytes} bytes: damaged or cut short"
            )
        return found is not None

    def _refuse_block(self, window: _Window, available: int, shape: bgzf.BlockShape | None) -> NoReturn:
        begins_with = window.data[window.offset : window.offset + 8]
        if shape is not None:
            problem = (
                f"a bgzip block of {shape.block_bytes} bytes begins, but the file ends after {available}"
            )
            self._refuse(window.address, f"{problem}: it was cut short")
        if available < bgzf.MIN_BLOCK_BYTES and begins_with.startswith(bgzf.GZIP_MAGIC[:available]):
            self._refuse(
                window.address, f"a bgzip block begins, but the file ends after {available} bytes: cut short"
            )
        if begins_with.startswith(bgzf.GZIP_MAGIC):
            self._refuse(
                window.address,
                "a gzip member begins that has no valid BC field, in a file that begins as bgzip: plain gzip "
                "was joined to it, or it is damaged",
                "if it was joined, compress it anew: gzip -dc FILE | bgzip > NEW.vcf.gz",
            )
        self._refuse(
            window.address,
            f"no bgzip block begins ({begins_with.hex(' ')}): trailing garbage, or a damaged block before it",
            f"if the rest is known to be worthless, cut it off: head -c {window.address} FILE > NEW.vcf.gz",
        )


class _Window:
    """A moving view of a stream: `data[offset:]` holds what was read from `address` on."""

    def __init__(self, stream: ByteStream, address: int) -> None:
        self.data = b""
        self.offset = 0
        self.address = address
        self._stream = stream
        self._is_exhausted = False

    def fill(self, wanted: int) -> int:
        """Read until `wanted` bytes are at hand or the file ends; return how many are."""
        available = len(self.data) - self.offset
        if available >= wanted or self._is_exhausted:
            return available
        parts = [self.data[self.offset :]]
        while available < wanted and (more := self._stream.read(_BGZIP_READ_BYTES)):
            parts.append(more)
            available += len(more)
        self._is_exhausted = available < wanted
        self.data = b"".join(parts)
        self.offset = 0
        return available

    def skip(self, n_bytes: int) -> None:
        self.offset += n_bytes
        self.address += n_bytes
