"""One write: what fits the contract is one Delta version, and what does not leaves the table as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import IntegerType, LongType, StringType, StructField, StructType

from allofus_spark.errors import ContractViolation
from allofus_spark.settings import load_settings
from allofus_spark.tables import Column, Table, Warehouse, Write, Zone, contract
from allofus_spark.tables.types import INT, STRING, struct
from allofus_spark.tables.writer import commit

COUNTS = Table(
    name="toy_counts",
    zone=Zone.REGISTERED,
    grain="one variant",
    key=("contig", "key"),
    columns=(
        Column("contig", STRING, "Contig"),
        Column("key", STRING, "Variant"),
        Column("AC", INT, "Allele count"),
        Column("AN", INT, "Called alleles"),
        Column("csq", STRING, "Consequence; null: not annotated", True),
        Column("freq", struct(AC=INT, AN=INT), "Counts elsewhere; null: none", True),
    ),
    partition_by=("contig",),
    checks={"ac_within_an": "AC BETWEEN 0 AND AN"},
)
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def toys(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse with the toy table of two variants; tests leave it as it is."""
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path_factory.mktemp("toys"))))
    target = [("chr1", "chr1:100:A:G", 3, 20, None, None), ("chr1", "chr1:200:C:T", 5, 20, None, None)]
    commit(warehouse, Write(COUNTS, frame_of(spark, target)), {"job": "test", "run_id": "r1"})
    return warehouse


def frame_of(spark: SparkSession, rows: list[Row]) -> DataFrame:
    return spark.createDataFrame(rows, COUNTS.schema)


def nullable_frame_of(spark: SparkSession, rows: list[Row]) -> DataFrame:
    fields = [StructField(field.name, field.dataType, True) for field in COUNTS.schema]
    return spark.createDataFrame(rows, StructType(fields))


def state_of(warehouse: Warehouse) -> tuple[int, list[Row]]:
    state = warehouse.state(COUNTS)
    assert state is not None
    return state.version, sorted(map(tuple, warehouse.live(COUNTS).collect()))


def test_a_key_that_stands_twice_is_refused_by_name(toys: Warehouse, cases: Path) -> None:
    before = state_of(toys)
    for name in ("dup_conflict.csv", "dup_identical.csv"):
        lines = (cases / "25_delta_merge_problems" / name).read_text().splitlines()[1:]
        cells = [line.split(",") for line in lines]
        rows = [("chr1", key, int(ac), int(an), None, None) for key, ac, an in cells]
        with pytest.raises(ContractViolation, match=r"rows share a key .* chr1:chr1:200:C:T") as refusal:
            commit(toys, Write(COUNTS, frame_of(toys.spark, rows), "contig = 'chr1'"), {})
        assert "300" not in str(refusal.value)
        assert state_of(toys) == before


def test_a_frame_that_does_not_fit_is_refused_with_everything_that_is_wrong(toys: Warehouse) -> None:
    before = state_of(toys)
    schema = StructType(
        [
            StructField("contig", StringType()),
            StructField("key", StringType()),
            StructField("AC", StringType()),  # 4;5: an allele list
            StructField("AN", LongType()),
            StructField("csq", StringType()),
            StructField("extra", IntegerType()),
        ]
    )
    frame = toys.spark.createDataFrame([("chr1", "chr1:400:G:T", "4;5", 22, None, 1)], schema)
    with pytest.raises(ContractViolation) as refusal:
        commit(toys, Write(COUNTS, frame), {})
    assert str(refusal.value) == (
        "toy_counts: the frame does not fit the table, readers keep the snapshot before: missing column "
        "freq; unknown column extra; column AC is string, not int; column AN is bigint, not int"
    )
    assert state_of(toys) == before


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("chr2", "k", None, 4, None, None), "AC : null|NOT NULL"),
        (("chr2", None, 1, 4, None, None), "NOT NULL|NULL value"),
        (("chr2", "k", 5, 4, None, None), "ac_within_an"),
        (("chr2", "k", -1, 4, None, None), "ac_within_an"),
        (
            ("chr1", "k", 1, 4, None, None),
            "does not conform to partial table overwrite",
        ),  # outside of what is replaced
    ],
)
def test_delta_refuses_what_breaks_a_check(row: Row, message: str, toys: Warehouse) -> None:
    before = state_of(toys)
    good = ("chr2", "chr2:1:A:C", 1, 4, None, None)
    frame = nullable_frame_of(toys.spark, [good, row])
    with pytest.raises(PySparkException, match=message):
        commit(toys, Write(COUNTS, frame, "contig = 'chr2'"), {})
    assert state_of(toys) == before


def test_the_table_says_what_the_contract_says(toys: Warehouse) -> None:
    table = DeltaTable.forPath(toys.spark, toys.path(COUNTS))
    (detail,) = table.detail().collect()
    assert detail.description == "one variant"
    assert detail.partitionColumns == ["contig"]
    assert detail.properties["delta.dataSkippingStatsColumns"] == "key"
    assert detail.properties["delta.constraints.ac_within_an"] == "AC BETWEEN 0 AND AN"
    # What keeps other engines out: deletion vectors and column mapping.
    assert not {"delta.enableDeletionVectors", "delta.columnMapping.mode"} & detail.properties.keys()
    assert (detail.minReaderVersion, detail.minWriterVersion) == (1, 3)
    log = Path(toys.path(COUNTS), "_delta_log", f"{0:020}.json").read_text().splitlines()
    (metadata,) = [json.loads(line)["metaData"] for line in log if "metaData" in line]
    fields = {field["name"]: field for field in json.loads(metadata["schemaString"])["fields"]}
    for column in COUNTS.columns:
        assert fields[column.name]["nullable"] == column.nullable
        assert fields[column.name]["metadata"]["comment"] == column.comment
    (newest,) = table.history(1).select("userMetadata").collect()
    described = json.loads(newest.userMetadata)
    assert (described["job"], described["run_id"]) == ("test", "r1")
    assert {"package_version", "settings"} <= described.keys()


def test_writes_replace_their_rows_alone_and_keep_nulls(toys: Warehouse) -> None:
    spark = toys.spark
    before = state_of(toys)[1]
    first = [("chr5", "chr5:500:G:T", 1, 22, None, None), ("chr5", "chr5:800:A:C", 1, 20, None, None)]
    written = commit(toys, Write(COUNTS, frame_of(spark, first), "contig = 'chr5'"), {})
    assert (written.rows, written.version) == (2, state_of(toys)[0])
    second = [
        ("chr6", "chr6:600:G:T", 1, 22, "missense", (1, 20)),
        ("chr6", "chr6:700:A:C", 1, 20, None, (None, 4)),
    ]
    commit(toys, Write(COUNTS, frame_of(spark, second)), {})
    assert state_of(toys)[1] == sorted([*before, *first, *second])
    nulls = toys.live(COUNTS).where("freq IS NULL").collect()
    assert {row.key for row in nulls} == {row[1] for row in [*before, *first]}
    # An emptied partition is empty, and the same write again changes nothing.
    for _ in range(2):
        commit(toys, Write(COUNTS, frame_of(spark, []), "contig IN ('chr5', 'chr6')"), {})
        assert state_of(toys)[1] == before


def test_an_unknown_table_is_named_with_a_suggestion(toys: Warehouse) -> None:
    with pytest.raises(ContractViolation, match="there is no table genotype; did you mean genotypes"):
        contract("genotype", toys.settings)
    with pytest.raises(ContractViolation, match="table toy_counts is in no finished snapshot"):
        toys.read(COUNTS)
    with pytest.raises(ContractViolation, match=r"in no finished snapshot .*; run allofus infer-ancestry "):
        toys.read(contract("ancestries", toys.settings))
