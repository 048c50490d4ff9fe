"""Columns of a text table, plain or zstd, straight into Arrow: no Python object a row.

Fields are parted by tabs or spaces, and several in a row count as one, as PLINK reads its text files; blank
lines are passed over. A table is indexed once (`index_rows`): how many rows it has, and where every 65,536th
begins, so that a task reads its own range of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.errors import BadSource
from allofus_spark.genotypes.arrow_strings import strings_at
from allofus_spark.genotypes.byte_ranges import ByteFile

ROWS_A_MARK = 1 << 16
_READ_BYTES = 4 * 1024 * 1024
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_TAB, _LINE_FEED, _CARRIAGE_RETURN, _SPACE = 9, 10, 13, 32


@dataclass(frozen=True)
class RowIndex:
    """Where the rows of a text table are, in its (inflated) text.

    ``header`` are the lines that begin with #, ``marks`` int64 where row 0, 65,536, 131,072, .. begins, and
    ``n_fields`` how many fields row 0 has.
    """

    path: str
    is_zstd: bool
    header: tuple[str, ...]
    n_rows: int
    marks: npt.NDArray[np.int64]
    n_fields: int


class _Borrowed:
    """A file that Arrow reads and does not close when it is done."""

    closed = False

    def __init__(self, file: ByteFile) -> None:
        self.read = file.read

    def close(self) -> None:
        pass


def is_zstd(file: ByteFile) -> bool:
    """Whether the file begins as a zstd frame."""
    file.seek(0)
    return file.read(len(_ZSTD_MAGIC)) == _ZSTD_MAGIC


def _chunks(file: ByteFile, path: str, zstd: bool, start: int) -> Iterator[bytes]:
    """Pieces of the text from the byte ``start`` of it."""
    if not zstd:
        file.seek(start)
        while data := file.read(_READ_BYTES):
            yield data
        return
    file.seek(0)
    try:
        stream = pa.CompressedInputStream(pa.PythonFile(_Borrowed(file), mode="r"), "zstd")
        while data := stream.read(_READ_BYTES):
            if start < len(data):
                yield data[start:]
            start = max(0, start - len(data))
    except (OSError, pa.ArrowException) as error:
        raise BadSource(
            f"{path}: the zstd data are damaged or cut short ({error}). Copy or make the file again"
        ) from None


def read_header(file: ByteFile, path: str, zstd: bool) -> tuple[list[str], int]:
    """The lines at the beginning that start with ``#``, and where the first line behind them begins."""
    lines: list[str] = []
    at, pending = 0, b""
    for chunk in _chunks(file, path, zstd, 0):
        pending += chunk
        while pending.startswith(b"#") and (end := pending.find(b"\n") + 1):
            lines.append(_decoded(pending[:end], path).rstrip("\r\n"))
            at, pending = at + end, pending[end:]
        if pending and not pending.startswith(b"#"):
            return lines, at
    if pending:
        lines.append(_decoded(pending, path).rstrip("\r\n"))
    return lines, at + len(pending)


def _decoded(line: bytes, path: str) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise BadSource(f"{path}: the header line {line[:40]!r} is not UTF-8 text") from None


@numba.njit(cache=True, nogil=True)
def _count_rows(data, address, row_at, is_blank, n_rows, every, marks, n_marks):  # type: ignore[no-untyped-def]
    """Rows that end in ``data``, and where each ``every``-th begins.

    ``row_at`` is the address where the line that is open begins, ``is_blank`` whether nothing stood on it
    yet. Returns these as they are behind ``data``, with the counts of rows and marks.
    """
    for at in range(len(data)):
        byte = data[at]
        if byte == _LINE_FEED:
            if not is_blank:
                n_rows += 1
            row_at = address + at + 1
            is_blank = True
        elif is_blank and byte not in (_CARRIAGE_RETURN, _SPACE, _TAB):
            is_blank = False
            if n_rows % every == 0:
                marks[n_marks] = row_at
                n_marks += 1
    return row_at, is_blank, n_rows, n_marks


def index_rows(file: ByteFile, path: str) -> RowIndex:
    """Read the file once; raises BadSource where it is not UTF-8 text or its zstd data are damaged."""
    zstd = is_zstd(file)
    header, start = read_header(file, path, zstd)
    address = row_at = start
    is_blank, n_rows, n_fields = True, 0, 0
    marks: list[npt.NDArray[np.int64]] = []
    for chunk in _chunks(file, path, zstd, start):
        if not n_fields:
            n_fields = len(chunk.lstrip().split(b"\n", 1)[0].split())
        data = np.frombuffer(chunk, np.uint8)
        found = np.empty(len(data) // ROWS_A_MARK + 2, np.int64)
        row_at, is_blank, n_rows, n_found = _count_rows(
            data, address, row_at, is_blank, n_rows, ROWS_A_MARK, found, 0
        )
        marks.append(found[:n_found])
        address += len(data)
    n_rows += not is_blank
    return RowIndex(
        path, zstd, tuple(header), n_rows, np.concatenate([*marks, np.zeros(0, np.int64)]), n_fields
    )


@numba.njit(cache=True, nogil=True)
def _slice_rows(data, at, to_skip, places, slices):  # type: ignore[no-untyped-def]
    """Where the fields ``places`` (rising) of whole lines lie: slices int64[rows, places, 2].

    Returns (rows filled, rows still to skip, place behind the last line read, fields of a row that has too
    few or -1).
    """
    n_rows, end = 0, len(data)
    while at < end and n_rows < len(slices):
        field, wanted = 0, 0
        while at < end and data[at] != _LINE_FEED:
            if data[at] in (_SPACE, _TAB, _CARRIAGE_RETURN):
                at += 1
                continue
            first = at
            while at < end and data[at] not in (_SPACE, _TAB, _LINE_FEED, _CARRIAGE_RETURN):
                at += 1
            if field == places[wanted]:
                slices[n_rows, wanted, 0] = first
                slices[n_rows, wanted, 1] = at
                wanted += 1
            field += 1
            if wanted == len(places):
                while at < end and data[at] != _LINE_FEED:
                    at += 1
        at += 1
        if field == 0:
            continue
        if to_skip:
            to_skip -= 1
        elif wanted < len(places):
            return n_rows, to_skip, at, field
        else:
            n_rows += 1
    return n_rows, to_skip, at, -1


def read_columns(
    file: ByteFile, index: RowIndex, names: Sequence[str], places: Sequence[int], start: int, stop: int
) -> pa.Table:
    """Rows [start, stop) of the fields ``places`` (rising, from 0) as strings named ``names``.

    Raises
    ------
    BadSource
        Where a row has too few fields, or there are no longer as many rows as were indexed.
    """
    schema = pa.schema([(name, pa.string()) for name in names])
    wanted = np.array(places, np.int64)
    batches: list[pa.RecordBatch] = []
    to_skip, row = start % ROWS_A_MARK, start
    for text in _whole_lines(file, index, start) if start < stop else ():
        data, at = np.frombuffer(text, np.uint8), 0
        while row < stop and at < len(data):
            slices = np.empty((min(stop - row, ROWS_A_MARK), len(places), 2), np.int64)
            n, to_skip, at, too_few = _slice_rows(data, at, to_skip, wanted, slices)
            row += n
            if too_few >= 0:
                _refuse_row(index, row, too_few, int(wanted[-1]) + 1)
            columns = [strings_at(data, slices[:n, place], index.path) for place in range(len(places))]
            batches.append(pa.record_batch(columns, schema=schema))
        if row == stop:
            break
    if row < stop:
        raise BadSource(
            f"{index.path}: ends before row {row} of {index.n_rows}: it was changed while it was read"
        )
    return pa.Table.from_batches(batches, schema)


def _whole_lines(file: ByteFile, index: RowIndex, start: int) -> Iterator[bytes]:
    """The text from the mark at or before row ``start``, cut behind line feeds."""
    pending = b""
    for chunk in _chunks(file, index.path, index.is_zstd, int(index.marks[start // ROWS_A_MARK])):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield pending + chunk[:cut]
            pending = chunk[cut:]
        else:
            pending += chunk
    if pending:
        yield pending


def _refuse_row(index: RowIndex, row: int, n_fields: int, n_needed: int) -> NoReturn:
    raise BadSource(
        f"{index.path}: row {row} (counted from 0, without header and blank lines) has {n_fields} fields, "
        f"needed are {n_needed}: it was cut short, or is not of this form"
    )
