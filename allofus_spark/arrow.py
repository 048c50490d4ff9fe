"""What several stages do with Arrow batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def runs_of(
    batch: pa.RecordBatch, columns: Sequence[str]
) -> Iterator[tuple[tuple[Any, ...], pa.RecordBatch]]:
    """Slices of neighbouring rows that are equal in ``columns``, with those values; nothing is copied."""
    if not batch.num_rows:
        return
    starts = np.flatnonzero(begins_run(batch, columns))
    for start, stop in zip(starts, [*starts[1:], batch.num_rows], strict=True):
        values = tuple(batch.column(name)[int(start)].as_py() for name in columns)
        yield values, batch.slice(start, stop - start)


def begins_run(batch: pa.RecordBatch, columns: Sequence[str]) -> npt.NDArray[np.bool_]:
    """bool[rows]: whether a row differs in ``columns`` from the one before; the first row does."""
    changed = np.zeros(batch.num_rows, np.bool_)
    changed[:1] = True
    for name in columns:
        column = batch.column(name)
        changed[1:] |= np.asarray(pc.not_equal(column[1:], column[:-1]).fill_null(True))
    return changed


def string_buffers(texts: pa.Array) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Offsets int32[n + 1] and bytes of an array of strings without nulls, as they lie in memory."""
    if texts.type != pa.string() or texts.null_count:
        raise TypeError(f"{texts.type} with {texts.null_count} nulls: only strings without nulls have these")
    if not len(texts):
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    _, offsets, data = texts.buffers()
    own = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return own, np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)


def select(what: str, rows: pa.Table, condition: str = "true") -> list[tuple[Any, ...]]:
    """The answer of ``SELECT what`` over the rows that meet an SQL condition."""
    with _database().cursor() as cursor:
        cursor.register("given", rows)
        answer: list[tuple[Any, ...]] = cursor.execute(
            f"SELECT {what} FROM given WHERE {condition}"
        ).fetchall()
        return answer


@cache
def _database() -> Any:
    """One in each process, as opening it takes longer than a question."""
    return duckdb.connect(config={"threads": 1})
