"""A set of phenotypes that somebody has as a table: a line a person or sample, a column each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.checksums import file_checksum
from allofus_spark.cohort import WITHDRAWN_COUNTER, WITHDRAWN_PERSONS_COUNTER, read_withdrawn
from allofus_spark.errors import BadSamples, BadSource, shown
from allofus_spark.hadoop import absolute_path
from allofus_spark.phenotypes.caching import keeping
from allofus_spark.phenotypes.file_codings import (
    Coding,
    coding_of,
    refuse_texts,
    say_codings,
    status_and_value,
)
from allofus_spark.phenotypes.people import sexes
from allofus_spark.phenotypes.phenotype_file import (
    ID,
    PERSON,
    PhenotypeFile,
    read_phenotype_file,
    shapes_of,
    value_column,
)
from allofus_spark.phenotypes.sets import Definition, check_set, write_set
from allofus_spark.phenotypes.text_cells import every_cell_read
from allofus_spark.phenotypes.unreadable import naming_broken_files
from allofus_spark.tables import (
    OMOP_TABLES,
    PERSON_SAMPLES,
    WHOLE_TABLE,
    Recipe,
    Run,
    Warehouse,
    Write,
    start_run,
)
from allofus_spark.tables.phenotype_tables import (
    BINARY_KIND,
    BOTH_SEXES,
    NOT_ASSESSED,
)

_SHOWN = 5


def build_from_file(
    warehouse: Warehouse,
    path: str,
    *,
    name: str,
    binary: Collection[str] = (),
    quantitative: Collection[str] = (),
) -> dict[str, int]:
    """Take phenotypes from a TSV, CSV or a file of PLINK or regenie, in the place of what the set held.

    Persons are named in person_id, or by a sample in sample_id or IID (FID is not used). A column whose
    values are 0 and 1, or 1 and 2, is binary, with the higher one for cases; other numbers are quantitative.
    Empty cells, NA, nan, . and −9 are missing. ``binary`` and ``quantitative`` columns are such whatever they
    hold; a binary one with 0, 1 and 2 is as of PLINK, 0 missing.

    Raises BadSource naming a column of text with its values, and BadSamples for people that stand twice with
    different values, or where nobody is known.
    """
    asked = absolute_path(path)
    parameters = {"file": asked, "binary": sorted(binary), "quantitative": sorted(quantitative)}
    with (
        keeping() as keep,
        every_cell_read(warehouse.spark),
        start_run(warehouse, "build_phenotypes", Recipe(name, parameters, [asked])) as run,
        naming_broken_files(warehouse.spark, [path]),
    ):
        given = read_phenotype_file(warehouse, path, keep)
        _check_named(path, given.columns, binary, quantitative)
        if given.not_used:
            run.progress(f"warning: {len(given.not_used)} columns are not used: {shown(given.not_used)}")
        check_set(run, name, given.columns)
        shapes = dict(zip(given.columns, shapes_of(given.cells, len(given.columns)), strict=True))
        refuse_texts(path, shapes)
        codings = {
            column: coding_of(column, shapes[column], binary, quantitative) for column in given.columns
        }
        say_codings(run, shapes, codings)
        rows = keep(_of_persons(run, path, given))
        _refuse_repeats(path, rows, len(given.columns))
        told = _told(rows.dropDuplicates(["person_id"]), codings)  # repeats say the same
        people = _with_sex(run, rows.select("person_id").distinct())
        checksum = file_checksum(path)
        definitions = [_definition(column, coding, checksum) for column, coding in codings.items()]
        run.counters.update(phenotypes=len(given.columns), people=people.count())
        write_set(run, name, definitions, people, told)
        return dict(run.counters)


def _check_named(
    path: str, columns: Sequence[str], binary: Collection[str], quantitative: Collection[str]
) -> None:
    if odd := sorted({*binary, *quantitative} - set(columns)):
        raise BadSource(f"{path} has no column {shown(odd)}; its phenotypes are {shown(columns)}")
    if both := sorted({*binary} & {*quantitative}):
        raise BadSource(f"{shown(both)}: a phenotype is binary or quantitative, not both")


def _of_persons(run: Run, path: str, given: PhenotypeFile) -> DataFrame:
    """Rows with ``person_id``; ids that nobody knows are left out, counted and named."""
    has_none = F.coalesce(F.col(ID), F.lit("")) == ""
    counted = given.cells.agg(F.count(F.lit(1)), F.count(F.when(has_none, 1))).first()
    n_rows, n_without = counted or (0, 0)
    if n_without:
        raise BadSamples(f"{path}: {n_without} lines have no id; complete them")
    if not n_rows:
        raise BadSamples(f"{path}: a header and no lines, nothing was written")
    cells = _without_withdrawn(run, given)
    known = _known_ids(run, path, cells, given.ids_of)
    rows = cells.join(known, ID, "left")
    unknown = rows.where(F.col("person_id").isNull()).select(ID).distinct()
    n_unknown, n_known = unknown.count(), rows.where(F.col("person_id").isNotNull()).count()
    some = [row[0] for row in unknown.orderBy(ID).take(_SHOWN)]
    if n_unknown:
        text = (
            f"{path}: {n_unknown} ids on {n_rows - n_known} of {n_rows} lines are of no {given.ids_of} that "
            f"is known: {', '.join(some)}"
        )
        if not n_known:
            raise BadSamples(f"{text}; nothing was written")
        run.progress(f"warning: {text}; they are left out")
    run.counters.update(ids_not_known=n_unknown)
    return rows.where(F.col("person_id").isNotNull())


def _without_withdrawn(run: Run, given: PhenotypeFile) -> DataFrame:
    """The file's lines without those of people who withdrew, who are counted."""
    withdrawn = read_withdrawn(run)
    if not withdrawn.samples:
        return given.cells
    of_persons = given.ids_of == PERSON
    is_out = withdrawn.is_person(F.col(ID)) if of_persons else withdrawn.is_sample(F.col(ID))
    counter = WITHDRAWN_PERSONS_COUNTER if of_persons else WITHDRAWN_COUNTER
    run.counters[counter] = given.cells.where(is_out).select(ID).distinct().count()
    return given.cells.where(~is_out)


def _known_ids(run: Run, path: str, cells: DataFrame, ids_of: str) -> DataFrame:
    """(_id, person_id) of the ids that are known. Without any links of samples, samples are their persons."""
    person = OMOP_TABLES["person"].contract
    if ids_of == PERSON:
        frames = []
        if run.holds(person):
            frames.append(run.read(person).select(F.col("person_id").cast("string")))
        if run.holds(PERSON_SAMPLES):
            frames.append(run.read(PERSON_SAMPLES).select("person_id"))
        if not frames:
            raise BadSamples(
                f"{path} names persons, and none are known; run allofus ingest-omop or ingest-persons first"
            )
        known = reduce(DataFrame.union, frames).distinct()
        return known.select(F.col("person_id").alias(ID), "person_id")
    if not run.holds(PERSON_SAMPLES) or not run.read(PERSON_SAMPLES).take(1):
        run.progress("no sample is linked to a person: each sample is taken for a person of the same id")
        links = cells.select(F.col(ID).alias("person_id"), F.col(ID).alias("sample_id")).distinct()
        run.write(Write(PERSON_SAMPLES, links.localCheckpoint(), WHOLE_TABLE))
    return run.read(PERSON_SAMPLES).select(F.col("sample_id").alias(ID), "person_id")


def _refuse_repeats(path: str, rows: DataFrame, n_columns: int) -> None:
    """Raise BadSamples naming people with several lines that differ."""
    values = F.struct(*(F.coalesce(value_column(number), F.lit("")) for number in range(n_columns)))
    different = rows.groupBy("person_id").agg(F.countDistinct(values).alias("n")).where("n > 1")
    some = [row.person_id for row in different.orderBy("person_id").take(_SHOWN + 1)]
    if some:
        raise BadSamples(
            f"{path}: persons have lines that differ, nothing was written: {shown(some)}; keep one of each"
        )


def _told(rows: DataFrame, codings: Mapping[str, Coding]) -> DataFrame:
    """Rows of ``phenotypes`` of everybody with a value."""
    cells = []
    for number, (column, coding) in enumerate(codings.items()):
        status, value = status_and_value(F.col(value_column(number)), coding)
        cells.append(
            F.struct(F.lit(column).alias("phenotype_id"), status.alias("status"), value.alias("value"))
        )
    return (
        rows.select("person_id", F.inline(F.array(*cells)))
        .where(F.col("status").isNotNull())
        .withColumns(
            {
                "reason": F.lit(None).cast("string"),
                "n_dates": F.lit(None).cast("int"),
                "first_date": F.lit(None).cast("date"),
            }
        )
    )


def _with_sex(run: Run, people: DataFrame) -> DataFrame:
    if not run.holds(OMOP_TABLES["person"].contract):
        return people.withColumn("sex", F.lit(None).cast("string"))
    known = sexes(run).withColumn("person_id", F.col("person_id").cast("string"))
    return people.join(known, "person_id", "left")


def _definition(column: str, coding: Coding, checksum: str) -> Definition:
    if coding.kind == BINARY_KIND:
        text = f"column {column} of a file: {coding.case:g} case, {coding.control:g} control"
    else:
        text = f"column {column} of a file: numbers"
    return Definition(column, coding.kind, column, None, None, BOTH_SEXES, NOT_ASSESSED, text, checksum)
