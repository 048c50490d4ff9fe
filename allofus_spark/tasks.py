"""Tasks that know what to do by their number: all that Spark hands over is that number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession


def task_numbers(spark: SparkSession, n_tasks: int, *, n_partitions: int | None = None) -> DataFrame:
    """One task a partition; or neighbouring ones together, in ``n_partitions``."""
    return spark.range(0, n_tasks, 1, numPartitions=max(n_partitions or n_tasks, 1))


def numbers_in(batches: Iterable[pa.RecordBatch]) -> Iterator[int]:
    """The task numbers of a partition of ``task_numbers``."""
    for batch in batches:
        yield from batch.column(0).to_pylist()
