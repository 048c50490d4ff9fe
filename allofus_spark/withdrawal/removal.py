"""Rows about who withdrew, found from the contracts: of all tables with ids of samples or persons."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.tables import (
    ALLELE_KEY,
    REJECTED_OMOP_ROWS,
    UNRELATED,
    WITHDRAWALS,
    Removal,
    Run,
    Table,
    contracts,
)

_SAMPLE_COLUMNS = ("sample_id", "sample_id_1", "sample_id_2")
_PERSON_COLUMN = "person_id"
_RELATIVE = "relative_kept"
# Alleles of catalogues, maps and models are not the cohort's; frequencies are made from the ledger.
_OF_OTHERS = frozenset({"known_variants", "known_associations", "replications", "ancestry_loadings"})
_MADE_ELSEWHERE = frozenset({"genotypes", "variant_sites", "variants", "allele_counts", "allele_frequencies"})


def ids_frame(run: Run, samples: Collection[str], persons: Collection[str]) -> DataFrame:
    """(kind, id) of samples and persons. The ids are rows, so that no log of a query names them."""
    rows = [("sample", name) for name in sorted(samples)] + [("person", name) for name in sorted(persons)]
    return run.warehouse.spark.createDataFrame(rows, "kind string, id string")


def id_condition(table: Table) -> str | None:
    """SQL over a row as ``held`` and an id as ``gone``: whether the row is about it; None: it has no ids."""
    names = table.schema.names
    parts = [f"(gone.kind = 'sample' AND held.{name} = gone.id)" for name in _SAMPLE_COLUMNS if name in names]
    if _PERSON_COLUMN in names:
        parts.append(f"(gone.kind = 'person' AND CAST(held.{_PERSON_COLUMN} AS STRING) = gone.id)")
    if table is REJECTED_OMOP_ROWS:
        parts.append("(gone.kind = 'person' AND held.column = 'person_id' AND held.value = gone.id)")
    return " OR ".join(parts) if parts and table is not WITHDRAWALS else None


def tables_with_ids(run: Run) -> Iterator[tuple[Table, str]]:
    """Tables of the warehouse with ids of samples or persons, and what finds rows about one."""
    for table in contracts(run.warehouse.settings):
        condition = id_condition(table)
        if condition is not None and run.holds(table):
            yield table, condition


def remove_people(run: Run, ids: DataFrame) -> None:
    """Take every row about the ids out; who was kept for a relative of theirs loses that one's name."""
    found = rows_about(run, ids)
    for table, condition in tables_with_ids(run):
        if table.name in found:
            run.write(Removal(table, ids, condition))
            run.counters[f"{table.name}_removed"] = found[table.name]
    relative = f"gone.kind = 'sample' AND held.{_RELATIVE} = gone.id"
    if run.holds(UNRELATED) and _matching(run.read(UNRELATED), ids, relative).take(1):
        run.write(Removal(UNRELATED, ids, relative, blanked=(_RELATIVE,)))


def rows_about(run: Run, ids: DataFrame) -> dict[str, int]:
    """Rows about the ids by table, of those that have any; all tables in one pass."""
    frames = [
        _matching(run.read(table), ids, condition).select(F.lit(table.name).alias("table"))
        for table, condition in tables_with_ids(run)
    ]
    if not frames:
        return {}
    counted = reduce(DataFrame.unionAll, frames).groupBy("table").count()
    return {row.table: row["count"] for row in counted.collect()}


def _matching(rows: DataFrame, ids: DataFrame, condition: str) -> DataFrame:
    return rows.alias("held").join(F.broadcast(ids).alias("gone"), F.expr(condition), "left_semi")


def remove_alleles(run: Run, of_callsets: DataFrame, of_all: DataFrame) -> None:
    """Take alleles that are gone out of the tables that say something of each allele.

    ``of_callsets`` are the callsets' (callset_id, allele key), ``of_all`` those that no callset has any more.
    """
    for table in contracts(run.warehouse.settings):
        names = table.schema.names
        key = [name for name in ALLELE_KEY if name in names]
        if (
            len(key) < len(ALLELE_KEY) - 1
            or table.name in _OF_OTHERS | _MADE_ELSEWHERE
            or not run.holds(table)
        ):
            continue
        gone, columns = (of_callsets, ["callset_id", *key]) if "callset_id" in names else (of_all, key)
        if run.read(table).join(gone, columns, "left_semi").take(1):
            run.write(Removal(table, gone, " AND ".join(f"held.{name} = gone.{name}" for name in columns)))
