"""SHA-256 of files as they lie there, and whether they are whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from allofus_spark.bgzip import END_OF_FILE, HEAD_BYTES, refuse_cut
from allofus_spark.checksums import file_checksum, hadoop_checksum, listing_checksum
from allofus_spark.errors import BadSource
from allofus_spark.hadoop import hadoop_path


def checksum_of(path: str | Path) -> str:
    """SHA-256 of a local file, in hexadecimal; raises BadSource where it cannot be read."""
    try:
        return file_checksum(path)
    except OSError as error:
        raise BadSource(f"{path}: cannot be read: {error}") from None


def checksum_by_hadoop(spark: SparkSession, path: str) -> str:
    """SHA-256 of a file on any Hadoop file system; of a folder that of its files' sha256sum lines, by name.

    Raises BadSource where it cannot be read. Files of a folder that begin with a dot or an underscore are
    not looked at, as Spark does not read them.
    """
    try:
        file_system, place = hadoop_path(spark, path)
        if not file_system.getFileStatus(place).isDirectory():
            return hadoop_checksum(spark, file_system, place)
        return listing_checksum(
            (str(found.getPath().getName()), hadoop_checksum(spark, file_system, found.getPath()))
            for found in _files(file_system, place)
        )
    except Py4JJavaError as error:
        raise BadSource(f"{path}: cannot be read: {first_line(error)}") from None


def check_bgzip_ends(spark: SparkSession, path: str) -> None:
    """Raise BadSource where a bgzip file is cut, or cannot be read: a file, or those of a folder."""
    jvm: Any = spark._jvm
    read = jvm.org.apache.commons.io.IOUtils.toByteArray
    try:
        file_system, place = hadoop_path(spark, path)
        for found in _files(file_system, place):
            size = found.getLen()
            stream = file_system.open(found.getPath())
            try:
                head = read(stream, min(size, HEAD_BYTES))
                stream.seek(max(size - len(END_OF_FILE), 0))
                tail = read(stream, min(size, len(END_OF_FILE)))
            finally:
                stream.close()
            refuse_cut(str(found.getPath().toUri().getPath()), bytes(head), bytes(tail))
    except Py4JJavaError as error:
        raise BadSource(f"{path}: cannot be read: {first_line(error)}") from None


def _files(file_system: Any, place: Any) -> list[Any]:
    """The status of a file, or of those of a folder that Spark reads, by name."""
    files = {str(found.getPath().getName()): found for found in file_system.listStatus(place)}
    is_folder = file_system.getFileStatus(place).isDirectory()
    return [
        found
        for name, found in sorted(files.items())
        if not is_folder or (found.isFile() and name[0] not in "._")
    ]


def first_line(error: Exception) -> str:
    """What an error of Spark or Java says, without the trace."""
    java = getattr(error, "java_exception", None)
    return str(error if java is None else java.toString()).splitlines()[0]
