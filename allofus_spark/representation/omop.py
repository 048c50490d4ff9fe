"""Persons from health records of the OMOP CDM, and from when to when there are records of each."""

from __future__ import annotations

from functools import reduce
from importlib.resources import files

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import read_withdrawn
from allofus_spark.errors import BadSource
from allofus_spark.tables import (
    OMOP_TABLES,
    PERSON_SAMPLES,
    PERSONS,
    WHOLE_TABLE,
    Recipe,
    RowsWrite,
    Run,
    Warehouse,
    Write,
    start_run,
)
from allofus_spark.tables.person_tables import AGE, CATEGORIES, MOST_YEARS, QUESTIONS
from allofus_spark.tables.writes import Keys

_PERSON = OMOP_TABLES["person"].contract
_CONCEPT = OMOP_TABLES["concept"].contract
_PERIOD = OMOP_TABLES["observation_period"].contract
# Which columns of omop_person answer which question; gender there is sex.
_ANSWERED = {"race_ethnicity": ("race", "ethnicity"), "sex_at_birth": ("gender",)}


def ingest_persons_from_omop(warehouse: Warehouse) -> dict[str, int]:
    """Take persons from omop_person, in the place of those held before; samples of persons stay.

    The CDM has no day of enrolment: ``enrolled_on`` is the first day of a person's records. Race, ethnicity
    and sex are the names of their concepts, or the source's words where the concept is not known.

    Returns counters of persons, and of those without records or a year of birth. Raises BadSource where
    omop_person is not there.
    """
    with start_run(warehouse, "ingest_persons", Recipe()) as run:
        if not run.holds(_PERSON):
            raise BadSource("omop_person is not there; run allofus ingest-omop with person first")
        persons = _persons(run, warehouse.settings.representation.not_answered)
        _count(run, persons)
        run.progress("enrolled_on is the first day of a person's records, as the CDM has no day of enrolment")
        not_asked = [name for name in CATEGORIES if name not in (*_ANSWERED, AGE)]
        run.progress(f"the CDM's person has no column for {', '.join(not_asked)}: not asked")
        asked = F.array(*map(F.lit, not_asked)).alias("not_asked")
        rows = persons.select(*(asked if name == "not_asked" else name for name in PERSONS.schema.names))
        writes: list[Write | RowsWrite] = [Write(PERSONS, rows, WHOLE_TABLE, Keys.HELD)]
        if not run.holds(PERSON_SAMPLES):
            writes.append(RowsWrite(PERSON_SAMPLES, [], WHOLE_TABLE))
        run.write(*writes)
        return dict(run.counters)


def record_spans(run: Run) -> DataFrame | None:
    """(person_id as text, records_from, records_to) of people with records; None where none are held.

    From omop_observation_period where that is held, else the first and last day of any record.
    """
    if run.holds(_PERIOD):
        spans = run.read(_PERIOD).select(
            "person_id",
            F.col("observation_period_start_date").alias("first"),
            F.col("observation_period_end_date").alias("last"),
        )
    else:
        held = [table for table in OMOP_TABLES.values() if table.day and run.holds(table.contract)]
        if not held:
            return None
        days = (
            run.read(table.contract)
            .groupBy("person_id")
            .agg(F.min(table.day or "").alias("first"), F.max(table.day or "").alias("last"))
            for table in held
        )
        spans = reduce(DataFrame.unionByName, days)
    return spans.groupBy(F.col("person_id").cast("string").alias("person_id")).agg(
        F.min("first").alias("records_from"), F.max("last").alias("records_to")
    )


def _persons(run: Run, not_answered: tuple[str, ...]) -> DataFrame:
    """Columns of ``persons`` but for ``not_asked``."""
    names = _concept_names(run)
    people = run.read(_PERSON)
    people = people.where(~read_withdrawn(run).is_person(F.col("person_id")))
    for name in ("race", "ethnicity", "gender"):
        named = names.toDF(f"{name}_concept_id", f"{name}_name")
        people = people.join(F.broadcast(named), f"{name}_concept_id", "left")
        answer = F.coalesce(f"{name}_name", f"{name}_source_value")
        given = ~F.lower(F.trim(answer)).isin(*not_answered)
        people = people.withColumn(f"{name}_answer", F.when(given, F.trim(answer)))
    people = people.withColumn("person_id", F.col("person_id").cast("string"))
    spans = record_spans(run)
    if spans is None:
        nothing = F.lit(None).cast("date")
        people = people.withColumns({"records_from": nothing, "records_to": nothing})
    else:
        people = people.join(spans, "person_id", "left")
    age = _age(F.col("records_from"))
    answers = {name: _answers(parts) for name, parts in _ANSWERED.items()}
    return people.select(
        "person_id",
        F.col("records_from").alias("enrolled_on"),
        F.when(age.between(0, MOST_YEARS), age).alias("age_at_enrolment_years"),
        "year_of_birth",
        *(answers.get(name, F.lit(None).cast("array<string>")).alias(name) for name in QUESTIONS),
        "records_from",
        "records_to",
    )


def _answers(parts: tuple[str, ...]) -> Column:
    """The answers that there are, each once; null: none."""
    found = F.array_distinct(F.array_compact(F.array(*(F.col(f"{part}_answer") for part in parts))))
    return F.when(F.size(found) > 0, found)


def _age(day: Column) -> Column:
    """Completed years on a day; the difference of years where month and day of birth are not known."""
    years = F.year(day) - F.col("year_of_birth")
    birthday = F.col("month_of_birth") * 100 + F.col("day_of_birth")
    before = (F.month(day) * 100 + F.dayofmonth(day)) < birthday
    return years - F.coalesce(before, F.lit(False)).cast("int")


def _concept_names(run: Run) -> DataFrame:
    """(concept_id, name): of omop_concept, and those that are known without."""
    text = files(__package__).joinpath("data", "omop_concepts.tsv").read_text(encoding="utf-8")
    lines = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")][1:]
    known = run.warehouse.spark.createDataFrame(
        [(int(concept), name) for concept, name in lines], "concept_id long, name string"
    )
    if not run.holds(_CONCEPT):
        return known
    domains = F.col("domain_id").isin("Gender", "Race", "Ethnicity") & (F.col("concept_id") != 0)
    held = run.read(_CONCEPT).where(domains).select("concept_id", F.col("concept_name").alias("name"))
    return held.unionByName(known.join(held.select("concept_id"), "concept_id", "left_anti"))


def _count(run: Run, persons: DataFrame) -> None:
    row = persons.agg(
        F.count(F.lit(1)).alias("persons"),
        F.count(F.when(F.col("records_from").isNull(), 1)).alias("persons_without_records"),
        F.count(F.when(F.col("age_at_enrolment_years").isNull(), 1)).alias("persons_without_age"),
    ).first()
    assert row is not None
    run.counters.update(row.asDict())
