"""Lines of a delimited text file that people wrote: sample files and lists of ids."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from allofus_spark.errors import BadSource


def read_text(path: str | Path) -> str:
    """The whole file, a byte-order mark left out; raises BadSource where it is not there or not UTF-8."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSource(f"{path}: cannot be read as UTF-8 text: {error}") from None


def read_table(path: str | Path, needed: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header of a TSV or CSV, and its other lines that are not blank with their numbers.

    Raises BadSource where the file is empty, naming the column that is ``needed``.
    """
    text = read_text(path)
    first = text.partition("\n")[0].removesuffix("\r")
    if not first:
        raise BadSource(f"{path}: empty; it needs a header line with a column {needed}")
    rows = split_rows(text, "\t" if "\t" in first or "," not in first else ",")
    return rows[0][1], [(number, row) for number, row in rows[1:] if any(row)]


def split_rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Rows with the number of their (last) line. Quotes mean something in CSV alone.

    In a TSV an id may hold quotation marks, and only a line feed, with or without a carriage return before
    it, ends a line.

    >>> split_rows('a\\t"b"\\r\\nc', "\\t")
    [(1, ['a', '"b"']), (2, ['c'])]
    """
    if delimiter == ",":
        reader = csv.reader(io.StringIO(text, newline=""))
        return [(reader.line_num, row) for row in reader]
    lines = [line.removesuffix("\r").split(delimiter) for line in text.split("\n")]
    return list(enumerate(lines, 1))
