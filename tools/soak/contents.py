"""What readers see in a warehouse, as one hash a table; read by delta-rs, without Spark."""

from __future__ import annotations

import hashlib
from pathlib import Path

from deltalake import DeltaTable

from allofus_spark.tables import PARTITION_INPUTS, RUN_TABLES, SNAPSHOTS, Zone


def contents(root: Path) -> dict[str, str]:
    """SHA-256 of the rows of each table of the newest snapshot, in no order; but of those about runs."""
    own = {table.name for table in RUN_TABLES}
    return {name: _hash(root, name, version) for name, version in newest(root).items() if name not in own}


def newest(root: Path) -> dict[str, int]:
    """Table to version, of the newest snapshot."""
    rows = DeltaTable(str(root / SNAPSHOTS.zone.value / SNAPSHOTS.name)).to_pyarrow_table().to_pylist()
    number = max(row["snapshot_id"] for row in rows)
    return {row["table_name"]: row["version"] for row in rows if row["snapshot_id"] == number}


def folder_of(root: Path, name: str) -> Path:
    """Where a table lies."""
    (folder,) = (root / zone.value / name for zone in Zone if (root / zone.value / name).is_dir())
    return folder


def _hash(root: Path, name: str, version: int) -> str:
    table = DeltaTable(str(folder_of(root, name)), version=version).to_pyarrow_table()
    if name == PARTITION_INPUTS.name:  # fingerprints of inputs name the runs that wrote them
        table = table.drop_columns(["inputs"])
    columns = sorted(table.column_names)
    rows = sorted(repr([row[column] for column in columns]) for row in table.to_pylist())
    return hashlib.sha256("\n".join([repr(columns), *rows]).encode()).hexdigest()
