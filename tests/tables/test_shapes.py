"""Tables that are no longer what their contract says: made so where no row stays, refused where some do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from allofus_spark.errors import ContractViolation
from allofus_spark.settings import load_settings
from allofus_spark.tables import WHOLE_TABLE, Column, Keys, RowsWrite, Table, Warehouse, Write, Zone
from allofus_spark.tables.types import INT, STRING
from allofus_spark.tables.writer import commit, prepare

TOYS = Table(
    name="toys",
    zone=Zone.REGISTERED,
    grain="one number",
    key=("kind", "number"),
    columns=(
        Column("kind", STRING, "Kind"),
        Column("number", INT, "Number"),
        Column("afr", INT, "Group afr"),
        Column("eur", INT, "Group eur"),
    ),
    partition_by=("kind",),
    checks={"number_small": "number < 1000"},
)
ROWS = [("odd", 1, 10, 100), ("even", 2, 20, 200)]


def with_groups(*names: str) -> Table:
    return replace(TOYS, columns=(*TOYS.columns[:2], *(Column(name, INT, f"Group {name}") for name in names)))


@pytest.fixture(params=["local", "elsewhere"])
def both(spark: SparkSession, tmp_path: Path, request: pytest.FixtureRequest) -> Warehouse:
    """A warehouse whose files tasks write themselves, and one where Spark's writer must."""
    return toys_in(spark, tmp_path, local=request.param == "local")


@pytest.fixture
def toys(spark: SparkSession, tmp_path: Path) -> Warehouse:
    return toys_in(spark, tmp_path, local=True)


def toys_in(spark: SparkSession, folder: Path, *, local: bool) -> Warehouse:
    """A warehouse with two toys."""
    warehouse = Warehouse(spark, load_settings(warehouse=str(folder)))
    if not local:
        warehouse.__dict__["local_root"] = None
    write(warehouse, RowsWrite(TOYS, ROWS, properties={"allofus.build": "GRCh37"}))
    return warehouse


def write(warehouse: Warehouse, *writes: RowsWrite) -> None:
    for item in writes:
        for part in prepare(warehouse, item):
            commit(warehouse, part, {})


def test_a_whole_table_takes_the_columns_of_its_new_contract(both: Warehouse) -> None:
    before = DeltaTable(both.path(TOYS)).metadata()
    for groups in (("afr",), ("afr", "eur", "sas")):
        table = with_groups(*groups)
        rows = [("odd", 3, *range(len(groups)))]
        write(both, RowsWrite(table, rows, WHOLE_TABLE, {"allofus.build": "GRCh37"}))
        assert [tuple(row) for row in both.live(table).collect()] == rows
        assert both.live(table).schema.fields[3:] == table.schema.fields[3:]
        assert DeltaTable(both.path(table)).to_pyarrow_table().column_names == both.live(table).columns
    after = DeltaTable(both.path(TOYS)).metadata()
    assert (after.id, after.configuration) == (before.id, before.configuration)


def test_rows_that_stay_keep_the_shape_of_their_table(both: Warehouse) -> None:
    state = both.state(TOYS)
    table = replace(with_groups("afr", "sas"), partition_by=())
    for predicate in ("", "kind = 'odd'"):
        with pytest.raises(ContractViolation) as refusal:
            write(both, RowsWrite(table, [("odd", 3, 1, 1)], predicate))
        assert (
            "toys: the table is not what this version and these settings write: the table has no column sas; "
            "the table has another column, eur; the table is partitioned by kind"
        ) in str(refusal.value)
        assert "frequencies.ancestry_groups" in str(refusal.value)
    assert both.state(TOYS) == state


def test_a_frame_replaces_a_whole_table_of_other_columns(toys: Warehouse) -> None:
    table = with_groups("afr")
    frame = toys.spark.createDataFrame([("odd", 3, 1)], table.schema)
    written = commit(toys, Write(table, frame, WHOLE_TABLE, Keys.HELD), {})
    assert (written.rows, toys.live(table).collect()) == (1, frame.collect())


def test_an_empty_table_takes_the_properties_of_the_next_write(both: Warehouse) -> None:
    kinds = "kind IN ('odd', 'even')"
    write(both, RowsWrite(TOYS, ROWS, kinds, {"allofus.build": "GRCh38"}))
    state = both.state(TOYS)
    assert state is not None
    assert state.properties["allofus.build"] == "GRCh37"
    write(both, RowsWrite(TOYS, [], kinds), RowsWrite(TOYS, ROWS, kinds, {"allofus.build": "GRCh38"}))
    state = both.state(TOYS)
    assert state is not None
    assert state.properties["allofus.build"] == "GRCh38"
    assert sorted(tuple(row) for row in both.live(TOYS).collect()) == sorted(ROWS)


def test_a_constraint_that_the_contract_does_not_have_is_refused(toys: Warehouse) -> None:
    toys.spark.sql(f"ALTER TABLE delta.`{toys.path(TOYS)}` ADD CONSTRAINT few CHECK (number < 5)")
    for predicate in ("", WHOLE_TABLE):
        with pytest.raises(ContractViolation, match=r"few \(number < 5\).*DROP CONSTRAINT"):
            write(toys, RowsWrite(TOYS, [("odd", 7, 1, 1)], predicate))
    assert toys.live(TOYS).count() == 2


def test_a_table_with_deletion_vectors_is_refused(toys: Warehouse) -> None:
    path = toys.path(TOYS)
    enable = "SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
    toys.spark.sql(f"ALTER TABLE delta.`{path}` {enable}")
    toys.spark.sql(f"DELETE FROM delta.`{path}` WHERE number = 2")
    for predicate in ("kind = 'odd'", WHOLE_TABLE):
        with pytest.raises(ContractViolation, match=r"features of Delta .* deletionVectors.*DROP FEATURE"):
            write(toys, RowsWrite(TOYS, [], predicate))
    assert toys.live(TOYS).count() == 1
