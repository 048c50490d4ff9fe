"""The end of a bgzip file: an empty block that says that nothing was cut off.

Source: the SAM specification, section 4.1.2 (End-of-file marker).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from allofus_spark.errors import BadSource

END_OF_FILE = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
HEAD_BYTES = 64  # a block's header has 18, and more where others than bgzip have added fields

_MAGIC = b"\x1f\x8b\x08\x04"
_BLOCK_LENGTH = b"BC\x02\x00"


def is_cut(head: bytes, tail: bytes) -> bool:
    """Whether a file that begins and ends with these bytes is bgzip's without its end-of-file block."""
    field = head[12 : 12 + int.from_bytes(head[10:12], "little")]
    return head.startswith(_MAGIC) and _BLOCK_LENGTH in field and not tail.endswith(END_OF_FILE)


def refuse_cut(path: str | Path, head: bytes, tail: bytes) -> None:
    """Raise BadSource where a bgzip file is cut, by its first HEAD_BYTES and its last bytes."""
    if is_cut(head, tail):
        raise BadSource(f"{path}: truncated: the bgzip end-of-file block is missing; copy the file again")


def check_whole(path: str | Path, file: BinaryIO) -> None:
    """Raise BadSource where a bgzip file is cut; a file of another kind passes."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(max(file.seek(0, os.SEEK_END) - len(END_OF_FILE), 0))
    refuse_cut(path, head, file.read())
