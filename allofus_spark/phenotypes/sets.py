"""A set of phenotypes into the tables, in the place of what it held before; and the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import UNLABELLED, active_callsets, labels_in_use, sample_rows
from allofus_spark.errors import BadSource, shown
from allofus_spark.tables import (
    PERSON_SAMPLES,
    PHENOTYPE_CATALOGUE,
    PHENOTYPE_DEFINITIONS,
    PHENOTYPE_PEOPLE,
    PHENOTYPES,
    UNMAPPED_CODES,
    RowsWrite,
    Run,
    Write,
    check_name,
    quoted,
)
from allofus_spark.tables.phenotype_tables import (
    ALL_ANCESTRIES,
    CASE,
    CONTROL,
    EXCLUDED,
    MEASURED,
    QUANTITATIVE_KIND,
)
from allofus_spark.tables.writes import Keys

NO_GENOME = "no_genome"


class Definition(NamedTuple):
    """A row of ``phenotype_definitions`` without its set."""

    phenotype_id: str
    kind: str
    description: str
    category: str | None
    unit: str | None
    sex: str
    others: str
    definition: str
    source_sha256: str


def check_set(run: Run, name: str, phenotype_ids: Iterable[str]) -> None:
    """Raise BadSource where the set cannot be called so, or another set has one of its phenotypes."""
    check_name("set", name)
    taken = {
        row.phenotype_id: row.phenotype_set
        for row in run.rows(PHENOTYPE_DEFINITIONS)
        if row.phenotype_set != name
    }
    clashes = [f"{name} ({taken[name]})" for name in phenotype_ids if name in taken]
    if clashes:
        raise BadSource(
            f"{len(clashes)} phenotypes are in another set already: {shown(clashes)}; give that set's name "
            "with --name to replace it, or other names to the phenotypes"
        )


def write_set(
    run: Run,
    name: str,
    definitions: Iterable[Definition],
    people: DataFrame,
    phenotypes: DataFrame,
    unmapped: DataFrame | None = None,
) -> None:
    """Replace a set: ``people`` are (person_id, sex), ``phenotypes`` rows without their set.

    The catalogue is counted from what was written.
    """
    held = [*definitions]
    ours = f"phenotype_set = {quoted(name)}"
    rows = Write(PHENOTYPES, _of_set(phenotypes, name), ours, Keys.HELD)
    if unmapped is None:
        unmapped = run.warehouse.spark.createDataFrame([], UNMAPPED_CODES.schema).drop("phenotype_set")
    run.write(
        RowsWrite(PHENOTYPE_DEFINITIONS, [(name, *definition) for definition in held], ours),
        Write(PHENOTYPE_PEOPLE, _of_set(people, name), ours, Keys.HELD),
        rows,
        Write(UNMAPPED_CODES, _of_set(unmapped, name), ours, Keys.HELD),
    )
    run.write(RowsWrite(PHENOTYPE_CATALOGUE, catalogue_rows(run, name, held), ours))


def catalogue_rows(run: Run, name: str, definitions: Iterable[Definition]) -> list[tuple[object, ...]]:
    """Rows of ``phenotype_catalogue`` of a set as it lies in the tables."""
    people = run.read(PHENOTYPE_PEOPLE).where(F.col("phenotype_set") == name)
    grouped = people.select("person_id").join(ancestries_of_people(run), "person_id", "left")
    grouped = grouped.select("person_id", F.coalesce("ancestry", F.lit(NO_GENOME)).alias("ancestry"))
    sizes = {row.ancestry: row["count"] for row in grouped.groupBy("ancestry").count().collect()}
    rows = run.read(PHENOTYPES).where(F.col("phenotype_set") == name).join(grouped, "person_id")
    counted = (
        rows.groupBy("phenotype_id", "ancestry")
        .agg(
            *(
                F.sum(F.when(F.col("status") == status, 1).otherwise(0)).alias(status)
                for status in (CASE, CONTROL, EXCLUDED, MEASURED)
            ),
            F.sum("value").alias("total"),
            F.var_pop("value").alias("spread"),
        )
        .collect()
    )
    tallies: dict[str, dict[str, Tally]] = {}
    for row in counted:
        tally = Tally(row[CASE], row[CONTROL], row[EXCLUDED], row[MEASURED], row.total, row.spread)
        tallies.setdefault(row.phenotype_id, {})[row.ancestry] = tally
    made: list[tuple[object, ...]] = []
    for definition in definitions:
        found = tallies.get(definition.phenotype_id, {})
        made.append(_row(name, definition, ALL_ANCESTRIES, _together(found.values()), sum(sizes.values())))
        made += [
            _row(name, definition, ancestry, found.get(ancestry, Tally()), size)
            for ancestry, size in sorted(sizes.items())
        ]
    return made


class Tally(NamedTuple):
    """People of one phenotype in one ancestry; ``spread`` is the variance of their values over n."""

    n_cases: int = 0
    n_controls: int = 0
    n_excluded: int = 0
    n_measured: int = 0
    total: float | None = None
    spread: float | None = None


def ancestries_of_people(run: Run) -> DataFrame:
    """(person_id, ancestry) of people with genomes in an active callset: their label in use, or unlabelled.

    Of several samples of a person the first with a label counts, by id.
    """
    spark = run.warehouse.spark
    labels: dict[str, str] = {}
    if run.holds(PERSON_SAMPLES) and (active := active_callsets(run)):
        label_of = labels_in_use(run.warehouse, run)
        for row in sample_rows(run, active):
            labels.setdefault(row.sample_id, label_of(row) or UNLABELLED)
    samples = spark.createDataFrame(list(labels.items()), "sample_id string, ancestry string")
    if not labels:
        return samples.select(F.col("sample_id").alias("person_id"), "ancestry")
    is_unlabelled = (F.col("ancestry") == UNLABELLED).cast("int")
    first = F.min_by("ancestry", F.struct(is_unlabelled, F.col("sample_id")))
    return (
        run.read(PERSON_SAMPLES).join(samples, "sample_id").groupBy("person_id").agg(first.alias("ancestry"))
    )


def _of_set(frame: DataFrame, name: str) -> DataFrame:
    return frame.withColumn("phenotype_set", F.lit(name))


def _together(tallies: Iterable[Tally]) -> Tally:
    """People of several ancestries as one: variances within them and between."""
    parts = list(tallies)
    n = sum(part.n_measured for part in parts)
    total = sum(part.total or 0.0 for part in parts) if n else None
    spread = None
    if n and total is not None:
        mean = total / n
        spread = (
            sum(
                part.n_measured * ((part.spread or 0.0) + ((part.total or 0.0) / part.n_measured - mean) ** 2)
                for part in parts
                if part.n_measured
            )
            / n
        )
    n_cases, n_controls = sum(part.n_cases for part in parts), sum(part.n_controls for part in parts)
    return Tally(n_cases, n_controls, sum(part.n_excluded for part in parts), n, total, spread)


def _row(name: str, definition: Definition, ancestry: str, tally: Tally, n_people: int) -> tuple[object, ...]:
    where: tuple[object, ...] = (name, definition.phenotype_id, ancestry)
    if definition.kind == QUANTITATIVE_KIND:
        n = tally.n_measured
        mean = tally.total / n if n and tally.total is not None else None
        sd = (tally.spread * n / (n - 1)) ** 0.5 if n > 1 and tally.spread is not None else None
        return (*where, None, None, None, n, mean, sd)
    n_controls = tally.n_controls
    if definition.others == CONTROL:
        n_controls = n_people - tally.n_cases - tally.n_excluded
    return (*where, tally.n_cases, n_controls, tally.n_excluded, None, None, None)
