"""Tables of phenotypes as files: their ids, their columns, and what the values of each are."""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource, shown
from allofus_spark.hadoop import without_glob
from allofus_spark.phenotypes.caching import Keep
from allofus_spark.phenotypes.text_cells import BROKEN, NUMBER, read_cells_of_text
from allofus_spark.tables import Warehouse

ID = "_id"
PERSON, SAMPLE = "person", "sample"
MISSING_CODE = -9.0
_PERSON_IDS, _SAMPLE_IDS = ("person_id",), ("sample_id", "iid", "#iid", "sample")
_FAMILY_IDS = ("fid", "#fid")
_MISSING = ("", "na", "nan", ".", "null", "none")
_MOST = 1e150  # squares of greater numbers have no sum
_SMALL = (0.0, 1.0, 2.0)
_SHOWN = 5


class PhenotypeFile(NamedTuple):
    """Rows of a file: ``_id``, and its columns as text in ``value_column(0)`` and on.

    ``not_used`` are columns without a name, and of ids beside the one that counts.
    """

    cells: DataFrame
    ids_of: str
    columns: list[str]
    not_used: list[str]


class Shape(NamedTuple):
    """What the values of a column are: −9, texts that are no number, which of 0, 1 and 2, and others."""

    n_minus_9: int
    n_texts: int
    texts: list[str]
    small: tuple[float, ...]
    n_others: int


def value_column(number: int) -> str:
    """The name under which a file's column stands."""
    return f"_v{number}"


def number_of(text: Column) -> Column:
    """The number of a text; null where it is none, or so great that nothing can be counted with it."""
    number = F.when(text.rlike(NUMBER), text).cast("double")
    return F.when(F.abs(number) <= _MOST, number)


def is_missing(text: Column) -> Column:
    """Whether a cell is empty, or says that nothing is known."""
    return text.isNull() | F.lower(text).isin(*_MISSING)


def shapes_of(cells: DataFrame, n_columns: int) -> list[Shape]:
    """What each column holds, in one pass."""
    aggregates = []
    for number in range(n_columns):
        text = F.col(value_column(number))
        value = number_of(text)
        is_text, is_code = ~is_missing(text) & value.isNull(), value == MISSING_CODE
        some = F.collect_set(F.when(is_text, F.substring(text, 1, 40)))
        shape = F.struct(
            F.count(F.when(is_code, 1)),
            F.count(F.when(is_text, 1)),
            F.slice(F.array_sort(some), 1, _SHOWN),
            F.array_sort(F.collect_set(F.when(value.isin(*_SMALL), value))),
            F.count(F.when(~is_code & ~value.isin(*_SMALL), 1)),
        )
        aggregates.append(shape.alias(value_column(number)))
    row = cells.agg(*aggregates).first()
    assert row is not None
    return [
        Shape(minus, n_texts, list(texts), tuple(small), others)
        for minus, n_texts, texts, small, others in row
    ]


def read_phenotype_file(warehouse: Warehouse, path: str, keep: Keep) -> PhenotypeFile:
    """Read a TSV, a CSV, or a table with blanks between; its header names the ids and the phenotypes.

    Raises BadSource where it has no column of ids, none of a phenotype, or lines of another length.
    """
    line = _first_line(path)
    if not line.strip():
        raise BadSource(
            f"{path}: its first line is blank; it needs a header with person_id, sample_id or IID"
        )
    delimiter = "\t" if "\t" in line else "," if "," in line else None
    header = next(csv.reader([line], delimiter=delimiter)) if delimiter else line.split()
    header = [cell.strip() for cell in header]
    lower = [cell.lower() for cell in header]
    ids = [cell for cell in lower if cell in (*_PERSON_IDS, *_SAMPLE_IDS)]
    if not ids:
        raise BadSource(f"{path}: no column person_id, sample_id or IID; it has {', '.join(header)}")
    columns = [
        cell for cell, small in zip(header, lower, strict=True) if small not in (*ids, *_FAMILY_IDS) and cell
    ]
    if twice := sorted({column for column in header if lower.count(column.lower()) > 1}):
        raise BadSource(f"{path}: several columns are called {shown(twice)}; rename all but one of each")
    if not columns:
        raise BadSource(f"{path}: no column of a phenotype beside the ids")
    raw = _rows(warehouse, path, len(header), delimiter, " ".join(header))
    places = {cell: place for place, cell in enumerate(header)}
    found = [F.trim(F.col(f"_{places[column]}")).alias(value_column(n)) for n, column in enumerate(columns)]
    id_cell = F.trim(F.col(f"_{lower.index(ids[0])}")).alias(ID)
    ids_of = PERSON if ids[0] in _PERSON_IDS else SAMPLE
    not_used = [*ids[1:], *(f"number {place + 1} (no name)" for place, cell in enumerate(header) if not cell)]
    return PhenotypeFile(keep(raw.select(id_cell, *found)), ids_of, columns, not_used)


def _first_line(path: str) -> str:
    try:
        with Path(path).open("rb") as raw:
            is_gzip = raw.read(2) == b"\x1f\x8b"
        if is_gzip and not path.endswith(".gz"):
            raise BadSource(f"{path} is gzip, and Spark knows such by its name: let it end in .gz")
        opened = gzip.open if is_gzip else open
        with opened(path, "rt", encoding="utf-8-sig") as file:
            return file.readline().rstrip("\r\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadSource(f"{path}: cannot be read as UTF-8 text: {error}") from None


def _rows(warehouse: Warehouse, path: str, n_columns: int, delimiter: str | None, header: str) -> DataFrame:
    """Lines but the header as columns _0, _1, ...; raises BadSource naming lines that have others."""
    spark, place = warehouse.spark, str(Path(path).absolute())
    names = [f"_{number}" for number in range(n_columns)]
    if delimiter is None:
        # The first line, as it was read to know the columns, is not one of them.
        line = F.trim(F.regexp_replace("value", r"\s+", " "))
        lines = (
            spark.read.text(without_glob(place))
            .select(line.alias("line"))
            .where((line != "") & (line != header))
        )
        cells = lines.select(F.split("line", " ").alias("cells"), "line")
        rows = cells.select(
            *(F.get("cells", F.lit(number)).alias(name) for number, name in enumerate(names)),
            F.when(F.size("cells") != n_columns, F.col("line")).alias(BROKEN),
        )
    else:
        rows = read_cells_of_text(spark, [place], names, delimiter, quoted=delimiter == ",")
    broken = rows.where(F.col(BROKEN).isNotNull()).select(BROKEN).take(_SHOWN + 1)
    if broken:
        raise BadSource(
            f"{path}: lines with more or fewer cells than the header's {n_columns}: "
            f"{shown([row[0] for row in broken])}"
        )
    return rows.select(*names)
