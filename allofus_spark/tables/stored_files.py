"""The data files of a table: those that its newest version holds, and those that lie in its folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

from allofus_spark.hadoop import hadoop_path
from allofus_spark.jvm import java
from allofus_spark.tables.contract import Table
from allofus_spark.tables.delta_log import held_files, replaced_files
from allofus_spark.tables.warehouse import Warehouse

_PARTITION, _MIN = "partition.", "min."


@dataclass(frozen=True)
class StoredFile:
    """A file of the newest version: its path as in the log, bytes, partition values as text.

    ``rows`` is None where the log has no statistics; ``first`` is the least value of the column that rows are
    sorted by first, None where the log does not tell.
    """

    path: str
    bytes: int
    partition: Mapping[str, str | None]
    rows: int | None
    first: Any = None

    @property
    def name(self) -> str:
        """Its path in the table's folder."""
        return unquote(self.path)


@dataclass(frozen=True)
class LyingFile:
    """A file below a table's folder: its path there, bytes, and when it was written, in ms since 1970."""

    name: str
    bytes: int
    written_ms: int


def stored_files(warehouse: Warehouse, table: Table) -> list[StoredFile]:
    """Files of the newest version, in the order of their partitions and first rows."""
    if warehouse.local_root is None:
        held = held_files(warehouse.spark, warehouse.path(table))
        found = [StoredFile(row.path, row.size, dict(row.partitionValues), row.rows) for row in held]
    else:
        found = list(_local_files(warehouse.local_path(table), table))
    return sorted(found, key=_place)


def _place(file: StoredFile) -> tuple[Any, ...]:
    values = ((value is None, value or "") for value in file.partition.values())
    return (*values, file.first is None, 0 if file.first is None else file.first, file.path)


def _local_files(folder: str, table: Table) -> Iterator[StoredFile]:
    first = next((name for name in table.order if name in table.statistics), "")
    for action in pa.table(DeltaTable(folder).get_add_actions(flatten=True)).to_pylist():
        partition = {name: action[_PARTITION + name] for name in table.partition_by}
        yield StoredFile(
            path=action["path"],
            bytes=int(action["size_bytes"]),
            partition={name: None if value is None else str(value) for name, value in partition.items()},
            rows=None if action.get("num_records") is None else int(action["num_records"]),
            first=action.get(_MIN + first),
        )


def lying_files(warehouse: Warehouse, table: Table) -> list[LyingFile]:
    """Data files below the table's folder, whether or not a version holds them."""
    if warehouse.local_root is not None:
        return list(_lying_in(warehouse.local_path(table)))
    file_system, path = hadoop_path(warehouse.spark, warehouse.path(table))
    root = str(file_system.makeQualified(path).toUri().getPath()).rstrip("/") + "/"
    found, items = [], file_system.listFiles(path, True)
    while items.hasNext():
        item = items.next()
        name = str(item.getPath().toUri().getPath()).removeprefix(root)
        if not _is_hidden(name):
            found.append(LyingFile(name, int(item.getLen()), int(item.getModificationTime())))
    return found


def _lying_in(folder: str) -> Iterator[LyingFile]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        for name in names:
            if not _is_hidden(name):
                path = os.path.join(place, name)
                about = os.stat(path)
                yield LyingFile(os.path.relpath(path, folder), about.st_size, about.st_mtime_ns // 1_000_000)


def _is_hidden(name: str) -> bool:
    """Whether a path is none of a data file: Delta's log, checksums, what writers are about to rename."""
    return any(part.startswith(("_", ".")) and "=" not in part for part in name.split("/"))


def needless_files(
    warehouse: Warehouse, table: Table, held: Sequence[StoredFile], before_ms: int
) -> list[LyingFile]:
    """Files that no version after the time ``before_ms`` needs, and that were written before it.

    Kept are those of the newest version, ``held``, and those that a commit since then has replaced: a
    snapshot as young as that, or younger, holds them.
    """
    names = {file.name for file in held}
    old = [
        file
        for file in lying_files(warehouse, table)
        if file.name not in names and file.written_ms < before_ms
    ]
    if not old:
        return []
    replaced = replaced_files(warehouse.spark, warehouse.path(table))
    names = {unquote(row.path) for row in replaced if (row.deletionTimestamp or 0) >= before_ms}
    return [file for file in old if file.name not in names]


def remove_files(warehouse: Warehouse, table: Table, files: Sequence[LyingFile]) -> None:
    """Delete files below the table's folder."""
    file_system, root = hadoop_path(warehouse.spark, warehouse.path(table))
    make_path = java(warehouse.spark, "org.apache.hadoop.fs.Path")
    for file in files:
        # By its parts: a name such as a:b would be taken for one with a scheme.
        file_system.delete(make_path(f"{root.toString()}/{file.name}"), False)
