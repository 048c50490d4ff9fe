"""Source files: what a path, glob or folder stands for, and byte streams of any Hadoop file system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import unquote, urlparse

from pyspark.sql import SparkSession

from allofus_spark.errors import BadSource

_VCF_ENDINGS = (".vcf", ".vcf.gz", ".vcf.bgz", ".vcf.bgzf")


@dataclass(frozen=True)
class SourceFile:
    """One file to ingest. ``uri`` is as Hadoop spells it; ``local`` is its path where workers can open it."""

    uri: str
    size: int

    @property
    def local(self) -> str | None:
        parts = urlparse(self.uri)
        return unquote(parts.path) if parts.scheme == "file" else None

    @property
    def path(self) -> str:
        """The name that messages and tables show."""
        return self.local or self.uri


def list_sources(spark: SparkSession, sources: Sequence[str]) -> list[SourceFile]:
    """The files that paths, globs and folders stand for, in path order, each once.

    A folder stands for the VCF files right inside it. Raises BadSource naming what matches nothing.
    """
    found: dict[str, SourceFile] = {}
    for source in sources:
        matched = _expand(spark, source)
        if not matched:
            raise BadSource(f"{source}: no such file, or a folder or pattern without VCF files")
        found |= {file.uri: file for file in matched}
    return [found[uri] for uri in sorted(found)]


def _expand(spark: SparkSession, source: str) -> list[SourceFile]:
    jvm: Any = spark._jvm
    configuration = spark._jsc.hadoopConfiguration()  # type: ignore[attr-defined]
    path = jvm.org.apache.hadoop.fs.Path(source)
    file_system = path.getFileSystem(configuration)
    # A name that exists is itself, even where it holds glob characters.
    if file_system.exists(path):
        statuses = [file_system.getFileStatus(path)]
    else:
        statuses = list(file_system.globStatus(path) or [])
    files = []
    for status in statuses:
        if status.isDirectory():
            inside = [item for item in file_system.listStatus(status.getPath()) if item.isFile()]
            files += [item for item in inside if item.getPath().getName().lower().endswith(_VCF_ENDINGS)]
        else:
            files.append(status)
    return [SourceFile(item.getPath().toUri().toString(), int(item.getLen())) for item in files]


class HadoopStream:
    """A file of any Hadoop file system, read on the driver through the JVM; for headers, not for data."""

    def __init__(self, spark: SparkSession, file: SourceFile) -> None:
        self._jvm: Any = spark._jvm
        path = self._jvm.org.apache.hadoop.fs.Path(file.uri)
        configuration = spark._jsc.hadoopConfiguration()  # type: ignore[attr-defined]
        self._stream = path.getFileSystem(configuration).open(path)
        self._size = file.size

    def read(self, size: int, /) -> bytes:
        wanted = min(size, self._size - int(self._stream.getPos()))
        if wanted <= 0:
            return b""
        return bytes(self._jvm.org.apache.commons.io.IOUtils.toByteArray(self._stream, wanted))

    def seek(self, offset: int, /) -> int:
        self._stream.seek(offset)
        return offset

    def __enter__(self) -> HadoopStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def open_stream(spark: SparkSession, file: SourceFile) -> BinaryIO | HadoopStream:
    """A stream of a file's bytes on the driver."""
    return open(file.local, "rb") if file.local else HadoopStream(spark, file)
