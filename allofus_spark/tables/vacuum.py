"""Old bytes out of a table's folder for good: files and log entries that its newest version does not need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import unquote

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from allofus_spark.hadoop import hadoop_path, read_bytes
from allofus_spark.tables.contract import Table, Zone
from allofus_spark.tables.delta_log import log_of
from allofus_spark.tables.live_tables import LIVE_TABLES
from allofus_spark.tables.stored_files import stored_files
from allofus_spark.tables.warehouse import Warehouse

_LOG = "_delta_log"


class FoundFile(NamedTuple):
    """A file of any kind below a folder: its name, and when it was written (milliseconds since 1970, UTC)."""

    path: str
    name: str
    modified_ms: int


def keep_newest_only(warehouse: Warehouse, table: Table) -> None:
    """Remove every file that the table's newest version does not read, and the log of versions before it.

    For a run that holds the warehouse's lease: a reader of an older version finds its files gone.
    """
    path = warehouse.path(table)
    if warehouse.local_root is None:
        with _no_retention(warehouse.spark):
            DeltaTable.forPath(warehouse.spark, path).vacuum(0)
    else:  # what VACUUM does by several jobs a table
        for file in unreferenced_files(warehouse, table):
            remove_file(warehouse, file)
    state = warehouse.state(table)
    # Of a version that the newest snapshot does not name, the log says which rows it has.
    if state is not None and (table in LIVE_TABLES or warehouse.snapshot().get(table.name) == state.version):
        _forget_older_log(warehouse.spark, path, state.version)


@contextmanager
def _no_retention(spark: SparkSession) -> Iterator[None]:
    """Let VACUUM remove files however young they are."""
    changed = {
        "spark.databricks.delta.retentionDurationCheck.enabled": "false",
        # VACUUM lists folders by as many tasks: 10,000 of them by default, for any table.
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": str(
            spark.sparkContext.defaultParallelism
        ),
    }
    for name, value in changed.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name in changed:
            spark.conf.unset(name)


def _forget_older_log(spark: SparkSession, path: str, version: int) -> None:
    """Write a checkpoint of the newest version, and remove the log entries that it stands for.

    The newest version's own entry stays, as Delta asks for it.
    """
    log_of(spark, path).checkpoint()
    for file in log_files(spark, path):
        number = file.name.split(".", 1)[0]
        if number.isdigit() and int(number) < version:
            file_system, parsed = hadoop_path(spark, file.path)
            file_system.delete(parsed, False)


def log_files(spark: SparkSession, path: str) -> list[FoundFile]:
    """Files of the log of the table at ``path``."""
    return list(_files(spark, f"{path}/{_LOG}"))


def live_names(warehouse: Warehouse, table: Table) -> set[str]:
    """Names, each its own, of the data files that a table's newest version reads."""
    return {file.name.rsplit("/", 1)[-1] for file in stored_files(warehouse, table)}


def unreferenced_files(warehouse: Warehouse, table: Table) -> list[FoundFile]:
    """Data files in a table's folder that its newest version does not read."""
    live = live_names(warehouse, table)
    path = warehouse.path(table)
    files = _files(warehouse.spark, path)
    return [file for file in files if f"/{_LOG}/" not in file.path and file.name not in live]


def names_removed_since(warehouse: Warehouse, table: Table, since_ms: int) -> set[str]:
    """Names of data files that the table read until a commit later than ``since_ms`` took them out."""
    removed = set()
    for file in log_files(warehouse.spark, warehouse.path(table)):
        if not file.name.endswith(".json"):
            continue
        actions = map(json.loads, read_bytes(warehouse.spark, file.path).splitlines())
        for action in (line["remove"] for line in actions if "remove" in line):
            if action.get("deletionTimestamp", 0) >= since_ms:
                removed.add(unquote(action["path"]).rsplit("/", 1)[-1])
    return removed


def pictures_of_people(warehouse: Warehouse) -> list[FoundFile]:
    """Pictures in the zone of what is known of single people."""
    folder = warehouse.picture_path(Zone.CONTROLLED, "").rsplit("/", 1)[0]
    return list(_files(warehouse.spark, folder))


def remove_file(warehouse: Warehouse, file: FoundFile) -> None:
    """Remove a file that was found."""
    file_system, parsed = hadoop_path(warehouse.spark, file.path)
    file_system.delete(parsed, False)


def _files(spark: SparkSession, path: str) -> Iterator[FoundFile]:
    file_system, parsed = hadoop_path(spark, path)
    if not file_system.exists(parsed):
        return
    found = file_system.listFiles(parsed, True)
    while found.hasNext():
        status = found.next()
        own = status.getPath()
        yield FoundFile(str(own), str(own.getName()), int(status.getModificationTime()))
