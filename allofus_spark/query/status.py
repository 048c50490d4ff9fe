"""What a warehouse holds: tables, versions, rows, bytes, and the last run of each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from pyspark.sql import functions as F

from allofus_spark.tables import PIPELINE_RUNS, Table, Warehouse, contract, contracts
from allofus_spark.tables.delta_log import read_size
from allofus_spark.tables.live_tables import LIVE_TABLES


@dataclass(frozen=True)
class TableStatus:
    """One table. ``version`` is the snapshot's; ``live_version`` is ahead during a run or a failed one."""

    name: str
    zone: str
    version: int | None
    live_version: int
    rows: int
    files: int
    bytes: int
    last_run: str | None
    last_run_at: dt.datetime | None


def warehouse_status(warehouse: Warehouse) -> list[TableStatus]:
    """The tables that exist, in pipeline order. Rows come from Delta's statistics."""
    snapshot = warehouse.snapshot()
    last = _last_runs(warehouse)
    known = {table.name: table for table in contracts(warehouse.settings)}
    known |= {name: contract(name, warehouse.settings) for name in snapshot if name not in known}
    return [
        _table_status(warehouse, table, snapshot, last) for table in known.values() if warehouse.exists(table)
    ]


def _table_status(
    warehouse: Warehouse, table: Table, snapshot: dict[str, int], last: dict[str, tuple[str, dt.datetime]]
) -> TableStatus:
    state = warehouse.state(table)
    assert state is not None
    version = state.version if table in LIVE_TABLES else snapshot.get(table.name)
    size = read_size(warehouse.spark, warehouse.path(table))
    rows = warehouse.read(table, {table.name: version}).count() if version is not None else 0
    stage, finished = last.get(table.name, (None, None))
    return TableStatus(
        table.name, table.zone.value, version, state.version, rows, size.files, size.bytes, stage, finished
    )


def _last_runs(warehouse: Warehouse) -> dict[str, tuple[str, dt.datetime]]:
    """Stage and start of the last finished run that wrote each table."""
    if not warehouse.exists(PIPELINE_RUNS):
        return {}
    finished = warehouse.live(PIPELINE_RUNS).where("status = 'finished' AND table_name <> ''")
    newest = finished.groupBy("table_name").agg(
        F.max_by(F.struct("stage", "started_at"), "started_at").alias("last")
    )
    return {row.table_name: (row.last.stage, row.last.started_at) for row in newest.collect()}
