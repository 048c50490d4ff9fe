"""Batches of rows that were read lately, up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import pyarrow as pa


class TableCache:
    """Arrow tables by key; the one that was not asked for longest goes first. Threads may share it.

    A table larger than ``most_bytes`` is given and not kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._held: OrderedDict[Hashable, tuple[pa.Table, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, read: Callable[[], pa.Table]) -> pa.Table:
        """The table of a key, read where it is not held. Two threads may read the same one at once."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key][0]
        table = read()
        self._keep(key, table)
        return table

    def _keep(self, key: Hashable, table: pa.Table) -> None:
        size = table.get_total_buffer_size()
        with self._lock:
            if key in self._held or size > self._most_bytes:
                return
            self._held[key] = (table, size)
            self._bytes += size
            while self._bytes > self._most_bytes:
                self._bytes -= self._held.popitem(last=False)[1][1]

    @property
    def nbytes(self) -> int:
        """Bytes of the tables that are held."""
        return self._bytes
