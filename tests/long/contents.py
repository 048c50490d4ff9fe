"""What the tables of a warehouse hold, read without Spark: from a folder or from an object store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pyarrow as pa
from deltalake import DeltaTable

from allofus_spark.settings import Settings
from allofus_spark.tables import PARTITION_INPUTS, SNAPSHOTS, Table, contracts

_NAMES_RUNS = {PARTITION_INPUTS.name}  # which are others in each warehouse


def table_hashes(root: str, store: Mapping[str, str] | None = None) -> dict[str, str]:
    """SHA-256 of all rows, in the order of the key, of each table of the newest snapshot.

    ``store`` are delta-rs's options of an object store.
    """
    by_name = {table.name: table for table in contracts(Settings())}
    hashes = {}
    for name, version in newest_versions(root, store).items():
        if name not in _NAMES_RUNS:
            hashes[name] = _hash(_read(root, by_name[name], version, store), by_name[name])
    return hashes


def newest_versions(root: str, store: Mapping[str, str] | None = None) -> dict[str, int]:
    """Versions of the tables of the newest snapshot; none where there is no snapshot yet."""
    if not DeltaTable.is_deltatable(_path(root, SNAPSHOTS), dict(store or {})):
        return {}
    rows = _read(root, SNAPSHOTS, None, store).to_pylist()
    newest = max((row["snapshot_id"] for row in rows), default=0)
    return {row["table_name"]: row["version"] for row in rows if row["snapshot_id"] == newest}


def _path(root: str, table: Table) -> str:
    return f"{root}/{table.zone.value}/{table.name}"


def _read(root: str, table: Table, version: int | None, store: Mapping[str, str] | None) -> pa.Table:
    return DeltaTable(
        _path(root, table), version=version, storage_options=dict(store or {})
    ).to_pyarrow_table()


def _hash(rows: pa.Table, table: Table) -> str:
    """Over the text of the rows: the files' number and order, and their dictionaries, do not count."""
    names = [column.name for column in table.columns]
    ordered = rows.select(names).sort_by([(name, "ascending") for name in table.key])
    digest = hashlib.sha256()
    for batch in ordered.to_batches(max_chunksize=1_000):
        for row in batch.to_pylist():
            digest.update(f"{row}\n".encode())
    return f"{ordered.num_rows} rows {digest.hexdigest()[:16]}"
