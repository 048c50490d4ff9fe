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

import pyarrow as pa
from deltalake import DeltaTable
from pyspark.sql import Row, SparkSession

from allofus_spark.arrow import select
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
    transaction = _begin(spark, path)
    metadata = _metadata(jvm, table, properties)
    transaction.updateMetadataForNewTable(metadata)
    none = jvm.scala.Option.empty()
    operation = jvm.org.apache.spark.sql.delta.DeltaOperations.CreateTable(metadata, False, False, none)
    transaction.commit(_sequence(jvm, []), operation)


def _metadata(jvm: Any, table: Table, properties: Mapping[str, str]) -> Any:
    """The action that describes a new table."""
    described = {
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
    return jvm.org.apache.spark.sql.delta.actions.Action.fromJson(json.dumps({"metaData": described}))


def read_rows(folder: str, version: int) -> list[Row]:
    """All rows of a small local table without times, as Spark gives them."""
    table = DeltaTable(folder, version=version).to_pyarrow_table()
    as_row = Row(*table.column_names)
    return [as_row(*values.values()) for values in table.to_pylist(maps_as_pydicts="strict")]


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
    anything to add or remove is left out. Delta raises where another commit came between.
    """
    jvm: Any = spark._jvm
    delta, option = jvm.org.apache.spark.sql.delta, jvm.scala.Option
    transaction = _begin(spark, path)
    version = int(transaction.snapshot().version())
    removed = []
    if version < 0:
        transaction.updateMetadataForNewTable(_metadata(jvm, table, properties))
    elif replace:
        transaction.readWholeTable()
        removed = list(_removals(folder, version, replace, table.partition_by))
    if version >= 0 and not (added or removed):
        return version
    actions = [delta.actions.Action.fromJson(action) for action in (*removed, *added)]
    modes = jvm.org.apache.spark.sql.SaveMode
    predicate = option.apply(replace) if replace else option.empty()
    operation = delta.DeltaOperations.Write(
        modes.Overwrite if replace else modes.Append, option.empty(), predicate, option.apply(user_metadata)
    )
    return int(transaction.commit(_sequence(jvm, actions), operation))


def _begin(spark: SparkSession, path: str) -> Any:
    """A transaction on the newest version of the table; version -1 where there is none."""
    jvm: Any = spark._jvm
    none = jvm.scala.Option.empty()
    log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path)
    return log.startTransaction(none, none)


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
    chosen = select("*", files, replace)
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
