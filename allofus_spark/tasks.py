"""Tasks that know what to do by their number, and rows that are sent to a task of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession


def task_numbers(spark: SparkSession, n_tasks: int, *, n_partitions: int | None = None) -> DataFrame:
    """One task a partition; or neighbouring ones together, in ``n_partitions``."""
    return spark.range(0, n_tasks, 1, numPartitions=max(n_partitions or n_tasks, 1))


def numbers_in(batches: Iterable[pa.RecordBatch]) -> Iterator[int]:
    """The task numbers of a partition of ``task_numbers``."""
    for batch in batches:
        yield from batch.column(0).to_pylist()


def partition_keys(n_partitions: int) -> npt.NDArray[np.int32]:
    """int32[n_partitions]: key k goes to partition k where a frame is repartitioned by an int column.

    Spark spreads keys by their hash, so that of as many keys as partitions a third of the partitions gets
    none and others several.
    """
    keys = np.full(n_partitions, -1, np.int32)
    first = 0
    while (keys < 0).any():
        tried = np.arange(first, first + 4 * n_partitions, dtype=np.int32)
        partition, place = np.unique(_murmur3(tried) % n_partitions, return_index=True)
        wanted = keys[partition] < 0
        keys[partition[wanted]] = tried[place[wanted]]
        first += len(tried)
    return keys


def _murmur3(keys: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Spark's hash of an int column: Murmur3 x86 32 with the seed 42, as a signed number."""
    with np.errstate(over="ignore"):
        mixed = keys.astype(np.uint32) * np.uint32(0xCC9E2D51)
        mixed = _rotated(mixed, 15) * np.uint32(0x1B873593)
        value = _rotated(np.uint32(42) ^ mixed, 13) * np.uint32(5) + np.uint32(0xE6546B64)
        value ^= np.uint32(4)  # bytes hashed
        value = (value ^ (value >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        value = (value ^ (value >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        return (value ^ (value >> np.uint32(16))).view(np.int32).astype(np.int64)


def _rotated(value: npt.NDArray[np.uint32], bits: int) -> npt.NDArray[np.uint32]:
    return (value << np.uint32(bits)) | (value >> np.uint32(32 - bits))
