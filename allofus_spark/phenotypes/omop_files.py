"""Which files hold which table of the CDM, and how they write it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from allofus_spark.delimited import refuse_repeated
from allofus_spark.errors import BadSource, shown
from allofus_spark.hadoop import hadoop_path, without_glob
from allofus_spark.phenotypes.unreadable import first_cause
from allofus_spark.tables import OMOP_TABLES, OmopTable

_NAME = re.compile(r"(?i)^(?:omop_|cdm_)?([a-z_]+?)((?:\.(?:csv|tsv|txt|gz|bgz|bz2|parquet|snappy|zstd))*)$")
_TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".csv.bz2")
_HEADER_BYTES = 1 << 20


class OmopFile(NamedTuple):
    """A file, and the columns that it has, in lower case and in its order.

    ``delimiter`` is empty of Parquet; ``quoted`` says whether quotation marks mean something.
    """

    path: str
    columns: tuple[str, ...]
    delimiter: str = ""
    quoted: bool = True


@dataclass(frozen=True)
class OmopSource:
    """The files of one table."""

    table: OmopTable
    files: Sequence[OmopFile]

    def place(self, file: OmopFile, columns: Mapping[str, str]) -> dict[str, str]:
        """The file's name of each column of the table that it has; ``columns`` are names that a user gave."""
        place = {}
        for name in self.table.contract.schema.names:
            names = (columns.get(name, name).lower(), self.table.older_names.get(name, name))
            for other in names:
                if other in file.columns:
                    place[name] = other
                    break
        return place


def find_sources(spark: SparkSession, paths: Sequence[str]) -> tuple[list[OmopSource], list[str]]:
    """Sources by table, in the CDM's order, and names in the folders given that are of no known table.

    A path is a file or folder named for a table, or a folder of such. Raises BadSource for a path that is not
    there, a file of no table, a table that is given twice, and headers that cannot be read.
    """
    found: dict[str, list[str]] = {}
    others: list[str] = []
    for path in paths:
        file_system, parsed = hadoop_path(spark, path)
        if not file_system.exists(parsed):
            raise BadSource(f"{path} is not there")
        name = table_of(parsed.getName())
        if name is not None:
            found.setdefault(name, []).append(path)
        elif file_system.getFileStatus(parsed).isDirectory():
            for item in _entries(file_system, parsed):
                inner = table_of(item.getName())
                if inner is None:
                    others.append(item.getName())
                else:
                    found.setdefault(inner, []).append(item.toString())
        else:
            raise BadSource(
                f"{path}: the name of a file tells its table, such as person.csv or "
                f"CONDITION_OCCURRENCE.parquet; the tables are {', '.join(OMOP_TABLES)}"
            )
    if twice := [f"{name}: {', '.join(places)}" for name, places in found.items() if len(places) > 1]:
        raise BadSource(f"a table comes from one file or folder: {shown(twice)}; give one of each")
    if not found:
        raise BadSource(
            f"{shown(list(paths))}: no table of the CDM in it; {', '.join(OMOP_TABLES)} are known"
        )
    sources = [
        OmopSource(table, _files(spark, found[name][0]))
        for name, table in OMOP_TABLES.items()
        if name in found
    ]
    return sources, sorted(others)


def table_of(name: str) -> str | None:
    """The table that a file or folder is named for.

    >>> table_of("CONDITION_OCCURRENCE.csv.gz"), table_of("omop_person"), table_of("notes.csv")
    ('condition_occurrence', 'person', None)
    """
    found = _NAME.match(name)
    table = found.group(1).lower() if found else ""
    return table if table in OMOP_TABLES else None


def _entries(file_system: Any, folder: Any) -> list[Any]:
    """What lies in a folder and is no mark of Hadoop's, by name."""
    paths = [item.getPath() for item in file_system.listStatus(folder)]
    return sorted(
        (path for path in paths if not path.getName().startswith(("_", "."))), key=lambda path: path.getName()
    )


def _files(spark: SparkSession, path: str) -> list[OmopFile]:
    """The parts of one table: text files, each with its header; Parquet as one."""
    file_system, parsed = hadoop_path(spark, path)
    parts = list(_parts(file_system, parsed))
    if not parts:
        raise BadSource(f"{path}: no files in it")
    text = [part for part in parts if part.getName().lower().endswith(_TEXT_ENDINGS)]
    if len(text) not in (0, len(parts)):
        names = [part.getName() for part in parts if part not in text]
        raise BadSource(f"{path}: text files beside others: {shown(names)}; keep one kind")
    if text:
        return [_text_file(file_system, part) for part in text]
    try:
        schema = spark.read.option("mergeSchema", "true").parquet(without_glob(path)).schema
    except (PySparkException, Py4JJavaError) as error:  # Spark gives some of Java's errors a class of its own
        raise BadSource(
            f"{path}: cannot be read as Parquet, CSV or CSV.gz: {first_cause(error)}; copy it again"
        ) from None
    return [OmopFile(path, tuple(name.lower() for name in schema.names))]


def _parts(file_system: Any, path: Any) -> Iterator[Any]:
    if not file_system.getFileStatus(path).isDirectory():
        yield path
        return
    for item in _entries(file_system, path):
        yield from _parts(file_system, item)


def _text_file(file_system: Any, path: Any) -> OmopFile:
    line = _first_line(file_system, path)
    if not line.strip():
        raise BadSource(f"{path}: its first line is blank; a header with the names of columns is needed")
    delimiter = "\t" if "\t" in line else ","
    quoted = delimiter == "," or '"' in line
    row = next(csv.reader([line], delimiter=delimiter)) if quoted else line.split(delimiter)
    columns = tuple(name.strip().lower() for name in row)
    refuse_repeated(path, [name for name in columns if name])
    return OmopFile(path.toString(), columns, delimiter, quoted)


def _first_line(file_system: Any, path: Any) -> str:
    """The header of a text file, whatever compresses it, without a byte-order mark."""
    jvm: Any = SparkSession.active()._jvm
    factory = jvm.org.apache.hadoop.io.compress.CompressionCodecFactory(file_system.getConf())
    stream = file_system.open(path)
    try:
        codec = factory.getCodec(path)
        source = codec.createInputStream(stream) if codec else stream
        reader = jvm.java.io.BufferedReader(jvm.java.io.InputStreamReader(source, "UTF-8"), _HEADER_BYTES)
        line = reader.readLine()
    except Py4JJavaError as error:
        raise BadSource(f"{path}: cannot be read: {first_cause(error)}; copy it again") from None
    finally:
        stream.close()
    return str(line or "").removeprefix("﻿")
