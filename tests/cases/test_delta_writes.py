"""Case 25: shards that come again with other values, types or nulls, to a table that has their keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from allofus_spark.errors import ContractViolation
from allofus_spark.tables import WHOLE_TABLE, Column, Table, Warehouse, Write, Zone, start_run
from allofus_spark.tables.types import LONG, STRING, struct

COUNTS = Table(
    name="counts",
    zone=Zone.REGISTERED,
    grain="one variant",
    key=("key",),
    columns=(
        Column("key", STRING, "Variant"),
        Column("AC", LONG, "Allele count", True),  # so that a null would not be refused for itself
        Column("AN", LONG, "Called alleles", True),
        Column("csq", STRING, "Consequence; null: not annotated", True),
        Column("freq", struct(AC=LONG, AN=LONG), "Counts elsewhere; null: none", True),
    ),
)


@pytest.fixture(scope="module")
def case(cases: Path) -> Path:
    return cases / "25_delta_merge_problems"


@pytest.fixture(scope="module")
def expected(case: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((case / "expected.json").read_text())
    return found


@pytest.fixture
def held(warehouse: Warehouse, case: Path) -> Warehouse:
    """A warehouse with the target of the case."""
    with start_run(warehouse, "fill") as run:
        run.write(Write(COUNTS, read(warehouse.spark, case / "target.csv")))
    return warehouse


def read(spark: SparkSession, file: Path) -> DataFrame:
    """The rows of a file by the types that Spark infers; columns that it has not are null."""
    if file.suffix == ".jsonl":
        frame = spark.read.json(str(file))
    else:
        frame = spark.read.csv(str(file), header=True, inferSchema=True)
        whole = {"int": "bigint"}
        frame = frame.selectExpr(*(f"CAST({n} AS {whole.get(t, t)}) AS {n}" for n, t in frame.dtypes))
    lacking = [column for column in COUNTS.columns if column.name not in frame.columns]
    return frame.selectExpr(
        *frame.columns, *(f"CAST(NULL AS {item.type.simpleString()}) AS {item.name}" for item in lacking)
    )


def upsert(held: Warehouse, update: DataFrame) -> None:
    """Put the rows of an update in the place of those with their keys, by one whole write as stages do."""
    with start_run(held, "upsert") as run:
        others = run.read(COUNTS).join(update.select("key").distinct(), "key", "left_anti")
        run.write(Write(COUNTS, others.unionByName(update), WHOLE_TABLE))


def rows_of(held: Warehouse) -> dict[str, Any]:
    return {row.key: row for row in held.read(COUNTS).collect()}


@pytest.mark.parametrize("name", ["dup_conflict.csv", "dup_identical.csv"])
def test_a_key_that_stands_twice_is_named_before_anything_is_written(
    held: Warehouse, case: Path, expected: dict[str, Any], name: str
) -> None:
    state, snapshot = held.state(COUNTS), held.snapshot()
    right = expected[name]["outcome"] if name == "dup_conflict.csv" else expected[name][1]
    assert right == "error naming chr1:200:C:T"
    with pytest.raises(
        ContractViolation, match=r"rows share a key \(key\).*: chr1:200:C:T\. Remove or merge"
    ):
        upsert(held, read(held.spark, case / name))
    assert (held.state(COUNTS), held.snapshot()) == (state, snapshot)
    target = {key: [row.AC, row.AN] for key, row in rows_of(held).items()}
    assert target == expected["dup_conflict.csv"]["target_after"]


def test_a_column_of_another_type_is_named_and_never_null(held: Warehouse, case: Path) -> None:
    state = held.state(COUNTS)
    update = read(held.spark, case / "type_change.csv")
    assert dict(update.dtypes)["AC"] == "string", "4;5 is no number"
    match = "column AC is string, not bigint"
    with start_run(held, "append") as run, pytest.raises(ContractViolation, match=match):
        run.write(Write(COUNTS, update))
    assert held.state(COUNTS) == state
    assert held.read(COUNTS).where("AC IS NULL").count() == 0


def test_a_column_that_is_null_throughout_takes_text_later(
    held: Warehouse, case: Path, expected: dict[str, Any]
) -> None:
    for name in ("all_null_column.csv", "later_string.csv"):
        upsert(held, read(held.spark, case / name))
    right = expected["all_null_column.csv + later_string.csv"]
    rows = rows_of(held)
    assert {key: rows[key].csq for key in right["csq"]} == right["csq"]
    assert dict(held.read(COUNTS).dtypes)["csq"] == right["csq_type"]
    assert len(rows) == 4


def test_a_struct_that_is_null_stays_null(held: Warehouse, case: Path, expected: dict[str, Any]) -> None:
    upsert(held, read(held.spark, case / "null_struct.jsonl"))
    is_null = {row.key: row.n for row in held.read(COUNTS).selectExpr("key", "freq IS NULL AS n").collect()}
    assert is_null["chr1:800:A:C"] is expected["null_struct.jsonl"]["chr1:800:A:C freq IS NULL"]
    assert not is_null["chr1:700:A:C"]
    assert rows_of(held)["chr1:700:A:C"].freq.AC == 1
