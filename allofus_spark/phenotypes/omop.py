"""Health records of the OMOP CDM into ``omop_*``, and the persons of samples."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import WITHDRAWN_PERSONS_COUNTER, Withdrawn, learned_writes, read_withdrawn
from allofus_spark.errors import BadSource, shown
from allofus_spark.phenotypes.caching import Keep, keeping
from allofus_spark.phenotypes.omop_files import OmopSource, find_sources
from allofus_spark.phenotypes.omop_refused import refused_values, tagged, values_and_repeats
from allofus_spark.phenotypes.omop_rows import (
    PROBLEM,
    judge_rows,
    read_cells,
)
from allofus_spark.phenotypes.omop_said import count_rows, say_what_differs, say_who_is_gone
from allofus_spark.phenotypes.person_samples import read_person_samples, sample_links
from allofus_spark.phenotypes.text_cells import every_cell_read
from allofus_spark.phenotypes.unreadable import naming_broken_files
from allofus_spark.tables import (
    OMOP_TABLES,
    PERSON_SAMPLES,
    REJECTED_OMOP_ROWS,
    WHOLE_TABLE,
    RowsWrite,
    Run,
    Warehouse,
    Write,
    quoted,
    start_run,
)
from allofus_spark.tables.omop_tables import REPEATED, UNKNOWN_PERSON
from allofus_spark.tables.writes import Keys

_PERSON = OMOP_TABLES["person"].contract


def ingest_omop(
    warehouse: Warehouse,
    paths: Sequence[str],
    *,
    person_samples: str | None = None,
    columns: Mapping[str, str] | None = None,
    one_sample_each: bool = False,
) -> dict[str, int]:
    """Read tables of the OMOP CDM 5.2 to 5.4 in the place of those held before; other tables stay.

    Parameters
    ----------
    paths
        Files or folders (parts) named for their table, or folders of such: CSV, tab-separated, either of
        them compressed, or Parquet. Names of columns and files may be in upper or lower case.
    person_samples
        TSV or CSV with person_id and sample_id: which samples are whose.
    columns
        A file's name of a column of the CDM where it is another.
    one_sample_each
        A person with two samples is an error.

    Returns
    -------
    Counters: rows by table, refused rows by reason, and of samples.

    Raises BadSource where a file cannot be read, lacks a column that no row can do without, or is of people
    without persons; where a table's refused rows are more than ``ingest.max_rejected_share``; and BadSamples
    for links that contradict each other. Nothing is written then.
    """
    if not paths and person_samples is None:
        raise BadSource("name files or folders of the CDM, or --person-samples FILE")
    columns = {name.lower(): column for name, column in (columns or {}).items()}
    with every_cell_read(warehouse.spark):
        sources, others = find_sources(warehouse.spark, paths) if paths else ([], [])
    links = read_person_samples(person_samples, one_sample_each=one_sample_each) if person_samples else None
    _check_columns(sources, columns)
    with (
        start_run(warehouse, "ingest_omop") as run,
        keeping() as keep,
        every_cell_read(warehouse.spark),
    ):
        if others:
            run.progress(f"warning: {len(others)} files are of no table that is kept: {shown(others)}")
        writes: list[Write | RowsWrite] = []
        refused = []
        persons = _persons_held(run, sources)
        withdrawn = read_withdrawn(run).knowing(links or ())
        for source in sources:
            with naming_broken_files(warehouse.spark, [file.path for file in source.files]):
                kept, values = _judged(run, keep, source, columns, persons, withdrawn)
            if source.table.name == "person":
                persons = keep(kept.select("person_id"))
                say_who_is_gone(run, persons, {source.table.name for source in sources})
            writes.append(Write(source.table.contract, kept, WHOLE_TABLE, Keys.HELD))
            refused.append(values)
        if refused:
            names = ", ".join(quoted(source.table.name) for source in sources)
            together = reduce(DataFrame.unionByName, refused)
            writes.append(Write(REJECTED_OMOP_ROWS, together, f"omop_table IN ({names})", Keys.HELD))
        if links is not None:
            assert persons is not None
            own = withdrawn.linked(links, run.counters)
            rows = sample_links(run, own, persons) if own else []
            writes.append(RowsWrite(PERSON_SAMPLES, rows, WHOLE_TABLE))
            writes += learned_writes(run, links)
        run.write(*writes)
        return dict(run.counters)


def _check_columns(sources: Sequence[OmopSource], columns: Mapping[str, str]) -> None:
    """Raise BadSource naming columns that a file lacks and its rows cannot do without."""
    known = {name for table in OMOP_TABLES.values() for name in table.contract.schema.names}
    if odd := [name for name in columns if name not in known]:
        raise BadSource(f"--column {shown(odd)}: no table of the CDM has such a column")
    present = {column for source in sources for file in source.files for column in file.columns}
    if absent := [f"{name}={column}" for name, column in columns.items() if column.lower() not in present]:
        raise BadSource(f"--column {shown(absent)}: no file has such a column; leave it out")
    problems = []
    for source in sources:
        for file in source.files:
            lacking = [name for name in source.table.needed if name not in source.place(file, columns)]
            if lacking:
                problems.append(
                    f"{file.path}: no column {', '.join(lacking)}; it has {shown(file.columns) or 'none'}"
                )
    if problems:
        raise BadSource(f"{shown(problems)}. Name a file's column with --column NAME=COLUMN.")


def _persons_held(run: Run, sources: Sequence[OmopSource]) -> DataFrame | None:
    """The persons that records can be of; None where they come with the files."""
    if any(source.table.name == "person" for source in sources):
        return None
    if not run.holds(_PERSON):
        raise BadSource(
            "records and samples are of persons: give the table person with them, or ingest it before"
        )
    return run.read(_PERSON)


def _judged(
    run: Run,
    keep: Keep,
    source: OmopSource,
    columns: Mapping[str, str],
    persons: DataFrame | None,
    withdrawn: Withdrawn,
) -> tuple[DataFrame, DataFrame]:
    """Rows of a table that are kept, and of ``rejected_omop_rows``; raises where too many are refused."""
    table = source.table
    say_what_differs(run, source, columns)
    tomorrow = dt.date.today() + dt.timedelta(days=1)  # it may be tomorrow where people are
    rows = judge_rows(read_cells(run.warehouse.spark, source, columns), source, columns, last_day=tomorrow)
    if withdrawn.persons and "person_id" in rows.columns:
        is_out = withdrawn.is_person(F.col("person_id"))
        if table.name == "person":
            run.counters[WITHDRAWN_PERSONS_COUNTER] = rows.where(is_out).count()
        rows = rows.where(~is_out)
    if table.of_people:
        assert persons is not None
        known = F.broadcast(persons.select("person_id", F.lit(True).alias("_known")))
        rows = tagged(
            rows.join(known, "person_id", "left"),
            F.col("_known").isNull(),
            UNKNOWN_PERSON,
            "person_id",
            F.col("person_id").cast("string"),
        ).drop("_known")
    numbered = table.record_id
    if numbered and not any(numbered in source.place(file, columns) for file in source.files):
        rows = rows.withColumn(numbered, F.monotonically_increasing_id())
        run.progress(f"{table.name}: no column {numbered}; records are numbered in the order of the files")
        counted = keep(refused_values(rows, table))
    else:
        counted = keep(values_and_repeats(rows, table))
        # Mostly there is none, and then no row need be moved.
        if counted.where("n_most > 1 AND reason IS NULL").take(1):
            rows = _without_repeats(rows, source)
            counted = keep(refused_values(rows, table))
        counted = counted.select(*REJECTED_OMOP_ROWS.schema.names)
    count_rows(run, table.name, counted)
    kept = rows.where(F.col(PROBLEM).isNull()).select(*table.contract.schema.names)
    return kept, counted.where("reason IS NOT NULL")


def _without_repeats(rows: DataFrame, source: OmopSource) -> DataFrame:
    """Rows of a key that stands more than once are refused, all of them: nothing says which is right."""
    key = list(source.table.contract.key)
    repeated = rows.where(F.col(PROBLEM).isNull()).groupBy(*key).count().where("count > 1").drop("count")
    marked = rows.join(repeated.withColumn("_repeated", F.lit(True)), key, "left")
    value = F.concat_ws(":", *(F.col(name).cast("string") for name in key))
    named = key[0] if len(key) == 1 else ""
    return tagged(marked, F.col("_repeated").isNotNull(), REPEATED, named, value).drop("_repeated")
