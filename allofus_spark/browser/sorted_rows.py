"""A product whose rows are sorted: which of them have a key, and their columns, a batch at a time.

Held in memory are the bounds of each batch (about a hundred bytes for 1,024 rows), never the rows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from allofus_spark.browser.cache import TableCache
from allofus_spark.browser.index import Sorting, bounds_file, rows_file

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Rows ``first`` up to, not including, ``end`` of a product, counted from 0."""

    first: int
    end: int

    def __len__(self) -> int:
        return self.end - self.first


class SortedRows:
    """Rows of a product of an index, sorted by a whole number inside each text. Threads may share it."""

    def __init__(self, folder: Path, product: str, sorting: Sorting, cache: TableCache) -> None:
        self._product, self._cache = product, cache
        self._key, self._within = sorting
        bounds = pq.read_table(bounds_file(folder, product))
        self._starts: Ints = np.concatenate([[0], np.cumsum(bounds.column("rows").to_numpy())]).astype(
            np.int64
        )
        self._low, self._high = (bounds.column(name).to_numpy() for name in ("low", "high"))
        self._low_text, self._high_text = (
            np.array(bounds.column(name).to_pylist(), np.str_) for name in ("low_text", "high_text")
        )
        options = pa.ipc.IpcReadOptions(use_threads=False)
        self._reader = pa.ipc.open_file(pa.OSFile(str(rows_file(folder, product))), options=options)
        self._lock = threading.Lock()

    @property
    def num_rows(self) -> int:
        """Rows of the product."""
        return int(self._starts[-1])

    def find(self, low: int, high: int, within: str | None = None) -> Rows:
        """The rows whose key is from ``low`` to ``high``, both included."""
        is_near = (self._high >= low) & (self._low <= high)
        if within is not None:
            is_near &= (self._low_text <= within) & (self._high_text >= within)
        near = np.nonzero(is_near)[0].tolist()
        # A batch in which one contig ends and another begins may be near by its bounds and hold no such row.
        holding = (place for number in near if len(place := self._inside(number, low, high, within)))
        first = next(holding, None)
        if first is None:
            return Rows(0, 0)
        holding = (
            place for number in reversed(near) if len(place := self._inside(number, low, high, within))
        )
        return Rows(first.first, next(holding).end)

    def _inside(self, number: int, low: int, high: int, within: str | None) -> Rows:
        """The rows of one batch likewise, counted in the product."""
        table = self._read(number)
        first, end = 0, table.num_rows
        if within is not None and (self._low_text[number] != within or self._high_text[number] != within):
            texts = np.array(table.column(self._within).to_pylist(), np.str_)
            first, end = (int(np.searchsorted(texts, within, side)) for side in ("left", "right"))
        keys = table.column(self._key).slice(first, end - first).to_numpy()
        start = int(self._starts[number]) + first
        return Rows(
            start + int(np.searchsorted(keys, low, "left")), start + int(np.searchsorted(keys, high, "right"))
        )

    def read(self, rows: Rows) -> pa.Table:
        """These rows, with every column."""
        parts = list(self.pieces(rows))
        return pa.concat_tables(parts) if parts else self._reader.schema.empty_table()

    def pieces(self, rows: Rows) -> Iterator[pa.Table]:
        """These rows in their order, at most a batch at once."""
        number = int(np.searchsorted(self._starts, rows.first, "right")) - 1
        at = rows.first
        while at < rows.end:
            start, end = int(self._starts[number]), int(self._starts[number + 1])
            until = min(rows.end, end)
            yield self._read(number).slice(at - start, until - at)
            at, number = until, number + 1

    def _read(self, number: int) -> pa.Table:
        return self._cache.get((self._product, number), lambda: self._read_batch(number))

    def _read_batch(self, number: int) -> pa.Table:
        with self._lock:
            return pa.Table.from_batches([self._reader.get_batch(number)])
