"""What Delta's log says about a table, read in the JVM without a Spark job.

The public Python API (history, detail) starts a Spark job for each of these facts, about 0.3 s a call; every
run asks for them several times a table. This module is the one place that touches Delta's JVM classes.

Which files of a local table are live, and the rows of small ones, are asked of delta-rs: Spark would start a
job for that too.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from pyspark.sql import Row, SparkSession

from allofus_spark.tables.contract import Table


@dataclass(frozen=True)
class TableState:
    """Newest version of a table and its properties."""

    version: int
    properties: dict[str, str]


@dataclass(frozen=True)
class TableSize:
    """Live data files of a table's newest version, and their bytes."""

    files: int
    bytes: int


def read_state(spark: SparkSession, path: str) -> TableState | None:
    """State of the Delta table at ``path``; None where there is no table."""
    snapshot = _newest(spark, path)
    version = int(snapshot.version())
    return TableState(version, _to_dict(snapshot.metadata().configuration())) if version >= 0 else None


def read_size(spark: SparkSession, path: str) -> TableSize:
    """Size of the Delta table at ``path``, which exists."""
    snapshot = _newest(spark, path)
    return TableSize(int(snapshot.numOfFiles()), int(snapshot.sizeInBytes()))


def rows_written(spark: SparkSession, path: str, version: int) -> int | None:
    """Rows that the commit of ``version`` wrote; None where it does not say."""
    jvm: Any = spark._jvm
    delta = jvm.org.apache.spark.sql.delta
    log = delta.DeltaLog.forTable(spark._jsparkSession, path)
    commit = delta.util.FileNames.unsafeDeltaFile(log.logPath(), version)
    info = delta.DeltaHistoryManager.getCommitInfoOpt(log.store(), commit, log.newDeltaHadoopConf())
    if not info.isDefined() or not info.get().operationMetrics().isDefined():
        return None
    rows = _to_dict(info.get().operationMetrics().get()).get("numOutputRows")
    return int(rows) if rows is not None else None


def create_table(spark: SparkSession, path: str, table: Table, properties: Mapping[str, str]) -> None:
    """Make an empty Delta table at ``path``, where there is none, from its contract."""
    jvm: Any = spark._jvm
    delta, none = jvm.org.apache.spark.sql.delta, jvm.scala.Option.empty()
    metadata = {
        "id": str(uuid.uuid4()),
        "description": table.grain,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": table.schema.json(),
        "partitionColumns": list(table.partition_by),
        "configuration": {
            "delta.dataSkippingStatsColumns": ",".join(table.statistics),
            **{f"delta.constraints.{name}": condition for name, condition in table.checks.items()},
            **properties,
        },
        "createdTime": int(time.time() * 1000),
    }
    action = delta.actions.Action.fromJson(json.dumps({"metaData": metadata}))
    transaction = delta.DeltaLog.forTable(spark._jsparkSession, path).startTransaction(none, none)
    transaction.updateMetadataForNewTable(action)
    operation = delta.DeltaOperations.CreateTable(action, False, False, none)
    transaction.commit(_sequence(jvm, []), operation)


def read_rows(folder: str, version: int) -> list[Row]:
    """All rows of a small local table without times, as Spark gives them."""
    table = DeltaTable(folder, version=version).to_pyarrow_table()
    as_row = Row(*table.column_names)
    return [as_row(*values.values()) for values in table.to_pylist(maps_as_pydicts="strict")]


def commit_files(
    spark: SparkSession,
    path: str,
    folder: str,
    added: Sequence[str],
    *,
    replace: str,
    by: Sequence[str],
    metadata: str,
) -> int:
    """Commit data files that lie in ``folder``, where the table ``path`` is; the newest version.

    Where there is nothing to add and nothing to remove, no version is made.

    ``added`` are ``add`` actions as JSON. Files whose partition, by the columns ``by``, meets the predicate
    ``replace`` are removed in the same commit ("": none). Delta raises where another commit came between.
    """
    jvm: Any = spark._jvm
    delta, none = jvm.org.apache.spark.sql.delta, jvm.scala.Option.empty()
    transaction = delta.DeltaLog.forTable(spark._jsparkSession, path).startTransaction(none, none)
    version = int(transaction.snapshot().version())
    removed = []
    if replace:
        transaction.readWholeTable()
        removed = list(_removals(folder, version, replace, by))
    if not (added or removed):
        return version
    actions = [delta.actions.Action.fromJson(action) for action in (*removed, *added)]
    modes = jvm.org.apache.spark.sql.SaveMode
    predicate = jvm.scala.Option.apply(replace) if replace else none
    operation = delta.DeltaOperations.Write(
        modes.Overwrite if replace else modes.Append, none, predicate, jvm.scala.Option.apply(metadata)
    )
    return int(transaction.commit(_sequence(jvm, actions), operation))


def _sequence(jvm: Any, items: Sequence[Any]) -> Any:
    """A Scala sequence."""
    held = jvm.java.util.ArrayList()
    for item in items:
        held.add(item)
    return jvm.scala.collection.JavaConverters.asScalaBufferConverter(held).asScala().toSeq()


def _removals(folder: str, version: int, replace: str, by: Sequence[str]) -> Iterator[str]:
    """``remove`` actions, as JSON, of the live files whose partition meets the predicate."""
    live = pa.table(DeltaTable(folder, version=version).get_add_actions(flatten=True))
    if not live.num_rows:
        return
    columns = {name: live.column(f"partition.{name}") for name in by}
    files = pa.table({"path": live.column("path"), "size_bytes": live.column("size_bytes"), **columns})
    with duckdb.connect(config={"threads": 1}) as database:
        database.register("files", files)
        chosen = database.execute(f"SELECT * FROM files WHERE {replace}").fetchall()
    now = int(time.time() * 1000)
    for path, size, *partition in chosen:
        values = {
            name: None if value is None else str(value) for name, value in zip(by, partition, strict=True)
        }
        removal = {
            "path": path,
            "deletionTimestamp": now,
            "dataChange": True,
            "extendedFileMetadata": True,
            "partitionValues": values,
            "size": size,
        }
        yield json.dumps({"remove": removal})


def _newest(spark: SparkSession, path: str) -> Any:
    jvm: Any = spark._jvm
    log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path)
    return log.update(False, jvm.scala.Option.empty(), jvm.scala.Option.empty())


def _to_dict(scala_map: Any) -> dict[str, str]:
    result = {}
    iterator = scala_map.iterator()
    while iterator.hasNext():
        pair = iterator.next()
        result[str(pair._1())] = str(pair._2())
    return result
