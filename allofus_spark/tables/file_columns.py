"""What is seen of the columns of a data file: their order, bounds, and whether values repeat."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.arrow import values_in

# Delta keeps this many characters of a text in a file's statistics.
_STATISTICS_CHARACTERS = 32
_LAST_CHARACTER = "\U0010ffff"
_LOOKED_AT = 4_096  # rows


def repeating(rows: pa.Table) -> list[str]:
    """Columns that Parquet should keep a dictionary of: all but packed calls and fractions that differ.

    A dictionary of values that hardly repeat holds each once, at several times the cost of the values.
    """
    return [name for name, column in zip(rows.column_names, rows.columns, strict=True) if _repeats(column)]


def _repeats(column: pa.ChunkedArray) -> bool:
    if pa.types.is_binary(column.type):
        return False
    if not pa.types.is_floating(column.type):
        return True
    seen = column.slice(0, _LOOKED_AT)
    return bool(2 * pc.count_distinct(seen).as_py() <= len(seen) - seen.null_count)


def in_order(rows: pa.Table, order: tuple[str, ...]) -> pa.Table:
    """Rows in ascending order, nulls last; as they are where they are so already."""
    if not order:
        return rows
    keys = pa.table({name: _ranks(rows.column(name)) for name in order})
    if _is_sorted(keys):
        return rows
    by = [(name, "ascending") for name in order]
    return rows.take(pc.sort_indices(keys, sort_keys=by))


def _ranks(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column that sorts as this one; of a dictionary the places of its values among them, sorted."""
    if not pa.types.is_dictionary(column.type):
        return column
    whole = column.combine_chunks()
    return pa.chunked_array([pc.rank(whole.dictionary, tiebreaker="dense").take(whole.indices)])


def _is_sorted(keys: pa.Table) -> bool:
    """Whether rows ascend; False also where a null hides it."""
    if keys.num_rows < 2:
        return True
    tied = np.ones(keys.num_rows - 1, np.bool_)
    for chunked in keys.columns:
        column = chunked.combine_chunks()
        if column.null_count:
            return False
        before, after = column[:-1], column[1:]
        if np.any(tied & np.asarray(pc.greater(before, after))):
            return False
        tied &= np.asarray(pc.equal(before, after))
        if not tied.any():
            break
    return True


def bounds_of(rows: pa.Table, columns: tuple[str, ...]) -> dict[str, object]:
    """What Delta's log says about a file, by which readers skip it."""
    least, most, nulls = {}, {}, {}
    for name in columns:
        nulls[name] = rows.column(name).null_count
        column = values_in(rows.column(name).combine_chunks())
        kind = column.type
        # Of other types the log writes bounds in ways of its own (and NaN is no JSON): readers go without.
        if not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_date(kind)):
            continue
        bounds = pc.min_max(column).as_py()
        if bounds["min"] is None:
            continue
        least[name] = _least_of(bounds["min"])
        highest = _most_of(bounds["max"])
        if highest is not None:
            most[name] = highest
    return {"numRecords": rows.num_rows, "minValues": least, "maxValues": most, "nullCount": nulls}


def _least_of(value: object) -> object:
    if isinstance(value, dt.date):
        return value.isoformat()
    return value[:_STATISTICS_CHARACTERS] if isinstance(value, str) else value


def _most_of(value: object) -> object:
    """An upper bound of a maximum; None where a shortened text has none."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if not isinstance(value, str) or len(value) <= _STATISTICS_CHARACTERS:
        return value
    if value[_STATISTICS_CHARACTERS] == _LAST_CHARACTER:
        return None
    return value[:_STATISTICS_CHARACTERS] + _LAST_CHARACTER
