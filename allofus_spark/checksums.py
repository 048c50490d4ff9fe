"""SHA-256 of files as they lie there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_PIECE_BYTES = 1 << 20
_SHOWN_DIGITS = 16


def file_checksum(path: str | Path) -> str:
    """SHA-256 of a local file, in hexadecimal; reads the whole file, an OSError passes."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def hadoop_checksum(spark: Any, file_system: Any, path: Any) -> str:
    """The same of a file of any Hadoop file system, by the JVM: its bytes do not come to Python."""
    stream = file_system.open(path)
    try:
        return str(spark._jvm.org.apache.commons.codec.digest.DigestUtils.sha256Hex(stream))
    finally:
        stream.close()


def listing_checksum(named: Iterable[tuple[str, str]]) -> str:
    """SHA-256 of what sha256sum prints of several files, given as (name, checksum), by name."""
    lines = "".join(f"{checksum}  {name}\n" for name, checksum in sorted(named))
    return hashlib.sha256(lines.encode()).hexdigest()


def short(checksum: str) -> str:
    """As many digits as a version text shows."""
    return checksum[:_SHOWN_DIGITS]
