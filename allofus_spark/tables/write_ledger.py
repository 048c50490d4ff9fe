"""Which run last changed each partition of each table, by the rows of ``pipeline_runs``.

Maintenance lays files anew and makes versions of a table, but changes no row and is in no such record: what
rests on this ledger is not disturbed by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from pyspark.sql import Row

from allofus_spark.tables.run_tables import PIPELINE_RUNS, SNAPSHOTS
from allofus_spark.tables.warehouse import Warehouse

FINISHED = "finished"
# Of a write whose record does not say what it changed.
_EVERY_PARTITION = "*"


class LastWrite(NamedTuple):
    """The last change of a partition: the snapshot that it came with, and its run."""

    snapshot_id: int
    run_id: str


NEVER = LastWrite(0, "")
"""That of a partition that the ledger does not know."""


class WriteLedger:
    """Last changes by table and partition; a partition whose rows are gone keeps the run that took them."""

    def __init__(self, runs: Iterable[Row], counts: Callable[[Row], bool]) -> None:
        """``runs`` are rows of ``pipeline_runs``."""
        self._last: dict[str, dict[str, LastWrite]] = {}
        writes = [
            row for row in runs if row.status == FINISHED and row.output_version is not None and counts(row)
        ]
        for row in sorted(writes, key=lambda row: row.snapshot_id):
            self.add(row.table_name, row.partitions, LastWrite(row.snapshot_id, row.run_id))

    def add(self, table: str, partitions: Iterable[str] | None, write: LastWrite) -> None:
        """Take note of a write; ``partitions`` None: it changed all of the table."""
        last = self._last.setdefault(table, {})
        if partitions is None:
            last.clear()
        last.update(dict.fromkeys([_EVERY_PARTITION] if partitions is None else partitions, write))

    def last_writes(self, table: str) -> Mapping[str, LastWrite]:
        """Last change of each partition of a table, as column=value/column=value."""
        return self._last.get(table, {})

    def state(self, table: str) -> str:
        """Digest that differs when a run has changed rows of a table; empty where none ever wrote it."""
        last = self.last_writes(table)
        lines = [f"{partition} {write.run_id}" for partition, write in sorted(last.items())]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest() if lines else ""

    def changed_since(self, table: str, snapshot_id: int) -> list[str]:
        """Partitions of a table that changed after a snapshot."""
        return sorted(
            name for name, write in self.last_writes(table).items() if write.snapshot_id > snapshot_id
        )


class CountingRuns:
    """Tells the records of runs that count: those whose snapshot is recorded as theirs."""

    def __init__(self, snapshots: Iterable[Row]) -> None:
        """``snapshots`` are rows of ``snapshots``."""
        self._run_of = {row.snapshot_id: row.run_id for row in snapshots}
        self._newest = max(self._run_of, default=0)

    def __call__(self, row: Row) -> bool:
        """Whether a finished row of ``pipeline_runs`` counts."""
        if row.snapshot_id is None or row.snapshot_id > self._newest:
            return False  # of an earlier version of this package, or not yet, or never, complete
        return bool(self._run_of.get(row.snapshot_id, row.run_id) == row.run_id)


def ledger_of(warehouse: Warehouse) -> WriteLedger:
    """The ledger as of the newest snapshot."""
    return WriteLedger(warehouse.rows(PIPELINE_RUNS), CountingRuns(warehouse.rows(SNAPSHOTS)))
