"""What a table is: its grain, key, columns with meaning and unit, partitions and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pyspark.sql import DataFrame
from pyspark.sql.types import (
    DataType,
    DateType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from allofus_spark.errors import ContractViolation

# A partition's value is text in the log; of these it is read back as what it was.
_PARTITION_TYPES = (StringType, IntegerType, LongType, DateType)


class Zone(str, Enum):
    """Where a table lies, so that storage permissions can follow what it holds."""

    CONTROLLED = "controlled"
    REGISTERED = "registered"
    PUBLIC = "public"


@dataclass(frozen=True)
class Column:
    """One column: ``comment`` gives meaning and unit and is stored in the table.

    ``by_settings``: whether tables have it depends on the settings that they are made with.
    """

    name: str
    type: DataType
    comment: str
    nullable: bool = False
    by_settings: bool = False

    @property
    def can_be_added(self) -> bool:
        """Whether a table of an earlier version that lacks it can be given it, with null in its rows."""
        return self.nullable and not self.by_settings


@dataclass(frozen=True)
class Table:
    """A table's contract: the one source for its schema, documentation and checks.

    ``key`` columns are unique together; files are sorted by ``sort_by`` (the key where not given) and
    keep min-max statistics of the key. ``checks`` become Delta CHECK constraints.
    """

    name: str
    zone: Zone
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = {column.name: column.type for column in self.columns}
        for part in (self.key, self.partition_by, self.sort_by):
            if missing := set(part) - set(kinds):
                raise ValueError(f"table {self.name}: no such columns: {sorted(missing)}")
        if odd := [name for name in self.partition_by if not isinstance(kinds[name], _PARTITION_TYPES)]:
            raise ValueError(f"table {self.name}: partitions are text, whole numbers or dates: {odd} are not")

    @property
    def order(self) -> tuple[str, ...]:
        """Partition columns, then the columns that rows are sorted by inside a file."""
        return tuple(dict.fromkeys(self.partition_by + (self.sort_by or self.key)))

    @property
    def statistics(self) -> tuple[str, ...]:
        """Columns of which Delta's log keeps minimum and maximum a file."""
        return tuple(name for name in self.key if name not in self.partition_by)

    @property
    def schema(self) -> StructType:
        """The Spark schema, comments included."""
        return StructType(
            [
                StructField(column.name, column.type, column.nullable, {"comment": column.comment})
                for column in self.columns
            ]
        )

    def conform(self, frame: DataFrame) -> DataFrame:
        """The frame with the contract's columns in order; raises ContractViolation naming every misfit."""
        expected = {column.name: column.type for column in self.columns}
        given = {item.name: item.dataType for item in frame.schema.fields}
        problems = [f"missing column {name}" for name in expected if name not in given]
        problems += [f"unknown column {name}" for name in given if name not in expected]
        problems += [
            f"column {name} is {given[name].simpleString()}, not {wanted.simpleString()}"
            for name, wanted in expected.items()
            if name in given and given[name].simpleString() != wanted.simpleString()
        ]
        if problems:
            raise ContractViolation(
                f"{self.name}: the frame does not fit the table, readers keep the snapshot before: "
                + "; ".join(problems)
            )
        return frame.select(*expected)
