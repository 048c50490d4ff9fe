"""What a job reads from: the live tables of its run, or the newest snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pyspark.sql import DataFrame, Row

from allofus_spark.tables.contract import Table
from allofus_spark.tables.warehouse import Warehouse


class Reader(Protocol):
    """Tables as a job sees them; a `Run` is one."""

    def read(self, table: Table, /) -> DataFrame:
        """Rows of a table."""
        ...

    def rows(self, table: Table, /) -> list[Row]:
        """All rows of a small table; none where it does not exist."""
        ...

    def holds(self, table: Table, /) -> bool:
        """Whether the table is there to be read."""
        ...


class SnapshotReader:
    """The newest finished snapshot: for jobs that write no table, beside a run or where nobody may write."""

    def __init__(self, warehouse: Warehouse, snapshot: Mapping[str, int] | None = None) -> None:
        self._warehouse = warehouse
        self._versions = warehouse.snapshot() if snapshot is None else snapshot

    def read(self, table: Table) -> DataFrame:
        return self._warehouse.read(table, self._versions)

    def rows(self, table: Table) -> list[Row]:
        if not self.holds(table):
            return []
        return self._warehouse.rows_at(table, self.version(table))

    def holds(self, table: Table) -> bool:
        return table.name in self._versions

    def version(self, table: Table) -> int:
        """The version of a table that its rows are read from."""
        return self._warehouse.kept(table, self._versions[table.name])
