"""A product whose rows are sorted: which of them have a key, and their columns, a batch at a time.

Held in memory are the bounds of each batch (about a hundred bytes for 1,024 rows), never the rows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
        self._key = sorting.key
        bounds = pq.read_table(bounds_file(folder, product))
        self._starts: Ints = np.concatenate([[0], np.cumsum(bounds.column("rows").to_numpy())]).astype(
            np.int64
        )
        self._low, self._high = (bounds.column(name).to_numpy() for name in ("low", "high"))
        self._text = np.array(bounds.column("text").to_pylist(), np.str_)
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
            is_near &= self._text == within
        near = np.nonzero(is_near)[0]
        if not len(near):
            return Rows(0, 0)
        return Rows(self._place(int(near[0]), low, "left"), self._place(int(near[-1]), high, "right"))

    def _place(self, number: int, bound: int, side: Literal["left", "right"]) -> int:
        """Where a key stands among the rows of a batch, counted in the product."""
        keys = self._read(number).column(self._key).to_numpy()
        return int(self._starts[number]) + int(np.searchsorted(keys, bound, side))

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
