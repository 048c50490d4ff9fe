"""Lines of a delimited text file that people wrote: files of samples and persons, and lists of ids."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from allofus_spark.errors import AllofusError, BadSamples, BadSource, shown
from allofus_spark.hadoop import is_uri, read_bytes

_GZIP = b"\x1f\x8b"


def read_text(path: str | Path) -> str:
    """The whole file, inflated where it is gzip, a byte-order mark left out; a URI is read through Hadoop.

    Raises BadSource where it is not there, not UTF-8, or its lines end in a carriage return alone.
    """
    try:
        content = _content(str(path))
        text = (gzip.decompress(content) if content.startswith(_GZIP) else content).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadSource(f"{path}: cannot be read as UTF-8 text: {error}") from None
    if "\r" in text and "\n" not in text:
        raise BadSource(f"{path}: its lines end in a carriage return alone; save it with line feeds")
    return text


def _content(path: str) -> bytes:
    if not is_uri(path):
        return Path(path).read_bytes()
    session = SparkSession.getActiveSession()
    if session is None:
        raise OSError("it is read through Spark, and no session runs here")
    return read_bytes(session, path)


def split_rows(path: str | Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Rows with the number of their (last) line; see `iterate_rows`.

    >>> split_rows("a.tsv", 'a\\t"b"\\r\\nc', "\\t")
    [(1, ['a', '"b"']), (2, ['c'])]
    """
    return list(iterate_rows(path, text, delimiter))


def iterate_rows(path: str | Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of their (last) line, one after the other. Quotes mean something in CSV alone.

    In a TSV an id may hold quotation marks, and only a line feed, with or without a carriage return before
    it, ends a line. Raises BadSource where a quotation mark of a CSV is not closed, or stands within a cell.
    """
    if delimiter == ",":
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        first = 1
        try:
            for row in reader:
                yield reader.line_num, row
                first = reader.line_num + 1
        except csv.Error as error:
            raise BadSource(
                f"{path}: the row that begins on line {first} cannot be read as CSV: {error}; look for a "
                "quotation mark that is not closed, or not written twice within a cell"
            ) from None
        return
    for number, line in enumerate(text.split("\n"), 1):
        yield number, line.removesuffix("\r").split(delimiter)


def read_table(path: str | Path, id_column: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Header of a TSV or CSV, and its other lines that are not blank, with their numbers.

    Blanks around names of the header are left out. Raises BadSource where there is no header; it should
    have ``id_column``.
    """
    text = read_text(path)
    first = text.partition("\n")[0].removesuffix("\r")
    if not first:
        what = "its first line is blank" if text else "empty"
        raise BadSource(f"{path}: {what}; it needs a header line with a column {id_column}")
    rows = iterate_rows(path, text, "\t" if "\t" in first or "," not in first else ",")
    _, header = next(rows)
    return [name.strip() for name in header], ((number, row) for number, row in rows if any(row))


def places_of(
    path: str | Path,
    header: Sequence[str],
    names: Sequence[str],
    columns: Mapping[str, str],
    needed: Sequence[str],
) -> dict[str, int]:
    """Where each of ``names`` stands that a file has; ``columns`` are the file's names where they differ.

    Raises BadSamples where ``columns`` has a name that is not among ``names``, the file lacks one of it or
    of ``needed``, or has one twice.
    """
    if unknown := [name for name in columns if name not in names]:
        raise BadSamples(f"--column {shown(unknown)}: the names are {', '.join(names)}")
    wanted = {name: columns.get(name, name) for name in names}
    absent = [name for name in dict.fromkeys((*needed, *columns)) if wanted[name] not in header]
    if absent:
        raise BadSamples(
            f"{path}: no column for {shown(absent)}; the file has: {', '.join(header)}. "
            f"Name the file's column with --column {needed[0]}=NAME."
        )
    present = {name: column for name, column in wanted.items() if column in header}
    refuse_repeated(path, [column for column in header if column in present.values()], BadSamples)
    return {name: header.index(column) for name, column in present.items()}


def refuse_repeated(path: object, names: Sequence[str], error: type[AllofusError] = BadSource) -> None:
    """Raise ``error`` where several columns of a file have one name."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise error(f"{path}: several columns are called {shown(twice)}; rename all but one of each")
