"""Lines of a delimited text file that people wrote: files of samples and persons, and lists of ids."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from allofus_spark.errors import BadSamples, BadSource, shown


def read_text(path: str | Path) -> str:
    """The whole file, a byte-order mark left out; raises BadSource where it is not there or not UTF-8."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSource(f"{path}: cannot be read as UTF-8 text: {error}") from None


def split_rows(text: str, delimiter: str, path: str | Path = "text") -> list[tuple[int, list[str]]]:
    """Rows with the number of their (last) line; see `iterate_rows`.

    >>> split_rows('a\\t"b"\\r\\nc', "\\t")
    [(1, ['a', '"b"']), (2, ['c'])]
    """
    return list(iterate_rows(text, delimiter, path))


def iterate_rows(text: str, delimiter: str, path: str | Path = "text") -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of their (last) line, one after the other. Quotes mean something in CSV alone.

    In a TSV an id may hold quotation marks, and only a line feed, with or without a carriage return before
    it, ends a line. Raises BadSource where a quotation mark of a CSV is not closed or stands within a field.
    """
    if delimiter == ",":
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            raise BadSource(
                f"{path}: line {reader.line_num} cannot be read as CSV: {error}; put a field with a comma "
                'or a quotation mark between two ", and write the mark within it twice'
            ) from None
        return
    for number, line in enumerate(text.split("\n"), 1):
        yield number, line.removesuffix("\r").split(delimiter)


def read_table(path: str | Path, id_column: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Header of a TSV or CSV, and its other lines that are not blank, with their numbers.

    Raises BadSource where there is no header, or it is no CSV; it should have ``id_column``.
    """
    text = read_text(path)
    first = text.partition("\n")[0].removesuffix("\r")
    if not first:
        raise BadSource(f"{path}: empty; it needs a header line with a column {id_column}")
    rows = iterate_rows(text, "\t" if "\t" in first or "," not in first else ",", path)
    _, header = next(rows)
    return header, ((number, row) for number, row in rows if any(row))


def column_places(path: str | Path, header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Where each of ``columns``, the file's name by ours, stands; those that the file lacks are left out.

    Raises BadSamples where one stands there twice: which is meant cannot be told.
    """
    present = {name: column for name, column in columns.items() if column in header}
    if twice := sorted({column for column in present.values() if header.count(column) > 1}):
        raise BadSamples(f"{path}: several columns are called {shown(twice)}; rename all but one of each")
    return {name: header.index(column) for name, column in present.items()}
