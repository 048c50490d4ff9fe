"""What several stages do with Arrow batches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_ROWS_OF_SUMS = 10_000  # of a batch of narrow rows


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


def gathered(batches: Iterable[pa.RecordBatch], n_rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of ``n_rows`` or a little more, but for the last."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= n_rows:
            yield from pa.Table.from_batches(held).combine_chunks().to_batches()
            held = []
    if held:
        yield from pa.Table.from_batches(held).combine_chunks().to_batches()


def begins_run(batch: pa.RecordBatch, columns: Sequence[str]) -> npt.NDArray[np.bool_]:
    """bool[rows]: whether a row differs in ``columns`` from the one before; the first row does."""
    changed = np.zeros(batch.num_rows, np.bool_)
    changed[:1] = True
    for name in columns:
        column = batch.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.indices
        changed[1:] |= np.asarray(pc.not_equal(column[1:], column[:-1]).fill_null(True))
    return changed


def batch_of(names: Sequence[str], columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """The columns of these names, in this order; others are left out."""
    return pa.RecordBatch.from_arrays([columns[name] for name in names], names=list(names))


def value_type(kind: pa.DataType) -> pa.DataType:
    """The type of a column's values, whether or not a dictionary holds them."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def values_in(column: pa.Array) -> pa.Array:
    """The column; of a dictionary each value that it gives, once."""
    return (
        column.dictionary.take(pc.unique(column.indices)) if pa.types.is_dictionary(column.type) else column
    )


def decoded(batch: pa.RecordBatch, names: Collection[str] | None = None) -> pa.RecordBatch:
    """The batch with dictionaries, of some columns or of all, written out: Spark does not read them."""
    arrays = [
        column.dictionary_decode()
        if pa.types.is_dictionary(column.type) and (names is None or name in names)
        else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def flag_places(
    flags: npt.NDArray[np.bool_],
) -> tuple[pa.Array, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of the flags bool[n, k] that are set: list offsets int32[n + 1], and the row and column of each."""
    offsets = np.zeros(len(flags) + 1, np.int32)
    np.cumsum(flags.sum(axis=1), out=offsets[1:])
    rows, columns = np.nonzero(flags)
    return pa.array(offsets), rows, columns


def flagged_names(flags: npt.NDArray[np.bool_], names: Collection[str]) -> pa.Array:
    """list<string>[n] of the names whose flag is set; ``flags`` bool[n, len(names)]."""
    offsets, _, columns = flag_places(flags)
    values = pa.array(list(names), pa.string()).take(pa.array(columns))
    return pa.ListArray.from_arrays(offsets, values)


def collect(frame: DataFrame) -> pa.Table:
    """The rows of a narrow frame, brought to the driver without an object for each value."""
    return pa.Table.from_pandas(frame.toPandas(), preserve_index=False)


def lists_of_rows(matrix: npt.NDArray[Any]) -> pa.Array:
    """list[n] of a matrix [n, k]: each row as a list of its k values."""
    n, width = matrix.shape
    offsets = np.arange(n + 1, dtype=np.int32) * width
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.ascontiguousarray(matrix).ravel()))


def matrix_of(lists: pa.Array) -> npt.NDArray[Any]:
    """[n, k] of a column of n lists of k values each, one at the least."""
    return np.asarray(lists.flatten().to_numpy(zero_copy_only=False)).reshape(len(lists), -1)


def sums_of_samples(callset_id: str, sums: Mapping[str, npt.NDArray[np.int64]]) -> Iterator[pa.RecordBatch]:
    """What a task counted of a callset's samples: callset_id, sample_index, and ``sums`` int64[samples]."""
    n_samples = len(next(iter(sums.values())))
    for first in range(0, n_samples, _ROWS_OF_SUMS):
        stop = min(first + _ROWS_OF_SUMS, n_samples)
        arrays = [pa.repeat(callset_id, stop - first), pa.array(np.arange(first, stop, dtype=np.int32))]
        arrays += [pa.array(np.ascontiguousarray(column[first:stop])) for column in sums.values()]
        yield pa.RecordBatch.from_arrays(arrays, names=["callset_id", "sample_index", *sums])


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
