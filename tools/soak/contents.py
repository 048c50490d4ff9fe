"""What readers see in a warehouse, as one hash a table; read by delta-rs, without Spark."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from allofus_spark.settings import Settings
from allofus_spark.tables import PARTITION_INPUTS, RUN_TABLES, SNAPSHOTS, Table, contracts

_NONE: Mapping[str, str] = {}


def contents(root: str | Path, store: Mapping[str, str] = _NONE) -> dict[str, str]:
    """SHA-256 of the rows of each table of the newest snapshot, in no order; but of those about runs.

    ``store`` are delta-rs's options of an object store.
    """
    by_name = {table.name: table for table in contracts(Settings())}
    own = {table.name for table in RUN_TABLES}
    return {
        name: _hash(_read(root, by_name[name], version, store), name)
        for name, version in newest(root, store).items()
        if name not in own
    }


def newest(root: str | Path, store: Mapping[str, str] = _NONE) -> dict[str, int]:
    """Table to version, of the newest snapshot; none where there is no snapshot yet."""
    if not DeltaTable.is_deltatable(path_of(root, SNAPSHOTS), dict(store)):
        return {}
    rows = _read(root, SNAPSHOTS, None, store).to_pylist()
    number = max((row["snapshot_id"] for row in rows), default=0)
    return {row["table_name"]: row["version"] for row in rows if row["snapshot_id"] == number}


def path_of(root: str | Path, table: Table) -> str:
    """Where a table lies."""
    return f"{root}/{table.zone.value}/{table.name}"


def _read(root: str | Path, table: Table, version: int | None, store: Mapping[str, str]) -> pa.Table:
    return DeltaTable(path_of(root, table), version=version, storage_options=dict(store)).to_pyarrow_table()


def _hash(rows: pa.Table, name: str) -> str:
    if name == PARTITION_INPUTS.name:  # fingerprints of inputs name the runs that wrote them
        rows = rows.drop_columns(["inputs"])
    columns = sorted(rows.column_names)
    texts = sorted(repr([row[column] for column in columns]) for row in rows.to_pylist())
    return hashlib.sha256("\n".join([repr(columns), *texts]).encode()).hexdigest()
