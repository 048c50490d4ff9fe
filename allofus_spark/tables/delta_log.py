"""What Delta's log says about a table, read in the JVM without a Spark job.

The public Python API (history, detail) starts a Spark job for each of these facts, about 0.3 s a call; every
run asks for them several times a table. This module is the one place that touches Delta's JVM classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession


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
