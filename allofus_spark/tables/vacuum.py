"""Old bytes out of a table's folder for good: files and log entries that its newest version does not need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from allofus_spark.hadoop import hadoop_path
from allofus_spark.tables.contract import Table
from allofus_spark.tables.delta_log import log_of
from allofus_spark.tables.warehouse import Warehouse

_LOG = "_delta_log"


class StoredFile(NamedTuple):
    """A file below a table's folder: its name, and when it was written (milliseconds since 1970, UTC)."""

    path: str
    name: str
    modified_ms: int


def keep_newest_only(warehouse: Warehouse, table: Table) -> None:
    """Remove every file that the table's newest version does not read, and the log of versions before it.

    For a run that holds the warehouse's lease: a reader of an older version finds its files gone.
    """
    path = warehouse.path(table)
    with _no_retention(warehouse.spark):
        DeltaTable.forPath(warehouse.spark, path).vacuum(0)
    _forget_older_log(warehouse.spark, path)


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


def _forget_older_log(spark: SparkSession, path: str) -> None:
    """Write a checkpoint of the newest version, and remove the log entries that it stands for.

    The newest version's own entry stays, as Delta asks for it.
    """
    log = log_of(spark, path)
    version = int(log.update(False, _none(spark), _none(spark)).version())
    log.checkpoint()
    for file in log_files(spark, path):
        number = file.name.split(".", 1)[0]
        if number.isdigit() and int(number) < version:
            file_system, parsed = hadoop_path(spark, file.path)
            file_system.delete(parsed, False)


def _none(spark: SparkSession) -> Any:
    jvm: Any = spark._jvm
    return jvm.scala.Option.empty()


def log_files(spark: SparkSession, path: str) -> list[StoredFile]:
    """Files of the log of the table at ``path``."""
    return list(_files(spark, f"{path}/{_LOG}"))


def unreferenced_files(warehouse: Warehouse, table: Table) -> list[StoredFile]:
    """Data files in a table's folder that its newest version does not read."""
    live = {unquote(uri).rsplit("/", 1)[-1] for uri in warehouse.live(table).inputFiles()}
    path = warehouse.path(table)
    files = _files(warehouse.spark, path)
    return [file for file in files if f"/{_LOG}/" not in file.path and file.name not in live]


def _files(spark: SparkSession, path: str) -> Iterator[StoredFile]:
    file_system, parsed = hadoop_path(spark, path)
    found = file_system.listFiles(parsed, True)
    while found.hasNext():
        status = found.next()
        own = status.getPath()
        yield StoredFile(str(own), str(own.getName()), int(status.getModificationTime()))
