"""What a run writes: a Spark frame, Arrow batches that tasks make, or rows that the driver holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from allofus_spark.tables.contract import Table
from allofus_spark.tables.data_files import DataFile

# As the predicate of a write: every row is replaced.
WHOLE_TABLE = "true"

MakeRows = Callable[[Iterable[pa.RecordBatch]], Iterator[tuple[str, pa.RecordBatch]]]


class Keys(Enum):
    """How a write makes sure that keys are unique."""

    CHECK = "check"  # group the frame by its key before the write
    HELD = "held"  # rows are one to one with those of a table whose keys were checked


@dataclass(frozen=True)
class Write:
    """Rows of a frame. ``replace`` is the predicate whose rows are replaced; empty: rows are appended.

    ``properties`` are given to the table where this write makes it.
    """

    table: Table
    frame: DataFrame
    replace: str = ""
    keys: Keys = Keys.CHECK
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> list[Table]:
        return [self.table]


@dataclass(frozen=True)
class SideOutput:
    """Rows that tasks set aside while they write tables, for a later stage of the same run."""

    name: str
    schema: StructType


@dataclass(frozen=True)
class ArrowWrite:
    """Rows that tasks make as Arrow batches, for one table or several at once; their keys are unique.

    ``make`` takes the batches of a partition of ``source`` and gives (table name, batch with the table's
    columns); it goes to the workers by pickle. Each table of ``replaced`` comes with the predicate, over its
    partition columns, whose rows are replaced. Batches may also go by the names of ``aside``: see
    `Run.write_beside`.
    """

    source: DataFrame
    make: MakeRows
    replaced: Sequence[tuple[Table, str]]
    aside: Sequence[SideOutput] = ()

    @property
    def tables(self) -> list[Table]:
        return [table for table, _ in self.replaced]


@dataclass(frozen=True)
class RowsWrite:
    """A few rows that the driver holds, as tuples in the table's order of columns; their keys are unique.

    ``properties`` are given to the table where this write makes it.
    """

    table: Table
    rows: Sequence[tuple[object, ...]]
    replace: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> list[Table]:
        return [self.table]


@dataclass(frozen=True)
class Removal:
    """Rows that go because they match one of the frame ``gone``; only files that hold some are written anew.

    ``condition`` is SQL over the table as ``held`` and the frame as ``gone``. It stands in the logs, so that
    it names columns and no values of theirs. Where ``blanked`` names columns, rows stay and these become
    null.
    """

    table: Table
    gone: DataFrame
    condition: str
    blanked: tuple[str, ...] = ()

    @property
    def tables(self) -> list[Table]:
        return [self.table]


@dataclass(frozen=True)
class FilesWrite:
    """Data files that lie in the table's folder and wait for their commit."""

    table: Table
    files: Sequence[DataFile]
    replace: str
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """What a write did: the Delta version it made, and rows written (null: Delta did not say).

    ``partitions`` are those in which it changed rows, as column=value/column=value.
    """

    table: Table
    replace: str
    version: int
    rows: int | None
    partitions: Sequence[str]
