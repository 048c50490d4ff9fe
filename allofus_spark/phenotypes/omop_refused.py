"""Rows of health records that are refused, by their values."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.phenotypes.omop_rows import PROBLEM, SOURCE_FILE, problem_of
from allofus_spark.tables.omop_tables import (
    OmopTable,
)


def tagged(rows: DataFrame, refused: Column, reason: str, column: str, value: Column) -> DataFrame:
    """Rows without a problem so far get this one where ``refused``."""
    problem = F.when(refused, problem_of(reason, column, value))
    return rows.withColumn(PROBLEM, F.coalesce(F.col(PROBLEM), problem))


def refused_values(rows: DataFrame, table: OmopTable) -> DataFrame:
    """Rows of ``rejected_omop_rows``, and one with a null reason for each file: rows that were kept."""
    counted = rows.groupBy(SOURCE_FILE, PROBLEM).agg(F.count(F.lit(1)).alias("n_rows"))
    return _as_refused(counted, table)


def values_and_repeats(rows: DataFrame, table: OmopTable) -> DataFrame:
    """The same with ``n_most``, the most rows of one key, in one pass; kept rows are one row here."""
    is_kept = F.col(PROBLEM).isNull()
    keys = [F.when(is_kept, F.col(name)).alias(name) for name in table.contract.key]
    file = F.when(~is_kept, F.col(SOURCE_FILE)).alias(SOURCE_FILE)
    by_key = rows.groupBy(*keys, file, PROBLEM).agg(F.count(F.lit(1)).alias("n"))
    counted = by_key.groupBy(SOURCE_FILE, PROBLEM).agg(F.sum("n").alias("n_rows"), F.max("n").alias("n_most"))
    return _as_refused(counted, table, "n_most")


def _as_refused(counted: DataFrame, table: OmopTable, *more: str) -> DataFrame:
    return counted.select(
        F.lit(table.name).alias("omop_table"),
        F.col(SOURCE_FILE).alias("source_file"),
        *(F.col(f"{PROBLEM}.{name}").alias(name) for name in ("reason", "column", "value")),
        "n_rows",
        *more,
    )
