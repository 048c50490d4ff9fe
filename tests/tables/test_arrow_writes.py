"""Rows made as Arrow, by tasks or the driver: one commit a table, and no file where they are refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from allofus_spark.errors import ContractViolation
from allofus_spark.settings import load_settings
from allofus_spark.tables import (
    WHOLE_TABLE,
    ArrowWrite,
    Column,
    MakeRows,
    RowsWrite,
    Table,
    Warehouse,
    Zone,
)
from allofus_spark.tables.types import COUNTERS, INT, STRING
from allofus_spark.tables.writer import commit, prepare

KINDS = Table(
    name="toy_kinds",
    zone=Zone.REGISTERED,
    grain="one number",
    key=("kind", "number"),
    columns=(
        Column("kind", STRING, "Kind"),
        Column("number", INT, "Number"),
        Column("counters", COUNTERS, "Counters", True),
    ),
    partition_by=("kind",),
    checks={"number_small": "number < 1000"},
)
SQUARES = Table(
    name="toy_squares",
    zone=Zone.REGISTERED,
    grain="one square",
    key=("square",),
    columns=(Column("square", INT, "Square"),),
)


def maker() -> MakeRows:
    """A function that goes to the workers by value: they cannot import the tests."""
    kinds_name, squares_name = KINDS.name, SQUARES.name

    def rows_of_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        for batch in batches:
            numbers = batch.column(0).to_pylist()
            kinds = {
                "kind": ["odd" if number % 2 else "even" for number in numbers],
                "number": pa.array(numbers, pa.int32()),
                "counters": pa.nulls(len(numbers), pa.map_(pa.string(), pa.int64())),
            }
            yield kinds_name, pa.RecordBatch.from_pydict(kinds)
            squares = pa.array([number * number for number in numbers], pa.int32())
            yield squares_name, pa.RecordBatch.from_arrays([squares], ["square"])

    return rows_of_batches


@pytest.fixture(params=["local", "elsewhere"])
def warehouse(spark: SparkSession, tmp_path: Path, request: pytest.FixtureRequest) -> Warehouse:
    """A warehouse whose files tasks write themselves, and one where Spark's writer must."""
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path)))
    if request.param == "elsewhere":
        warehouse.__dict__["local_root"] = None
    return warehouse


def write(warehouse: Warehouse, *writes: Any) -> None:
    for item in writes:
        for part in prepare(warehouse, item):
            commit(warehouse, part, {"job": "test"})


def numbers(warehouse: Warehouse, first: int, end: int) -> Any:
    return warehouse.spark.range(first, end, 1, numPartitions=3)


def rows_of(warehouse: Warehouse, table: Table) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in warehouse.live(table).collect())


def test_tables_of_one_pass_and_what_they_replace(warehouse: Warehouse) -> None:
    write(
        warehouse,
        ArrowWrite(numbers(warehouse, 0, 9), maker(), [(KINDS, WHOLE_TABLE), (SQUARES, WHOLE_TABLE)]),
    )
    assert [row[:2] for row in rows_of(warehouse, KINDS)] == [
        *(("even", number) for number in (0, 2, 4, 6, 8)),
        *(("odd", number) for number in (1, 3, 5, 7)),
    ]
    assert rows_of(warehouse, SQUARES) == [(number * number,) for number in range(9)]
    write(warehouse, RowsWrite(KINDS, [("odd", 11, {"seen": 3})], "kind = 'odd'"))
    odd = [row for row in rows_of(warehouse, KINDS) if row[0] == "odd"]
    assert odd == [("odd", 11, {"seen": 3})]
    assert len(rows_of(warehouse, KINDS)) == 6
    write(warehouse, RowsWrite(SQUARES, [(100,)]))
    assert len(rows_of(warehouse, SQUARES)) == 10
    write(warehouse, RowsWrite(KINDS, [], "kind IN ('odd', 'even')"))
    assert rows_of(warehouse, KINDS) == []
    # Another engine counts from the log alone.
    squares = DeltaTable(warehouse.path(SQUARES))
    assert sum(pa.table(squares.get_add_actions()).column("num_records").to_pylist()) == 10


def test_refused_rows_leave_no_file_and_no_version(spark: SparkSession, tmp_path: Path) -> None:
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path)))
    write(warehouse, RowsWrite(KINDS, [("odd", 1, None)]))
    state, files = warehouse.state(KINDS), sorted(tmp_path.rglob("*.parquet"))
    replaced = [(KINDS, WHOLE_TABLE), (SQUARES, WHOLE_TABLE)]
    with pytest.raises(ContractViolation, match=r"toy_kinds: .* fail the check number_small"):
        write(warehouse, ArrowWrite(numbers(warehouse, 990, 1010), maker(), replaced))
    with pytest.raises(ContractViolation, match=r"1 rows fail the check is_in_replaced_rows \(kind = 'even'"):
        write(warehouse, RowsWrite(KINDS, [("odd", 3, None)], "kind = 'even'"))
    assert (warehouse.state(KINDS), sorted(tmp_path.rglob("*.parquet"))) == (state, files)


def test_a_task_that_dies_leaves_no_file(spark: SparkSession, tmp_path: Path) -> None:
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path)))
    rows = maker()

    def dying(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        yield from rows(batches)  # even numbers are in a file by now, and odd ones wait
        raise OSError("Connection reset by peer")

    with pytest.raises(PySparkException, match="Connection reset"):
        write(warehouse, ArrowWrite(numbers(warehouse, 0, 9), dying, [(KINDS, WHOLE_TABLE), (SQUARES, "")]))
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_write_that_changes_nothing_makes_no_version(spark: SparkSession, tmp_path: Path) -> None:
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path)))
    warehouse.create(KINDS)
    before = warehouse.state(KINDS)
    write(warehouse, RowsWrite(KINDS, [], "kind = 'odd'"))
    assert warehouse.state(KINDS) == before


def test_the_commit_says_what_it_replaced_and_why(spark: SparkSession, tmp_path: Path) -> None:
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path)))
    write(warehouse, RowsWrite(KINDS, [("odd", 1, None)], "kind = 'odd'"))
    newest = DeltaTable(warehouse.path(KINDS)).history(1)[0]
    assert newest["operation"] == "WRITE"
    assert newest["operationParameters"]["predicate"] == "kind = 'odd'"
    assert json.loads(newest["userMetadata"])["job"] == "test"
