"""Text to BGZF blocks: gzip members of at most 64 KiB that say their own length.

Blocks made by different tasks can be put end to end; the end-of-file block comes once, at the end of all.

Source: the SAM specification, section 4.1 (The BGZF compression format).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from isal import igzip_lib, isal_zlib

TEXT_BYTES = 65_280  # in a block, as bgzip: what does not shrink still fits the 65,536 of a block

# Magic, no time, no system, six bytes of extra field: BC, of two bytes, the length of the block less one.
_HEADER = struct.Struct("<12sccHH")
_FIXED = bytes.fromhex("1f8b08040000000000ff0600")
_TRAILER = struct.Struct("<II")
_LEVEL = 1  # of isal's 0 to 3. On genotype text 3 takes five times as long for 1 % fewer bytes


def block(text: bytes | memoryview) -> bytes:
    """One block of at most ``TEXT_BYTES`` of text."""
    deflated = igzip_lib.compress(text, _LEVEL, igzip_lib.COMP_DEFLATE)
    length = _HEADER.size + len(deflated) + _TRAILER.size
    header = _HEADER.pack(_FIXED, b"B", b"C", 2, length - 1)
    return header + deflated + _TRAILER.pack(isal_zlib.crc32(text), len(text))


def blocks(text: bytes | memoryview) -> Iterator[bytes]:
    """All of ``text`` as blocks."""
    view = memoryview(text)
    for start in range(0, len(view), TEXT_BYTES):
        yield block(view[start : start + TEXT_BYTES])


class BgzfFile:
    """Writes text as whole blocks; what does not fill one waits for more, or for ``close``."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._waiting = b""

    def write(self, text: bytes | memoryview) -> None:
        view = memoryview(text)
        if self._waiting:
            missing = TEXT_BYTES - len(self._waiting)
            self._waiting += view[:missing]
            view = view[missing:]
            if len(self._waiting) < TEXT_BYTES:
                return
            self._file.write(block(self._waiting))
        whole = len(view) - len(view) % TEXT_BYTES
        self._file.writelines(blocks(view[:whole]))
        self._waiting = bytes(view[whole:])

    def close(self) -> None:
        if self._waiting:
            self._file.write(block(self._waiting))
        self._file.close()
