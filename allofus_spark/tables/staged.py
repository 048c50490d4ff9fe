"""Batches of several outputs in one staged frame, where tasks cannot open the store themselves.

Each table's rows could be made by a pass of its own; where making them is the work, they are made once,
staged by Spark's writer as bytes of Arrow, and read as often as there are outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from allofus_spark.arrow import decoded
from allofus_spark.hadoop import without_glob
from allofus_spark.tables.writes import ArrowWrite, MakeRows

_TYPE = "name string, rows binary"
_MOST_BYTES = 4 * 1024 * 1024  # of a staged row: Spark and Parquet hold many at once


@dataclass(frozen=True)
class Staged:
    """A folder of staged batches; it lasts as long as its frames are used."""

    spark: SparkSession
    folder: str

    def write(self, write: ArrowWrite) -> None:
        """Make all outputs of a write."""
        staged = write.source.mapInArrow(partial(_packed, write.make), _TYPE)
        staged.write.option("compression", "snappy").parquet(self.folder)

    def frame(self, name: str, schema: StructType) -> DataFrame:
        """The rows of one output."""
        staged = self.spark.read.schema(_TYPE).parquet(without_glob(self.folder))
        return staged.where(F.col("name") == name).mapInArrow(_unpacked, schema)


def _packed(make: MakeRows, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for name, batch in make(batches):
        plain = decoded(batch)
        at_once = max(1, plain.num_rows * _MOST_BYTES // max(plain.nbytes, 1))
        for first in range(0, plain.num_rows, at_once):
            yield pa.RecordBatch.from_pydict({"name": [name], "rows": [_bytes(plain.slice(first, at_once))]})


def _bytes(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _unpacked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for rows in batch.column("rows"):
            with pa.ipc.open_stream(rows.as_buffer()) as reader:
                yield from reader
