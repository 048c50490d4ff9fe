"""A set of phecodes from the records of the OMOP CDM and a map."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource, readable, shown
from allofus_spark.hadoop import absolute_path
from allofus_spark.phenotypes.caching import Keep, keeping
from allofus_spark.phenotypes.codes import BY_STANDARD, by_number, coded_records, unmapped
from allofus_spark.phenotypes.exclusions import excluded_phecodes, read_exclusions
from allofus_spark.phenotypes.people import people_of_records
from allofus_spark.phenotypes.phecode_files import read_phecode_map
from allofus_spark.phenotypes.phecode_map import ICD10CM, PhecodeMap, with_roll_up
from allofus_spark.phenotypes.phecodes import (
    case_counts,
    dates_by_phecode,
    exclusion_rows,
    sex_frame,
    statuses,
)
from allofus_spark.phenotypes.sets import Definition, check_set, write_set
from allofus_spark.tables import Recipe, Run, Warehouse, start_run
from allofus_spark.tables.phenotype_tables import BINARY_KIND, CONTROL

_SHOWN_CODES = 5


def build_phecodes(
    warehouse: Warehouse,
    maps: Sequence[str],
    *,
    name: str,
    exclusions: str | None = None,
    roll_up: bool = True,
    icd10: str = ICD10CM,
    tables: Sequence[str] = ("condition_occurrence",),
    source_vocabulary: str | None = None,
) -> dict[str, int]:
    """Tell phecodes of everybody in omop_person, in the place of what the set ``name`` held.

    Parameters
    ----------
    maps
        Files of one map; their form is known by their columns, see `phecode_map`.
    exclusions
        File of exclusion ranges in the place of the map's own.
    roll_up
        A code of 250.21 counts for 250.2 and 250 too.
    icd10
        Vocabulary of the map's ICD-10 codes where it does not name one: ICD10CM, or ICD10 (WHO).
    tables
        Records whose codes count.
    source_vocabulary
        Vocabulary of source values whose records name neither a concept nor a vocabulary.

    Returns
    -------
    Counters of records, phecodes, and people by status.

    Raises BadSource where a map or its exclusions cannot be read, records are not there, or a phecode is in
    another set.
    """
    phecodes = read_phecode_map(maps, icd10=icd10)
    ranges, listed = (
        (phecodes.ranges, phecodes.excluded) if exclusions is None else read_exclusions(exclusions)
    )
    names = sorted(phecodes.about)
    excluded = excluded_phecodes(names, ranges, listed)
    codes = by_number(with_roll_up(phecodes, roll_up=roll_up), names)
    settings = warehouse.settings.phenotypes
    files = [absolute_path(path) for path in (*maps, *([exclusions] if exclusions else []))]
    asked = {
        "maps": files[: len(maps)],
        "exclusions": absolute_path(exclusions) if exclusions else None,
        "roll_up": roll_up,
        "icd10": icd10,
        "tables": list(tables),
        "source_vocabulary": source_vocabulary,
    }
    with start_run(warehouse, "build_phenotypes", Recipe(name, asked, files)) as run, keeping() as keep:
        run.progress(
            f"map of {phecodes.format}: {len(phecodes.phecodes):,} codes of "
            f"{', '.join(phecodes.vocabularies)}, {len(names):,} phecodes"
        )
        check_set(run, name, names)
        people = people_of_records(run)
        coded = coded_records(run, codes, tables=tables, source_vocabulary=source_vocabulary)
        no_phecode = _count_records(run, keep, coded)
        dates = keep(dates_by_phecode(coded, people))
        sexes = sex_frame(people, names, phecodes.about)
        n_cases = case_counts(dates, sexes, min_dates=settings.min_dates)
        numbers = [number for number in range(len(names)) if n_cases.get(number, 0) >= settings.min_people]
        told = [names[number] for number in numbers]
        run.counters.update(phecodes=len(told), phecodes_with_too_few_cases=len(names) - len(told))
        if not told:
            run.progress(f"warning: no phecode has {settings.min_people} cases or more: the set is empty")
        if short := sorted(phecodes.short_codes):
            run.progress(
                f"warning: {len(short)} ICD9CM codes of the map have less than three digits before the dot, "
                f"such as {shown(short)}: a spreadsheet may have taken zeros away, and they match nothing"
            )
        rows = statuses(
            dates,
            people,
            sexes.where(F.col("phecode").isin(numbers)) if numbers else sexes.where("false"),
            _pairs(run, exclusion_rows(names, told, excluded)),
            min_dates=settings.min_dates,
        )
        definitions = [_definition(phecodes, item, settings.min_dates, roll_up=roll_up) for item in told]
        write_set(run, name, definitions, _as_text(people), _with_names(run, rows, names), no_phecode)
        return dict(run.counters)


def _count_records(run: Run, keep: Keep, coded: DataFrame) -> DataFrame:
    """Count records, say which codes the map lacks, and give these as rows of ``unmapped_codes``."""
    codes = keep(unmapped(coded))
    sums = codes.groupBy("is_mapped", "by").agg(F.sum("n_rows").alias("n")).collect()
    n_rows = sum(row.n for row in sums)
    n_mapped = sum(row.n for row in sums if row.is_mapped)
    n_standard = sum(row.n for row in sums if row.is_mapped and row.by == BY_STANDARD)
    if not n_rows:
        raise BadSource("there are no records with codes; run allofus ingest-omop with condition_occurrence")
    run.counters.update(
        records=n_rows,
        records_with_phecode=n_mapped,
        records_through_standard_concepts=n_standard,
        records_without_phecode=n_rows - n_mapped,
    )
    if not n_mapped:
        raise BadSource(
            f"none of {n_rows:,} records has a code of the map, nothing was written; records are of "
            f"{_vocabularies(codes)}. Where that is not known, name it with --source-vocabulary"
        )
    if n_standard:
        run.progress(
            f"{n_standard:,} records have no source code with a vocabulary: their phecodes are those of "
            "every code that maps to their standard concept"
        )
    lacking = codes.where(~F.col("is_mapped")).withColumn("written", F.coalesce("written", F.lit("")))
    together = lacking.groupBy("vocabulary_id", "code").agg(
        F.max("written").alias("written"), F.sum("n_rows").alias("n_rows")
    )
    most = together.orderBy(F.desc("n_rows"), "vocabulary_id", "code").take(_SHOWN_CODES)
    if most:
        named = ", ".join(
            f"{readable(row.vocabulary_id or 'unknown vocabulary')} {readable(row.written or '(no code)')}: "
            f"{row.n_rows:,}"
            for row in most
        )
        run.progress(
            f"{n_rows - n_mapped:,} of {n_rows:,} records have a code without a phecode, most often {named}; "
            "all are in unmapped_codes"
        )
    return together


def _vocabularies(codes: DataFrame) -> str:
    rows = (
        codes.groupBy("vocabulary_id").agg(F.sum("n_rows").alias("n")).orderBy(F.desc("n")).take(_SHOWN_CODES)
    )
    return ", ".join(
        f"{readable(row.vocabulary_id or '') or 'an unknown vocabulary'} ({row.n:,})" for row in rows
    )


def _definition(phecodes: PhecodeMap, name: str, min_dates: int, *, roll_up: bool) -> Definition:
    about = phecodes.about[name]
    text = (
        f"codes of phecode {name}{' and narrower ones' if roll_up else ''} on {min_dates} dates or more; map "
        f"of {phecodes.format}"
    )
    return Definition(
        name,
        BINARY_KIND,
        about.description,
        about.category,
        None,
        about.sex,
        CONTROL,
        text,
        phecodes.sha256,
    )


def _pairs(run: Run, pairs: Sequence[tuple[int, int]]) -> DataFrame:
    return run.warehouse.spark.createDataFrame(list(pairs), "phecode int, of_phecode int")


def _as_text(people: DataFrame) -> DataFrame:
    return people.withColumn("person_id", F.col("person_id").cast("string"))


def _with_names(run: Run, rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """Rows of ``phenotypes`` but for the set."""
    named = run.warehouse.spark.createDataFrame(list(enumerate(names)), "phecode int, phenotype_id string")
    return rows.join(F.broadcast(named), "phecode").select(
        "phenotype_id",
        F.col("person_id").cast("string").alias("person_id"),
        "status",
        "reason",
        "n_dates",
        "first_date",
        F.lit(None).cast("double").alias("value"),
    )
