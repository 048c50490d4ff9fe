"""Bytes of a file by address, whole or refused."""

from __future__ import annotations

import os
from typing import NoReturn, Protocol

import numpy as np
import numpy.typing as npt

from allofus_spark.errors import BadSource

Bytes = npt.NDArray[np.uint8]


class ByteFile(Protocol):
    """A file that is open for reading bytes: what ``open(path, "rb")`` gives, or a stream of Hadoop."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, whence: int = 0, /) -> int: ...


def size_of(file: ByteFile) -> int:
    """Bytes of the file; leaves the file at its end."""
    return file.seek(0, os.SEEK_END)


def read_range(file: ByteFile, path: str, start: int, n_bytes: int, what: str) -> Bytes:
    """The bytes from ``start``, uint8[n_bytes], read-only; BadSource where the file ends before."""
    file.seek(start)
    data = file.read(n_bytes)
    if len(data) < n_bytes:
        pieces = [data]
        # A raw or remote stream may give less than was asked for before the end.
        while data and sum(map(len, pieces)) < n_bytes:
            data = file.read(n_bytes - sum(map(len, pieces)))
            pieces.append(data)
        data = b"".join(pieces)
        if len(data) < n_bytes:
            refuse_cut(path, what, start, n_bytes, len(data))
    return np.frombuffer(data, np.uint8)


def refuse_cut(path: str, what: str, start: int, n_needed: int, n_found: int) -> NoReturn:
    """Raise BadSource for a file that ends inside ``what``."""
    raise BadSource(
        f"{path}: {what} at byte {start} needs {n_needed} bytes, but {n_found} are there before the file "
        "ends: it was cut short, or its header is damaged. Copy or make the file again"
    )


def check_counts(path: str, what: str, found: int, expected: int | None, companion: str) -> None:
    """Raise BadSource where a count of samples or variants is not that of the companion file."""
    if expected is not None and found != expected:
        raise BadSource(
            f"{path}: has {found} {what}, but {companion} has {expected}: the files do not belong "
            "together, or one was cut short. Give the companions that were written with this file"
        )
