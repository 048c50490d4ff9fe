"""Commits to Delta's log: data files that were written by other means than Spark's writer.

Delta's own transaction makes them, so that its checks for conflicts hold. Which files of a local table are
live is asked of delta-rs: Spark would start a job for that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa
from delta.exceptions import (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentWriteException,
    DeltaConcurrentModificationException,
)
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from allofus_spark.arrow import select
from allofus_spark.jvm import java
from allofus_spark.tables.contract import Table
from allofus_spark.tables.delta_log import DELTA, listed, log_of, no_value
from allofus_spark.tables.shape import check_features, fitted_metadata, new_metadata
from allofus_spark.tables.writes import WHOLE_TABLE

StoredPath = tuple[str, int, Mapping[str, str | None]]
"""A data file in the log: path, bytes, partition values as text."""
# Delta takes the user's words on a commit from its operation, or, of one that carries none, from here.
_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
# What Delta raises where another commit came between the beginning of a transaction and its end.
CONFLICTS = (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentWriteException,
    DeltaConcurrentModificationException,
)
_TRIES = 3


def fit_table(
    spark: SparkSession,
    path: str,
    table: Table,
    properties: Mapping[str, str],
    *,
    replace: str,
    user_metadata: str,
) -> None:
    """Make an empty table at ``path`` from its contract where there is none, else hold it against that.

    For writes that Spark makes. Where all rows are to be replaced and the table is not its contract's, it is
    emptied and becomes so.
    """
    transaction = _begin(spark, path)
    if int(transaction.snapshot().version()) < 0:
        metadata = _action(spark, "metaData", new_metadata(table, properties))
        transaction.updateMetadataForNewTable(metadata)
        none = no_value(spark)
        operation = java(spark, f"{DELTA}.DeltaOperations.CreateTable")(metadata, False, False, none)
        transaction.commit(_sequence(spark, []), operation)
    elif _fit(spark, transaction, table, properties, replace):
        held = listed(transaction.filterFiles())
        operation = _write_operation(spark, WHOLE_TABLE, user_metadata)
        transaction.commit(_sequence(spark, [file.remove() for file in held]), operation)


def check_table(spark: SparkSession, path: str, table: Table, *, replace: str = "") -> None:
    """Raise ContractViolation where a commit to the table would; before files are written for it."""
    transaction = _begin(spark, path)
    if int(transaction.snapshot().version()) >= 0:
        _fit(spark, transaction, table, {}, replace)


def _fit(
    spark: SparkSession, transaction: Any, table: Table, properties: Mapping[str, str], replace: str
) -> bool:
    """Hold a table against its contract, and update its metadata where no row stays; whether it did."""
    check_features(table, json.loads(transaction.protocol().json())["protocol"])
    held = json.loads(transaction.metadata().json())["metaData"]
    fitted = fitted_metadata(
        held,
        table,
        properties,
        anew=lambda: replace == WHOLE_TABLE or int(transaction.snapshot().numOfFiles()) == 0,
    )
    if fitted is None:
        return False
    transaction.updateMetadataForTableOverwrite(_action(spark, "metaData", fitted))
    return True


def commit_files(
    spark: SparkSession,
    path: str,
    folder: str,
    table: Table,
    added: Sequence[str],
    *,
    replace: str,
    properties: Mapping[str, str],
    user_metadata: str,
) -> int:
    """Commit data files that lie in ``folder``, where the table ``path`` is; the newest version.

    ``added`` are ``add`` actions as JSON. Files whose partition meets the predicate ``replace`` are removed
    in the same commit ("": none). The first commit makes the table, with ``properties``; a later one without
    anything to add or remove is left out. Where no row stays the table becomes its contract's in the same
    commit; raises ContractViolation where some stay and the table is not so. Where another commit came
    between, it is made anew on top of that: OPTIMIZE may lay files anew at any time, and rows that others
    change are found when the run ends (`alone`).
    """
    for _ in range(_TRIES - 1):
        with suppress(*CONFLICTS):
            return _commit_files(spark, path, folder, table, added, replace, properties, user_metadata)
    return _commit_files(spark, path, folder, table, added, replace, properties, user_metadata)


def _commit_files(
    spark: SparkSession,
    path: str,
    folder: str,
    table: Table,
    added: Sequence[str],
    replace: str,
    properties: Mapping[str, str],
    user_metadata: str,
) -> int:
    """Try the commit once; Delta raises where another one that bears on it came between."""
    transaction = _begin(spark, path)
    version = int(transaction.snapshot().version())
    removed = []
    if version < 0:
        transaction.updateMetadataForNewTable(_action(spark, "metaData", new_metadata(table, properties)))
        fitted = True
    else:
        fitted = _fit(spark, transaction, table, properties, replace)
        if replace:
            transaction.readWholeTable()
            removed = list(_removals(folder, version, replace))
    if not (added or removed or fitted):
        return version
    from_json = java(spark, f"{DELTA}.actions.Action.fromJson")
    actions = [from_json(action) for action in (*removed, *added)]
    return int(transaction.commit(_sequence(spark, actions), _write_operation(spark, replace, user_metadata)))


def read_metadata(spark: SparkSession, path: str) -> dict[str, Any]:
    """The ``metaData`` action that holds for the newest version of the table at ``path``, which exists."""
    held: dict[str, Any] = json.loads(_begin(spark, path).metadata().json())["metaData"]
    return held


def commit_metadata(spark: SparkSession, path: str, metadata: Mapping[str, Any]) -> int:
    """Commit other columns or properties of a table without touching its files; the newest version."""
    transaction = _begin(spark, path)
    action = _action(spark, "metaData", metadata)
    before = transaction.metadata().schema()
    transaction.updateMetadata(action, False)
    operation = java(spark, f"{DELTA}.DeltaOperations.UpdateSchema")(before, action.schema())
    return int(transaction.commit(_sequence(spark, []), operation))


def commit_same_rows(
    spark: SparkSession,
    path: str,
    table: Table,
    added: Sequence[str],
    removed: Sequence[StoredPath],
    *,
    user_metadata: str,
) -> int:
    """Commit data files that hold the rows of others, which they replace; the newest version.

    The commit says that no row changed, so that readers of changes, and this engine, pass it over.
    """
    transaction = _begin(spark, path)
    _fit(spark, transaction, table, {}, "")
    transaction.readWholeTable()
    now = int(time.time() * 1000)
    actions = [json.dumps({"remove": _removal(*file, now, changes_rows=False)}) for file in removed]
    actions += [json.dumps({"add": {**json.loads(action)["add"], "dataChange": False}}) for action in added]
    from_json = java(spark, f"{DELTA}.actions.Action.fromJson")
    nothing, none = _sequence(spark, []), no_value(spark)
    operation = java(spark, f"{DELTA}.DeltaOperations.Optimize")(nothing, nothing, False, none, False)
    spark.conf.set(_USER_METADATA, user_metadata)
    try:
        return int(transaction.commit(_sequence(spark, [from_json(action) for action in actions]), operation))
    finally:
        spark.conf.unset(_USER_METADATA)


def _write_operation(spark: SparkSession, replace: str, user_metadata: str) -> Any:
    """How the log's history shows a commit."""
    some, none = java(spark, "scala.Option.apply"), no_value(spark)
    mode = java(spark, f"org.apache.spark.sql.SaveMode.{'Overwrite' if replace else 'Append'}")
    write = java(spark, f"{DELTA}.DeltaOperations.Write")
    return write(mode, none, some(replace) if replace else none, some(user_metadata))


def _action(spark: SparkSession, kind: str, content: Mapping[str, Any]) -> Any:
    return java(spark, f"{DELTA}.actions.Action.fromJson")(json.dumps({kind: content}))


def _begin(spark: SparkSession, path: str) -> Any:
    """A transaction on the newest version of the table; version -1 where there is none."""
    none = no_value(spark)
    return log_of(spark, path).startTransaction(none, none)


def _sequence(spark: SparkSession, items: Sequence[Any]) -> Any:
    """A Scala sequence."""
    held = java(spark, "java.util.ArrayList")()
    for item in items:
        held.add(item)
    converter = java(spark, "scala.collection.JavaConverters.asScalaBufferConverter")
    return converter(held).asScala().toSeq()


def _removals(folder: str, version: int, replace: str) -> Iterator[str]:
    """``remove`` actions, as JSON, of the live files whose partition meets the predicate."""
    table = DeltaTable(folder, version=version)
    by = table.metadata().partition_columns
    live = pa.table(table.get_add_actions(flatten=True))
    if not live.num_rows:
        return
    columns = {name: live.column(f"partition.{name}") for name in by}
    files = pa.table({"path": live.column("path"), "size_bytes": live.column("size_bytes"), **columns})
    chosen = select("*", files, replace)
    now = int(time.time() * 1000)
    for path, size, *partition in chosen:
        values = {
            name: None if value is None else str(value) for name, value in zip(by, partition, strict=True)
        }
        yield json.dumps({"remove": _removal(path, size, values, now, changes_rows=True)})


def _removal(
    path: str, size: int, partition: Mapping[str, str | None], now: int, *, changes_rows: bool
) -> dict[str, Any]:
    return {
        "path": path,
        "deletionTimestamp": now,
        "dataChange": changes_rows,
        "extendedFileMetadata": True,
        "partitionValues": dict(partition),
        "size": size,
    }
