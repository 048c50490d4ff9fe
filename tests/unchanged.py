"""Whether a warehouse is as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from allofus_spark.tables import Table, Warehouse


@contextmanager
def leaves_unchanged(held: Warehouse, tables: Sequence[Table]) -> Iterator[None]:
    """The snapshot and the tables must be the same after the block, and nothing staged."""
    before = {table.name: held.state(table) for table in tables}
    snapshot = held.snapshot()
    yield
    assert {table.name: held.state(table) for table in tables} == before
    assert held.snapshot() == snapshot
    assert not list(Path(held.root, "_staging").iterdir())
