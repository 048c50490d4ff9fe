"""What failed writes leave behind: data files that no commit names, and staged rows of runs that are gone."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

import pyarrow as pa
from delta.tables import DeltaTable as SparkDeltaTable
from deltalake import DeltaTable
from pyspark.sql import functions as F

from allofus_spark.errors import SettingsError
from allofus_spark.hadoop import hadoop_path
from allofus_spark.tables.data_files import DataFile, FileLayout
from allofus_spark.tables.run_tables import PIPELINE_RUNS, SNAPSHOTS
from allofus_spark.tables.warehouse import Warehouse
from allofus_spark.tables.write_ledger import FINISHED, CountingRuns
from allofus_spark.tables.writes import FilesWrite

STAGING = "_staging"


@contextmanager
def removed_on_failure(layouts: Collection[FileLayout]) -> Iterator[None]:
    """When the block fails, the files that it wrote go: those of dead tasks too, which told nobody."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            keep_only(layouts, ())
        raise


def keep_only(layouts: Collection[FileLayout], files: Collection[DataFile]) -> None:
    """Remove the files of a write that are not among ``files``: tasks that died had written them.

    Raises SettingsError where one of ``files`` is not here: nodes of a cluster then have a folder of that
    name each, and not one that they share.
    """
    kept = {file.name for file in files}
    unseen = set(kept)
    for layout in layouts:
        with os.scandir(layout.folder) as entries:
            names = [entry.name for entry in entries if entry.name.startswith(layout.prefix)]
        unseen.difference_update(names)
        for name in names:
            if name not in kept:
                _remove(layout.folder, name)
    if unseen:
        folders = ", ".join(layout.folder for layout in layouts)
        raise SettingsError(
            f"tasks wrote {len(unseen)} of {len(kept)} files where this machine does not see them: the "
            f"warehouse must be mounted at one path on every node, or lie on HDFS or a store ({folders})"
        )


def discard(warehouse: Warehouse, write: FilesWrite) -> None:
    """Remove the data files of a write that failed, but those that the table holds all the same.

    Where that cannot be told they stay: the error that led here is the one to report.
    """
    folder = warehouse.local_path(write.table)
    with suppress(Exception):
        live: set[str] = set()
        if warehouse.exists(write.table):
            live.update(pa.table(DeltaTable(folder).get_add_actions()).column("path").to_pylist())
        for file in write.files:
            if file.name not in live:
                _remove(folder, file.name)


def sweep_staging(warehouse: Warehouse) -> None:
    """Remove all staged rows: for a run that holds the warehouse's lease and has staged nothing yet."""
    file_system, path = hadoop_path(warehouse.spark, f"{warehouse.root}/{STAGING}")
    for folder in file_system.listStatus(path) if file_system.exists(path) else ():
        file_system.delete(folder.getPath(), True)


def _remove(folder: str, name: str) -> None:
    with suppress(FileNotFoundError):
        os.remove(f"{folder}/{name}")


def disown_unfinished(warehouse: Warehouse, run_id: str | None = None) -> None:
    """Mark as failed the writes that ``pipeline_runs`` calls finished and that no snapshot holds.

    Of one run; without ``run_id`` of all, which only the holder of the lease may do: another's may be about
    to be recorded.
    """
    if not warehouse.exists(PIPELINE_RUNS):
        return
    counting = CountingRuns(warehouse.rows(SNAPSHOTS))
    lost = sorted(
        {
            row.run_id
            for row in warehouse.rows(PIPELINE_RUNS)
            if row.status == FINISHED and row.output_version is not None and row.snapshot_id is not None
            if row.run_id == (run_id or row.run_id) and not counting(row)
        }
    )
    if lost:
        ledger = SparkDeltaTable.forPath(warehouse.spark, warehouse.path(PIPELINE_RUNS))
        message = "the run ended before its snapshot was recorded; the next run undoes the write"
        changes = {"status": F.lit("failed"), "message": F.lit(message)}
        ledger.update(F.col("run_id").isin(lost) & (F.col("status") == FINISHED), changes)
