"""What is counted and said of the health records that come in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource, readable, shown
from allofus_spark.phenotypes.omop_files import OmopSource
from allofus_spark.tables import (
    OMOP_TABLES,
    REJECTED_OMOP_ROWS,
    Run,
)

_SHOWN_VALUES = 3


def say_who_is_gone(run: Run, persons: DataFrame, replaced: Collection[str]) -> None:
    """Count records of tables that stay whose persons do not."""
    frames = [
        run.read(table.contract).select(F.lit(name).alias("name"), "person_id")
        for name, table in OMOP_TABLES.items()
        if table.of_people and name not in replaced and run.holds(table.contract)
    ]
    if not frames:
        return
    gone = reduce(DataFrame.union, frames).join(F.broadcast(persons), "person_id", "left_anti")
    counts = {row.name: row["count"] for row in gone.groupBy("name").count().collect()}
    run.counters.update({f"{name}_of_nobody": n for name, n in counts.items()})
    if counts:
        named = ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items()))
        run.progress(
            f"warning: the tables that stay have records of people who are not in person now: {named}; they "
            "count for nobody until these tables, or the former persons, are ingested again"
        )


def count_rows(run: Run, name: str, counted: DataFrame) -> None:
    """Count a table's rows; raises BadSource where more than the settings allow are refused."""
    by_reason = {
        row.reason: row.n for row in counted.groupBy("reason").agg(F.sum("n_rows").alias("n")).collect()
    }
    n_kept = by_reason.pop(None, 0)
    n_refused = sum(by_reason.values())
    run.counters.update({name: n_kept})
    run.counters.update({f"{name}_refused_{reason}": n for reason, n in sorted(by_reason.items())})
    if not n_kept and not n_refused:
        if name == "person":
            raise BadSource("person: a header and no rows; all else is of persons, nothing was written")
        run.progress(f"warning: {name}: a header and no rows")
    if not n_refused:
        return
    share = n_refused / (n_kept + n_refused)
    most = run.warehouse.settings.ingest.max_rejected_share
    text = (
        f"{name}: {n_refused:,} of {n_kept + n_refused:,} rows are refused ({100 * share:.2g} %): "
        f"{'; '.join(_named(counted, reason, by_reason[reason]) for reason in sorted(by_reason))}"
    )
    if share > most:
        raise BadSource(
            f"{text}. That is more than ingest.max_rejected_share ({most}), nothing was written; mend the "
            "source, or raise the setting"
        )
    run.progress(f"warning: {text}; they are in {REJECTED_OMOP_ROWS.name}")


def _named(counted: DataFrame, reason: str, n_rows: int) -> str:
    """A reason with its rows, and the values that are refused most often."""
    most = (
        counted.where(F.col("reason") == reason)
        .groupBy("column", "value")
        .agg(F.sum("n_rows").alias("n"))
        .orderBy(F.desc("n"), "column", "value")
        .take(_SHOWN_VALUES)
    )
    values = ", ".join(f"{row.column} {readable(repr(row.value))}" for row in most if row.column or row.value)
    return f"{reason} {n_rows:,}{f' ({values})' if values else ''}"


def say_what_differs(run: Run, source: OmopSource, columns: Mapping[str, str]) -> None:
    """Name columns of the files that are not kept, and those that the CDM requires and the files lack."""
    table = source.table
    used = {column for file in source.files for column in source.place(file, columns).values()}
    extra = sorted({name for file in source.files for name in file.columns if name} - used)
    if extra:
        run.progress(
            f"{table.name}: {len(extra)} columns are not of the CDM 5.4, and left out: {shown(extra)}"
        )
    present = {name for file in source.files for name in source.place(file, columns)}
    lacking = [name for name in table.required if name not in present and name != table.record_id]
    if lacking:
        run.progress(
            f"warning: {table.name}: no column {shown(lacking)}, which the CDM requires; null in every row"
        )
    if packed := [file.path for file in source.files if file.path.endswith(".gz")]:
        run.progress(f"{table.name}: {len(packed)} files are gzip, each read by one task")
