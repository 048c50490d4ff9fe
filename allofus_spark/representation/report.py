"""``representation`` of the cohort's people, with and without genomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import active_callsets, samples_in_genotypes
from allofus_spark.errors import BadSource, readable
from allofus_spark.representation.definitions import Definitions, own_definitions, read_definitions
from allofus_spark.representation.drawing import draw_representation
from allofus_spark.representation.linkage import Linkage, linkage_by_people
from allofus_spark.representation.rows import Cell, RepresentationRow, representation_rows
from allofus_spark.representation.statuses import judge, unrecognised_answers
from allofus_spark.settings import RepresentationSettings
from allofus_spark.tables import (
    PERSON_SAMPLES,
    PERSONS,
    REPRESENTATION,
    Recipe,
    RowsWrite,
    Run,
    Warehouse,
    quoted,
    start_run,
)
from allofus_spark.tables.person_tables import ALL_ANSWERS, ANY, CATEGORIES, EVERYBODY, TOTAL, UNRECOGNISED

_SHOWN_ANSWERS = 3  # of a category, the most frequent ones


@dataclass(frozen=True)
class Report:
    """Rows of ``representation`` of one version of the definitions.

    ``linkage`` is by group of people; ``warnings`` are sentences about answers that the definitions do not
    know, ``advice`` says how to define such one.
    """

    rows: Sequence[RepresentationRow]
    definitions_version: str
    picture: str
    linkage: Mapping[str, Linkage]
    warnings: Sequence[str]
    advice: str

    def of(self, category: str, people: str = EVERYBODY) -> RepresentationRow:
        """Everybody of these people in a category, whenever enrolled."""
        (row,) = (
            row
            for row in self.rows
            if (row.people, row.category, row.enrolment_month, row.answer)
            == (people, category, TOTAL, ALL_ANSWERS)
        )
        return row

    @property
    def not_asked(self) -> list[str]:
        """Categories that nobody was asked about."""
        rows = [self.of(category) for category in CATEGORIES]
        return [row.category for row in rows if row.n_people and row.n_not_asked == row.n_people]


def report_cohort(warehouse: Warehouse) -> Report:
    """Count people by category and enrolment month, write ``representation`` and its picture.

    Rows of other versions of the definitions stay as they were counted. Raises BadSource where there are no
    persons, or the definitions cannot be understood.
    """
    definitions = read_definitions(warehouse.settings.representation)
    picture = warehouse.picture_path(REPRESENTATION.zone, "representation")
    with start_run(warehouse, "report_cohort", Recipe()) as run:
        if not run.holds(PERSONS):
            raise BadSource("a report needs the cohort's people; run allofus ingest-persons first")
        persons = _with_genomes(run)
        cells = _count(persons, definitions)
        report = Report(
            rows=representation_rows(cells),
            definitions_version=definitions.version,
            picture=picture,
            linkage=linkage_by_people(persons),
            warnings=_unrecognised(persons, definitions, cells),
            advice=_how_to_define(warehouse.settings.representation),
        )
        ours = (definitions.version, definitions.sha256)
        replaced = f"definitions_version = {quoted(definitions.version)}"
        run.write(RowsWrite(REPRESENTATION, [(*ours, *row) for row in report.rows], replaced))
        total = report.of(ANY)
        run.counters.update(
            persons=total.n_people,
            under_represented=total.n_under_represented,
            unknown=total.n_unknown,
        )
    draw_representation(warehouse.spark, picture, report.rows, report.linkage, definitions.version)
    return report


def _how_to_define(settings: RepresentationSettings) -> str:
    """What to do so that the definitions know an answer."""
    if settings.definitions_file is not None:
        return f"To define an answer, add a row to {settings.definitions_file}."
    return (
        f"To define an answer, copy {own_definitions()}, add a row to the copy, and give it by --set "
        "representation.definitions_file=FILE and --set representation.definitions_version=NAME, a name of "
        "your own."
    )


def _with_genomes(run: Run) -> DataFrame:
    """Persons with ``with_genomes``: linked to a sample of an active callset."""
    persons = run.read(PERSONS)
    if not active_callsets(run):
        return persons.withColumn("with_genomes", F.lit(False))
    samples = samples_in_genotypes(run).select("sample_id")
    # Many samples to one person, and a sample id may stand in several callsets.
    linked = run.read(PERSON_SAMPLES).join(samples, "sample_id", "left_semi").select("person_id").distinct()
    return persons.join(linked.withColumn("linked", F.lit(True)), "person_id", "left").withColumn(
        "with_genomes", F.coalesce("linked", F.lit(False))
    )


def _count(persons: DataFrame, definitions: Definitions) -> list[Cell]:
    judged = judge(persons, definitions)
    by = [name for name in Cell._fields if name != "n"]
    return [
        Cell(*row) for row in judged.groupBy(*by).agg(F.count(F.lit(1)).alias("n")).select(*by, "n").collect()
    ]


def _unrecognised(persons: DataFrame, definitions: Definitions, cells: Sequence[Cell]) -> list[str]:
    """Answers that the definitions do not know, in a sentence for each category."""
    people: dict[str, int] = {}
    for cell in cells:
        if cell.answer == UNRECOGNISED:
            people[cell.category] = people.get(cell.category, 0) + cell.n
    if not people:
        return []
    answers = unrecognised_answers(persons, definitions).cache()
    try:
        kinds = {row.category: row["count"] for row in answers.groupBy("category").count().collect()}
        sentences = []
        for category in (name for name in CATEGORIES if name in people):
            most = answers.where(F.col("category") == category).orderBy(F.desc("n"), "answer")
            named = ", ".join(f"'{readable(row.answer)}' ({row.n:,})" for row in most.take(_SHOWN_ANSWERS))
            more = kinds[category] - _SHOWN_ANSWERS
            sentences.append(
                f"{category}: {people[category]:,} people gave an answer that the definitions do not know, "
                f"and count as unknown unless another one decides: {named}"
                f"{f' and {more} more' if more > 0 else ''}"
            )
    finally:
        answers.unpersist()
    return sentences
