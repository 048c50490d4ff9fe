"""Columns that come from a table's files are those that Spark reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from allofus_spark.settings import load_settings
from allofus_spark.tables import PHENOTYPES, RowsWrite, Warehouse, read_columns, start_run

ROWS = [
    (phenotype_set, f"{phenotype_set} {name}", person, *coded)
    for phenotype_set in ("it's", "µ 100 %")
    for name in ("a", "b")
    for person, coded in (
        ("p2", ("measured", None, 3, None, -1.5)),
        ("p1", ("case", None, None, None, None)),
        ("p3", ("excluded", "other_sex", None, None, None)),
    )
]
AMONG = {"phenotype_set": ["µ 100 %"], "phenotype_id": ["µ 100 % a", "it's a"]}


@pytest.mark.parametrize("local", [True, False])
def test_the_chosen_rows_of_the_version_that_is_an_input(
    spark: SparkSession, tmp_path: Path, local: bool
) -> None:
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path)))
    with start_run(warehouse, "made_for_a_test") as run:
        run.write(RowsWrite(PHENOTYPES, ROWS))
    if not local:
        warehouse.__dict__["local_root"] = None
    with start_run(warehouse, "made_for_a_test") as run:
        names = ["phenotype_set", "person_id", "value", "status"]
        found = read_columns(run, PHENOTYPES, names, AMONG)
        assert sorted(zip(*found.to_pydict().values(), strict=True)) == [
            ("µ 100 %", "p1", None, "case"),
            ("µ 100 %", "p2", -1.5, "measured"),
            ("µ 100 %", "p3", None, "excluded"),
        ]
        assert found.column_names == names
        assert read_columns(run, PHENOTYPES, ["person_id"]).num_rows == len(ROWS)
        assert run.inputs == {"phenotypes": 0}
