"""What the tables of a warehouse hold, and how to scatter their rows over many files."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from allofus_spark.tables import Table, Warehouse
from allofus_spark.tables.commits import commit_same_rows
from allofus_spark.tables.stored_files import StoredFile, stored_files


def content(held: Warehouse) -> dict[str, list[str]]:
    """Rows of each table that the newest snapshot names, as texts in order; read by another engine."""
    snapshot = held.held_versions(held.snapshot())
    return {
        table.name: rows_of(held, table, snapshot[table.name])
        for table in held.existing()
        if table.name in snapshot
    }


def rows_of(held: Warehouse, table: Table, version: int | None = None) -> list[str]:
    rows = DeltaTable(held.local_path(table), version=version).to_pyarrow_table().to_pylist()
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)


def scattered(held: Warehouse, table: Table) -> int:
    """Give rows of a file files of their own, three at most, and change none; the files there are now."""
    folder = Path(held.local_path(table))
    held_files = [file for file in stored_files(held, table) if (file.rows or 0) > 1]
    added = [action for file in held_files for action in _parts(folder, file)]
    if added:
        removed = [(file.path, file.bytes, file.partition) for file in held_files]
        commit_same_rows(held.spark, held.path(table), table, added, removed, user_metadata="{}")
    return len(stored_files(held, table))


def _parts(folder: Path, file: StoredFile) -> list[str]:
    """``add`` actions of files with the rows of one, the last row first."""
    rows: pa.Table = pq.read_table(folder / file.name, partitioning=None)
    cuts = [(0, 1), (1, 1), (2, rows.num_rows)]
    actions = []
    for start, length in reversed(cuts):
        part = rows.slice(start, length)
        if part.num_rows:
            name = f"scattered-{uuid.uuid4()}.parquet"
            pq.write_table(part, folder / name, compression="zstd", store_schema=False)
            add = {
                "path": name,
                "partitionValues": dict(file.partition),
                "size": (folder / name).stat().st_size,
                "modificationTime": int(time.time() * 1000),
                "dataChange": False,
                "stats": json.dumps({"numRecords": part.num_rows}),
            }
            actions.append(json.dumps({"add": add}))
    return actions
