"""The tables as other engines read them: delta-rs, and DuckDB and Polars through its Arrow dataset."""

from __future__ import annotations

from typing import Any

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable
from pyspark.sql.types import MapType, TimestampType

from allofus_spark.settings import Settings
from allofus_spark.tables import GENOTYPES, VARIANTS, contracts
from tests.cases.pool import Pool

pytestmark = pytest.mark.long

NAMES = [table.name for table in contracts(Settings())]


def plain(value: Any) -> Any:
    """Rows, arrays and maps as dictionaries and lists; bytes as bytes."""
    if hasattr(value, "asDict"):
        return {name: plain(item) for name, item in value.asDict().items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytearray):
        return bytes(value)
    return value


@pytest.mark.parametrize("name", NAMES)
def test_delta_rs_reads_every_table_with_the_same_values(name: str, whole_pool: Pool) -> None:
    table = whole_pool.warehouse.contract(name)
    expected = [plain(row) for row in whole_pool.warehouse.live(table).collect()]
    rows = DeltaTable(whole_pool.warehouse.path(table)).to_pyarrow_table().to_pylist()
    for column in table.columns:
        if isinstance(column.type, MapType):  # Arrow gives a map as pairs
            for row in rows:
                row[column.name] = None if row[column.name] is None else dict(row[column.name])
        if isinstance(column.type, TimestampType):  # Spark gives local time without a zone
            for row in rows:
                row[column.name] = row[column.name].astimezone().replace(tzinfo=None)

    def key(row: dict[str, Any]) -> str:
        return str([row[column] for column in table.key])

    assert sorted(rows, key=key) == sorted(expected, key=key)
    assert expected or name == "rejected_records"


def test_duckdb_and_polars_read_genotypes_with_the_same_values(whole_pool: Pool) -> None:
    columns = ["contig", "position", "ref", "alt", "n_samples", "encoding", "het_index", "hom_alt_index"]
    columns += ["missing_index", "calls"]
    spark_rows = whole_pool.warehouse.read(GENOTYPES).select(*columns).collect()
    expected = sorted((plain(list(row)) for row in spark_rows), key=lambda row: str(row[:4]))
    assert {row[0] for row in expected} >= {"HLA*01:01:01:01", "chrX", "chr2"}
    assert {row[5] for row in expected} == {"dense", "sparse"}
    dataset = DeltaTable(whole_pool.warehouse.path(GENOTYPES)).to_pyarrow_dataset()
    with duckdb.connect() as connection:
        connection.register("genotypes", dataset)
        by_duckdb = connection.sql(f"SELECT {', '.join(columns)} FROM genotypes").fetchall()
    by_polars = pl.scan_pyarrow_dataset(dataset).select(columns).collect().rows()
    for rows in (by_duckdb, by_polars):
        assert sorted((plain(list(row)) for row in rows), key=lambda row: str(row[:4])) == expected


def test_duckdb_joins_and_filters_as_spark_does(whole_pool: Pool) -> None:
    names = ("allele_frequencies", VARIANTS.name)
    query = (
        "SELECT v.variant_type, count(*) AS n, sum(f.overall.ac) AS ac FROM variants v "
        "JOIN allele_frequencies f USING (contig, bin, position, ref, alt) "
        "WHERE f.overall.an > 0 GROUP BY v.variant_type ORDER BY v.variant_type"
    )
    with duckdb.connect() as connection:
        for name in names:
            table = whole_pool.warehouse.contract(name)
            whole_pool.warehouse.read(table).createOrReplaceTempView(name)
            dataset = DeltaTable(whole_pool.warehouse.path(table)).to_pyarrow_dataset()
            connection.register(name, dataset)
        by_duckdb = connection.sql(query).fetchall()
    assert by_duckdb == [tuple(row) for row in whole_pool.warehouse.spark.sql(query).collect()]
