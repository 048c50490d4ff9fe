"""Cells of files of health records to values, or to the reason why a row is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    TimestampType,
)

from allofus_spark.hadoop import without_glob
from allofus_spark.phenotypes.omop_files import OmopFile, OmopSource
from allofus_spark.phenotypes.text_cells import BROKEN, NUMBER, read_cells_of_text
from allofus_spark.tables.omop_tables import (
    IMPOSSIBLE_DATE,
    MALFORMED,
    MISSING,
    NOT_A_DATE,
    NOT_A_NUMBER,
    OmopTable,
)
from allofus_spark.tables.person_tables import FIRST_YEAR

PROBLEM, SOURCE_FILE = "_problem", "_source_file"
_WRITTEN, _VALUE = "_written_", "_value_"
_VALUE_CHARACTERS = 100
_LAST_DAY_AS_NUMBER = 99991231
_LAST_YEAR = 2100
_NO_VALUE = ("", "NULL", "\\N", "NA")  # of numbers and dates; a text is empty or it is not
_BLANKS = " \t\r\n\u00a0\ufeff"
_WHOLE = r"^[+-]?\d{1,19}\.0+$"
_DATE = r"^(\d{4})(-?)(\d\d)\2(\d\d)(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:Z|UTC|[+-]\d\d:?\d\d)?)?$"


def read_cells(spark: SparkSession, source: OmopSource, columns: Mapping[str, str]) -> DataFrame:
    """Rows of a table's files as text, in the contract's columns, with their file and the line if broken."""
    # Text files with the same header are read together, as a folder may have thousands.
    groups: dict[OmopFile, list[str]] = {}
    for file in source.files:
        groups.setdefault(file._replace(path=""), []).append(file.path)
    frames = []
    for head, paths in groups.items():
        place = source.place(head, columns)
        if head.delimiter:
            raw = _read_text(spark, head, paths)
        else:
            raw = _read_parquet(spark, paths, _instants(source, place))
        cells = [
            (F.col(f"`{place[item.name]}`") if item.name in place else F.lit(None).cast("string")).alias(
                item.name
            )
            for item in source.table.contract.schema
        ]
        broken = F.col(BROKEN) if head.delimiter else F.lit(None).cast("string")
        frames.append(
            raw.select(*cells, F.col("_metadata.file_path").alias(SOURCE_FILE), broken.alias(BROKEN))
        )
    return reduce(DataFrame.unionByName, frames)


def _read_text(spark: SparkSession, head: OmopFile, paths: Sequence[str]) -> DataFrame:
    # A column without a name has one here, so that the rest keep their places.
    names = [name or f"_{number}" for number, name in enumerate(head.columns)]
    return read_cells_of_text(spark, paths, names, head.delimiter, quoted=head.quoted)


def _instants(source: OmopSource, place: Mapping[str, str]) -> set[str]:
    """The file's columns that are dates or times in the table."""
    schema = source.table.contract.schema
    return {place[item.name] for item in schema if item.name in place and _is_day(item)}


def _is_day(item: StructField) -> bool:
    return isinstance(item.dataType, DateType | TimestampType)


def _read_parquet(spark: SparkSession, paths: Sequence[str], instants: Collection[str]) -> DataFrame:
    """Values as text as CSV would have them.

    What pandas makes of columns is undone: whole numbers as floating ones, and times in nanoseconds, which
    Spark reads as numbers.
    """
    frame = spark.read.option("mergeSchema", "true").parquet(*map(without_glob, paths))
    cells = []
    for item in frame.schema:
        cell = F.col(f"`{item.name}`")
        text = cell.cast("string")
        if item.dataType.typeName() in ("double", "float"):
            whole = F.when((cell == F.floor(cell)) & (F.abs(cell) < 2**53), cell.cast("long").cast("string"))
            text = F.when(~F.isnan(cell), F.coalesce(whole, text))
        if item.dataType.typeName() == "long" and item.name.lower() in instants:
            is_instant = F.abs(cell) > _LAST_DAY_AS_NUMBER
            text = F.when(is_instant, F.timestamp_micros(F.floor(cell / 1000)).cast("string")).otherwise(text)
        cells.append(text.alias(item.name.lower()))
    return frame.select(*cells, F.col("_metadata"))


def judge_rows(
    cells: DataFrame, source: OmopSource, columns: Mapping[str, str], *, last_day: dt.date
) -> DataFrame:
    """Rows with the contract's types, and ``_problem`` (reason, column, value): null where there is none.

    A row has its first problem, in the order of columns. ``last_day`` is the last on which a record can be.
    """
    table, schema = source.table, source.table.contract.schema
    present = {name for file in source.files for name in source.place(file, columns)}
    # Of the vocabulary less is held against its source: concepts without a name are about.
    required = {*table.needed, *(present & set(table.required) if "person_id" in schema.names else ())}
    # In steps, as try_cast takes the name of a column.
    texts = {item.name: _trimmed(item) for item in schema}
    written = {_WRITTEN + item.name: _written(item) for item in schema}
    cast = {
        _VALUE + item.name: F.expr(f"try_cast(`{_WRITTEN}{item.name}` AS {item.dataType.simpleString()})")
        for item in schema
    }
    rows = cells.withColumns(texts).withColumns(written).withColumns(cast)
    problems = [F.when(F.col(BROKEN).isNotNull(), problem_of(MALFORMED, "", F.col(BROKEN)))]
    for item in schema:
        problems += _problems_of(item, table, is_required=item.name in required, last_day=last_day)
    values = [F.col(_VALUE + name).alias(name) for name in schema.names]
    return rows.select(*values, SOURCE_FILE, F.coalesce(*problems).alias(PROBLEM))


def _trimmed(item: StructField) -> Column:
    """The text without blanks around; null where nothing is left, or what stands for nothing."""
    text = F.btrim(item.name, F.lit(_BLANKS))
    nothing = ("",) if isinstance(item.dataType, StringType) else _NO_VALUE
    return F.when(~text.isin(*nothing), text)


def _written(item: StructField) -> Column:
    """The text as SQL casts it; null where it is no value of the type."""
    text = F.col(item.name)
    if isinstance(item.dataType, StringType):
        return text
    if isinstance(item.dataType, LongType | IntegerType):
        # What pandas writes of a column with gaps: 8532.0.
        return F.when(
            text.endswith("0") & text.rlike(_WHOLE), F.regexp_replace(text, r"\.0+$", "")
        ).otherwise(text)
    if isinstance(item.dataType, DoubleType):
        return F.when(text.rlike(NUMBER), text)
    if isinstance(item.dataType, TimestampType):
        plain = F.regexp_replace(text, r"^(\d{4})(\d\d)(\d\d)", "$1-$2-$3")
        return F.when(text.rlike(_DATE), F.when(_has_dashes(text), text).otherwise(plain))
    plain = F.regexp_replace(text, _DATE, "$1-$3-$4")
    return F.when(text.rlike(_DATE), F.when(_has_dashes(text), F.substring(text, 1, 10)).otherwise(plain))


def _has_dashes(text: Column) -> Column:
    return F.substring(text, 5, 1) == "-"


def _problems_of(
    item: StructField, table: OmopTable, *, is_required: bool, last_day: dt.date
) -> Iterator[Column]:
    """What can be wrong with a column's cell: not of its type, no possible day, or empty."""
    text, value = F.col(item.name), F.col(_VALUE + item.name)
    if not isinstance(item.dataType, StringType):
        reason = NOT_A_DATE if _is_day(item) else NOT_A_NUMBER
        yield F.when(text.isNotNull() & value.isNull(), problem_of(reason, item.name, text))
    if isinstance(item.dataType, DoubleType):
        yield F.when(F.abs(value) == float("inf"), problem_of(NOT_A_NUMBER, item.name, text))
    if isinstance(item.dataType, DateType) and table.of_people:
        last = last_day if item.name == table.day else dt.date(_LAST_YEAR, 12, 31)
        outside = (value < F.lit(dt.date(FIRST_YEAR, 1, 1))) | (value > F.lit(last))
        yield F.when(outside, problem_of(IMPOSSIBLE_DATE, item.name, text))
    if item.name == "year_of_birth":
        outside = ~value.between(FIRST_YEAR, last_day.year)
        yield F.when(outside, problem_of(IMPOSSIBLE_DATE, item.name, text))
    if is_required:
        yield F.when(text.isNull(), problem_of(MISSING, item.name, F.lit("")))


def problem_of(reason: str, column: str, value: Column) -> Column:
    return F.struct(
        F.lit(reason).alias("reason"),
        F.lit(column).alias("column"),
        F.substring(value, 1, _VALUE_CHARACTERS).alias("value"),
    )
