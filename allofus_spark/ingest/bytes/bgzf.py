"""The BGZF block: its header, its checks, and how one is found in the middle of a file.

A bgzip file is a row of gzip members of at most 64 KiB, each of which says its own compressed length
(BSIZE, in the extra subfield BC) and carries a CRC32 and a length (ISIZE) of its text. The length lets a task
start anywhere; the two checks are taken on every block, because an unchecked block is text that nobody wrote.

Source: the SAM specification, section 4.1 (The BGZF compression format); RFC 1952 for the member around it.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, cast

from isal import igzip_lib, isal_zlib

GZIP_MAGIC = b"\x1f\x8b"
BLOCK_MAGIC = b"\x1f\x8b\x08\x04"
MAX_BLOCK_BYTES = 65536
"""Upper bound of one block, compressed and inflated alike."""
SEARCH_BYTES = 4 * MAX_BLOCK_BYTES
"""What `find_block` needs to see: a block to skip, two to follow, and the header of one more."""

_FIXED_HEADER_BYTES = 12
_MIN_DEFLATE_BYTES = 1
_TRAILER = struct.Struct("<II")
_LENGTH = struct.Struct("<H")
MIN_BLOCK_BYTES = 18 + _MIN_DEFLATE_BYTES + _TRAILER.size
"""A header with BC as its only extra subfield, the shortest deflate data, CRC32 and ISIZE."""

INFLATE_ERROR = cast("type[Exception]", igzip_lib.error)  # isal's stubs declare it as an instance


class BlockShape(NamedTuple):
    """Lengths in bytes of a block's header and of the whole block, trailer included."""

    header_bytes: int
    block_bytes: int


def block_shape(data: bytes, offset: int = 0) -> BlockShape | None:
    """Return the lengths that the block header at `offset` states, or None where no such header stands.

    Other extra subfields before or after BC are allowed, as the specification asks. A header that `data` cuts
    short gives None too.
    """
    if not data.startswith(BLOCK_MAGIC, offset) or len(data) < offset + _FIXED_HEADER_BYTES:
        return None
    field = offset + _FIXED_HEADER_BYTES
    header_end = field + _LENGTH.unpack_from(data, offset + 10)[0]
    if header_end > len(data):
        return None
    while field + 4 <= header_end:
        (length,) = _LENGTH.unpack_from(data, field + 2)
        if length == 2 and data.startswith(b"BC", field) and field + 6 <= header_end:
            shape = BlockShape(header_end - offset, _LENGTH.unpack_from(data, field + 4)[0] + 1)
            whole = shape.block_bytes >= shape.header_bytes + _MIN_DEFLATE_BYTES + _TRAILER.size
            return shape if whole else None
        field += 4 + length
    return None


def inflate_block(block: memoryview, header_bytes: int) -> bytes:
    """Return the text of one whole block after checking its ISIZE and CRC32.

    Raises
    ------
    ValueError
        The block is damaged; the message says which check failed and fits after "the block at byte N".
    """
    stored_crc, stored_length = _TRAILER.unpack_from(block, len(block) - _TRAILER.size)
    if stored_length > MAX_BLOCK_BYTES:
        raise ValueError(
            f"claims {stored_length} bytes of text, over the {MAX_BLOCK_BYTES} that bgzip allows"
        )
    try:
        text = igzip_lib.decompress(
            block[header_bytes : -_TRAILER.size],
            flag=igzip_lib.DECOMP_DEFLATE,
            hist_bits=igzip_lib.MAX_HIST_BITS,
            bufsize=stored_length or 1,
        )
    except INFLATE_ERROR as error:
        raise ValueError(f"cannot be inflated ({error})") from error
    if len(text) != stored_length:
        raise ValueError(f"inflates to {len(text)} bytes where its ISIZE says {stored_length}")
    crc = isal_zlib.crc32(text)
    if crc != stored_crc:
        raise ValueError(f"fails its CRC32 check (stored {stored_crc:08x}, computed {crc:08x})")
    return bytes(text)


def find_block(data: bytes, search_bytes: int) -> int | None:
    """Return the offset below `search_bytes` of the first block that starts in `data`, or None.

    Compressed data may hold the bytes of a block header by chance or because bgzip files are nested. A
    candidate counts only if the chain of BSIZE from it meets a header at every step until it has left any
    block that could enclose the candidate, and if the candidate itself passes its checks. A damaged block is
    passed over here: it is missed when the blocks read are held against the file's size.

    Parameters
    ----------
    data
        `SEARCH_BYTES` bytes of a file from any address, fewer only where the file ends.
    search_bytes
        Blocks that start at or after this offset belong to the next split.
    """
    stop = min(search_bytes, MAX_BLOCK_BYTES)
    candidate = data.find(BLOCK_MAGIC, 0, stop + len(BLOCK_MAGIC) - 1)
    while candidate >= 0:
        if _chain_holds(data, candidate) and _passes_checks(data, candidate):
            return candidate
        candidate = data.find(BLOCK_MAGIC, candidate + 1, stop + len(BLOCK_MAGIC) - 1)
    return None


def _chain_holds(data: bytes, candidate: int) -> bool:
    position = candidate
    while position + MIN_BLOCK_BYTES <= len(data):
        shape = block_shape(data, position)
        if shape is None:
            return False
        if position >= candidate + MAX_BLOCK_BYTES:
            return True
        position += shape.block_bytes
    return True  # the file ends here; a block that it cuts short is refused by whoever reads it


def _passes_checks(data: bytes, candidate: int) -> bool:
    shape = block_shape(data, candidate)
    if shape is None or candidate + shape.block_bytes > len(data):
        return False
    try:
        inflate_block(memoryview(data)[candidate : candidate + shape.block_bytes], shape.header_bytes)
    except ValueError:
        return False
    return True
