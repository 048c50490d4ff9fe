"""Cells of delimited text as Spark reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pyspark.sql import DataFrame, SparkSession

from allofus_spark.hadoop import without_glob

# A number as people and programs write it, in the regular expressions of Java.
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
BROKEN = "_broken"


def read_cells_of_text(
    spark: SparkSession, paths: Sequence[str], names: Sequence[str], delimiter: str, *, quoted: bool
) -> DataFrame:
    """Lines after the header as text by column, and ``BROKEN``: the line if it has more or fewer cells.

    To be read within `every_cell_read`. ``quoted``: quotation marks mean something, and stand twice within.
    """
    schema = ", ".join(f"`{name}` string" for name in [*names, BROKEN])
    quote = '"' if quoted else ""
    reader = spark.read.schema(schema).options(
        header=True,
        sep=delimiter,
        quote=quote,
        escape=quote,
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=BROKEN,
        enforceSchema=True,
        maxCharsPerColumn=-1,
    )
    return reader.csv([without_glob(path) for path in paths])


@contextmanager
def every_cell_read(spark: SparkSession) -> Iterator[None]:
    """Let Spark count the cells of each row of text, and not try what fails.

    A parser that leaves out columns does not see that a row has too many or too few; rows of 20 checked cells
    are more than one method of Java can hold; and pandas writes nanoseconds, which Spark reads if it must.
    """
    wanted = {
        "spark.sql.csv.parser.columnPruning.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.legacy.parquet.nanosAsLong": "true",
    }
    before = {name: spark.conf.get(name) for name in wanted}
    for name, value in wanted.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, former in before.items():
            spark.conf.set(name, former or "true")
