"""Quantitative traits: the median of each person's measurements, in one unit and within what is plausible."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.checksums import file_checksum
from allofus_spark.errors import BadSource, readable
from allofus_spark.hadoop import absolute_path
from allofus_spark.phenotypes.caching import keeping
from allofus_spark.phenotypes.people import people_of_records
from allofus_spark.phenotypes.sets import Definition, check_set, write_set
from allofus_spark.phenotypes.traits import NO_UNIT, Trait, read_traits
from allofus_spark.tables import OMOP_TABLES, Recipe, Run, Warehouse, start_run
from allofus_spark.tables.phenotype_tables import BOTH_SEXES, MEASURED, NOT_ASSESSED, QUANTITATIVE_KIND

_MEASUREMENT = OMOP_TABLES["measurement"].contract
_EQUALS = 4172703
_NO_VALUE, _OPERATOR, _UNKNOWN_UNIT, _IMPLAUSIBLE = "no_value", "operator", "unknown_unit", "implausible"
_REASONS = {
    _NO_VALUE: "without a number",
    _OPERATOR: "below or above what could be measured (<, >)",
    _UNKNOWN_UNIT: "of a unit that the definition does not know",
    _IMPLAUSIBLE: "outside least and most",
}
_SHOWN_UNITS = 3


def build_measurements(warehouse: Warehouse, path: str, *, name: str) -> dict[str, int]:
    """Tell traits of a TSV of definitions from omop_measurement, in the place of what the set held.

    The file has a line for each trait: phenotype_id, description, concept_ids (with commas between), unit,
    unit_factors (UNIT=FACTOR or UNIT=FACTOR+OFFSET with ; between, where UNIT is a unit_concept_id, a
    unit_source_value, or none), least and most, the plausible range in ``unit``.

    Measurements that have no number, an operator, another unit, or lie outside the range are left out, and
    counted by trait and reason. Raises BadSource naming lines that are not understood.
    """
    traits = read_traits(path)
    asked = absolute_path(path)
    recipe = Recipe(name, {"measurements": asked}, [asked])
    with start_run(warehouse, "build_phenotypes", recipe) as run, keeping() as keep:
        check_set(run, name, [trait.phenotype_id for trait in traits])
        if not run.holds(_MEASUREMENT):
            raise BadSource("omop_measurement is not there; run allofus ingest-omop with measurement")
        people = people_of_records(run).withColumn("person_id", F.col("person_id").cast("string"))
        rows = keep(judged_measurements(run, traits))
        _count(run, traits, rows)
        medians = (
            rows.where(F.col("problem").isNull())
            .groupBy("phenotype_id", F.col("person_id").cast("string").alias("person_id"))
            .agg(
                F.median("value").alias("value"),
                F.countDistinct("date").cast("int").alias("n_dates"),
                F.min("date").alias("first_date"),
            )
            .join(people.select("person_id"), "person_id", "left_semi")
            .withColumns({"status": F.lit(MEASURED), "reason": F.lit(None).cast("string")})
        )
        least = run.warehouse.settings.phenotypes.min_people
        n_people = {
            row.phenotype_id: row["count"] for row in medians.groupBy("phenotype_id").count().collect()
        }
        told = [trait for trait in traits if n_people.get(trait.phenotype_id, 0) >= least]
        for trait in (trait for trait in traits if trait not in told):
            run.progress(f"warning: {trait.phenotype_id}: fewer than {least} people have a value")
        run.counters.update(
            phenotypes=len(told), values_of_people=sum(n_people[item.phenotype_id] for item in told)
        )
        checksum = file_checksum(path)
        definitions = [_definition(trait, checksum) for trait in told]
        kept = medians.where(F.col("phenotype_id").isin([trait.phenotype_id for trait in told]))
        write_set(run, name, definitions, people, kept)
        return dict(run.counters)


def judged_measurements(run: Run, traits: Sequence[Trait]) -> DataFrame:
    """(phenotype_id, person_id, date, value, problem, unit) of measurements, values in the trait's unit."""
    spark = run.warehouse.spark
    concepts = spark.createDataFrame(
        [
            (concept, trait.phenotype_id, trait.least, trait.most)
            for trait in traits
            for concept in trait.concept_ids
        ],
        "measurement_concept_id long, phenotype_id string, least double, most double",
    )
    factors = spark.createDataFrame(
        [(trait.phenotype_id, unit, *pair) for trait in traits for unit, pair in trait.factors.items()],
        "phenotype_id string, unit string, factor double, offset double",
    )
    concept = F.when(F.col("unit_concept_id") != 0, F.col("unit_concept_id").cast("string"))
    text = F.trim("unit_source_value")
    written = F.when(text != "", text)
    operator = F.coalesce("operator_concept_id", F.lit(0))
    sign = F.coalesce(F.trim("value_source_value").rlike("^[<>≤≥]"), F.lit(False))
    rows = (
        run.read(_MEASUREMENT)
        .join(F.broadcast(concepts), "measurement_concept_id")
        .select(
            "phenotype_id",
            "person_id",
            F.col("measurement_date").alias("date"),
            F.col("value_as_number").alias("number"),
            concept.alias("of_concept"),
            F.when(concept.isNull() & written.isNull(), NO_UNIT).otherwise(written).alias("of_text"),
            (~operator.isin(0, _EQUALS) | sign).alias("has_operator"),
            "least",
            "most",
        )
    )
    by_concept = factors.toDF("phenotype_id", "of_concept", "concept_factor", "concept_offset")
    by_text = factors.toDF("phenotype_id", "of_text", "text_factor", "text_offset")
    rows = rows.join(F.broadcast(by_concept), ["phenotype_id", "of_concept"], "left")
    rows = rows.join(F.broadcast(by_text), ["phenotype_id", "of_text"], "left")
    factor = F.coalesce("concept_factor", "text_factor")
    value = F.col("number") * factor + F.coalesce("concept_offset", "text_offset")
    rows = rows.withColumns({"factor": factor, "value": value})
    problem = (
        F.when(F.col("number").isNull() | F.isnan("number"), _NO_VALUE)
        .when(F.col("has_operator"), _OPERATOR)
        .when(F.col("factor").isNull(), _UNKNOWN_UNIT)
        .when(~F.col("value").between(F.col("least"), F.col("most")), _IMPLAUSIBLE)
    )
    unit = F.coalesce("of_text", F.concat(F.lit("concept "), F.col("of_concept")))
    return rows.select(
        "phenotype_id", "person_id", "date", "value", problem.alias("problem"), unit.alias("unit")
    )


def _count(run: Run, traits: Sequence[Trait], rows: DataFrame) -> None:
    """Say of each trait how many measurements count, and why the others do not."""
    counts: dict[str, dict[str | None, int]] = {}
    for row in rows.groupBy("phenotype_id", "problem").count().collect():
        counts.setdefault(row.phenotype_id, {})[row.problem] = row["count"]
    for trait in traits:
        found = counts.get(trait.phenotype_id, {})
        n_all, n_used = sum(found.values()), found.get(None, 0)
        run.counters.update(measurements=n_all, measurements_used=n_used)
        run.counters.update({f"measurements_{name}": n for name, n in found.items() if name})
        left_out = ", ".join(f"{found[name]:,} {text}" for name, text in _REASONS.items() if name in found)
        said = f"{trait.phenotype_id}: {n_used:,} of {n_all:,} measurements count"
        run.progress(f"{said}; left out: {left_out}" if left_out else said)
        if _UNKNOWN_UNIT in found:
            run.progress(f"warning: {trait.phenotype_id}: units not known: {_units(rows, trait)}")


def _units(rows: DataFrame, trait: Trait) -> str:
    unknown = rows.where((F.col("phenotype_id") == trait.phenotype_id) & (F.col("problem") == _UNKNOWN_UNIT))
    most = unknown.groupBy("unit").count().orderBy(F.desc("count"), "unit").take(_SHOWN_UNITS)
    return (
        ", ".join(f"{readable(str(row.unit))} ({row['count']:,})" for row in most)
        + "; add them to unit_factors"
    )


def _definition(trait: Trait, checksum: str) -> Definition:
    text = (
        f"median of a person's measurements of concepts {', '.join(map(str, trait.concept_ids))} between "
        f"{trait.least:g} and {trait.most:g} {trait.unit}"
    )
    return Definition(
        trait.phenotype_id,
        QUANTITATIVE_KIND,
        trait.description or trait.phenotype_id,
        None,
        trait.unit,
        BOTH_SEXES,
        NOT_ASSESSED,
        text,
        checksum,
    )
