"""Rows that the tasks of a write set aside for a later stage of the same run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Aside:
    """Rows of one side output as a frame; they last until the run ends.

    ``paths`` are their files, where the driver can open them, and ``n`` their number where the tasks told it.
    """

    frame: DataFrame
    paths: Sequence[str] | None = None
    n: int | None = None

    def count(self) -> int:
        """How many there are; a Spark job where that is not known."""
        return self.frame.count() if self.n is None else self.n

    def batches(self) -> Iterator[pa.RecordBatch] | None:
        """The rows without a job; None where the driver cannot open their files."""
        return None if self.paths is None else self._read(self.paths)

    def _read(self, paths: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for path in paths:
            with pq.ParquetFile(path) as file:
                yield from file.iter_batches()
