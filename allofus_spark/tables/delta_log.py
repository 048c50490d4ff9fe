"""What Delta's log says about a table, read in the JVM without a Spark job.

The public Python API (history, detail) starts a Spark job for each of these facts, about 0.3 s a call; every
run asks for them several times a table. This module and `commits` alone touch Delta's JVM classes.

The rows of small local tables are asked of delta-rs: Spark would start a job for that too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from deltalake import DeltaTable
from pyspark.sql import DataFrame, Row, SparkSession

from allofus_spark.jvm import java
from allofus_spark.tables.contract import Table
from allofus_spark.tables.shape import check_columns, differences

DELTA = "org.apache.spark.sql.delta"


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
    if version < 0:
        return None
    return TableState(version, json.loads(snapshot.metadata().json())["metaData"]["configuration"])


def newest_stamp(folder: str, version: int) -> tuple[int, int] | None:
    """What tells the newest commit of a table in a local folder from others; None: it is not ``version``.

    Two looks at the file system spare asking Delta, which takes milliseconds and is asked of every table.
    """
    log = f"{folder}/_delta_log"
    if os.path.exists(f"{log}/{version + 1:020}.json"):
        return None
    try:
        found = os.stat(f"{log}/{version:020}.json")
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def read_size(spark: SparkSession, path: str) -> TableSize:
    """Size of the Delta table at ``path``, which exists."""
    snapshot = _newest(spark, path)
    return TableSize(int(snapshot.numOfFiles()), int(snapshot.sizeInBytes()))


def held_files(spark: SparkSession, path: str) -> list[Row]:
    """``path``, ``size``, ``partitionValues`` and ``rows`` of the newest version's files; a Spark job."""
    rows = "CAST(get_json_object(stats, '$.numRecords') AS LONG) AS rows"
    files = DataFrame(_newest(spark, path).allFiles().toDF(), spark)
    return files.selectExpr("path", "size", "partitionValues", rows).collect()


def replaced_files(spark: SparkSession, path: str) -> list[Row]:
    """``path`` and ``deletionTimestamp`` (ms) of files that the log remembers as replaced; a Spark job."""
    files = DataFrame(_newest(spark, path).tombstones().toDF(), spark)
    return files.selectExpr("path", "deletionTimestamp").collect()


def commits_since_checkpoint(spark: SparkSession, path: str) -> int:
    """Commits of the table's log that no checkpoint holds yet."""
    snapshot = _newest(spark, path)
    return int(snapshot.version()) - int(snapshot.checkpointProvider().version())


def make_checkpoint(spark: SparkSession, path: str) -> None:
    """Write a checkpoint of the newest version; Delta lets log files past the table's retention go then."""
    _newest(spark, path)
    log_of(spark, path).checkpoint()


def rows_written(spark: SparkSession, path: str, version: int) -> int | None:
    """Rows that the commit of ``version`` wrote; None where it does not say."""
    infos = [action["commitInfo"] for action in _actions(spark, path, version) if "commitInfo" in action]
    rows = infos[0].get("operationMetrics", {}).get("numOutputRows") if infos else None
    return int(rows) if rows is not None else None


def same_content(spark: SparkSession, path: str, table: Table, version: int) -> int | None:
    """The newest version with the rows of ``version``: later commits only laid its files anew (OPTIMIZE).

    VACUUM removes the files of ``version`` then, and the newer one is all that can be read. None where there
    is no such version any more: somebody has deleted the table, or it begins anew.
    """
    newest = int(_newest(spark, path).version())
    for number in range(version + 1, newest + 1):
        if any(_changes_rows(action, table) for action in _actions(spark, path, number)):
            return number - 1
    return newest if newest >= version else None


def others_commits(
    spark: SparkSession, path: str, table: Table, *, after: int, until: int, run_id: str
) -> list[int]:
    """Versions after one and until another that changed rows and that this run has not made."""
    others = []
    for number in range(after + 1, until + 1):
        actions = list(_actions(spark, path, number))
        if run_id != _run_of(actions) and any(_changes_rows(action, table) for action in actions):
            others.append(number)
    return others


def _run_of(actions: Iterable[Mapping[str, Any]]) -> str | None:
    """The run that made a commit; None where another tool did."""
    infos = [action["commitInfo"] for action in actions if "commitInfo" in action]
    said = infos[0].get("userMetadata") if infos else None
    with suppress(ValueError, AttributeError):  # others may say anything there
        return str(json.loads(said or "{}").get("run_id"))
    return None


def changed_partitions(spark: SparkSession, path: str, table: Table, version: int) -> list[str]:
    """Partitions in which the commit of ``version`` changed rows, as column=value/column=value, sorted."""
    changed: set[str] = set()
    for action in _actions(spark, path, version):
        file = action.get("add") or action.get("remove")
        if file is not None and file.get("dataChange", True):
            values = file.get("partitionValues") or {}
            changed.add("/".join(f"{name}={values.get(name)}" for name in table.partition_by))
    return sorted(changed)


def _actions(spark: SparkSession, path: str, version: int) -> Iterator[dict[str, Any]]:
    """Actions of one commit of the table at ``path``."""
    log = log_of(spark, path)
    file = java(spark, f"{DELTA}.util.FileNames.unsafeDeltaFile")(log.logPath(), version)
    for action in log.store().read(file, log.newDeltaHadoopConf()).mkString("\n").split("\n"):
        if action:
            yield json.loads(action)


def _changes_rows(action: Mapping[str, Any], table: Table) -> bool:
    """Whether an action of the log adds or removes rows, or gives the table another shape."""
    if "metaData" in action:
        return bool(differences(action["metaData"], table))
    files = [action[kind] for kind in ("add", "remove") if kind in action]
    return any(file.get("dataChange", True) for file in files)


def read_rows(folder: str, version: int, table: Table) -> list[Row]:
    """All rows of a small local table without times, as Spark gives them."""
    rows = DeltaTable(folder, version=version).to_pyarrow_table()
    check_columns(table, rows.column_names)
    as_row = Row(*rows.column_names)
    return [as_row(*values.values()) for values in rows.to_pylist(maps_as_pydicts="strict")]


def _newest(spark: SparkSession, path: str) -> Any:
    none = no_value(spark)
    return log_of(spark, path).update(False, none, none)


def no_value(spark: SparkSession) -> Any:
    """Scala's None."""
    return java(spark, "scala.Option.empty")()


def log_of(spark: SparkSession, path: str) -> Any:
    """Delta's log of the table at ``path``; Delta asks the calling thread for its session, now and later."""
    java(spark, "org.apache.spark.sql.SparkSession.setActiveSession")(spark._jsparkSession)
    return java(spark, f"{DELTA}.DeltaLog.forTable")(spark._jsparkSession, path)


def listed(scala_sequence: Any) -> list[Any]:
    """The items of a Scala collection."""
    items = []
    iterator = scala_sequence.iterator()
    while iterator.hasNext():
        items.append(iterator.next())
    return items
