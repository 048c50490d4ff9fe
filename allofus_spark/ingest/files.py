"""Source files: what a path, glob or folder stands for, and byte streams of any Hadoop file system."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from allofus_spark.errors import BadSource, shown
from allofus_spark.hadoop import hadoop_path

_ENDINGS = (".vcf", ".vcf.gz", ".vcf.bgz", ".vcf.bgzf", ".bed", ".pgen", ".bgen")
_LOCAL = "file:"


@dataclass(frozen=True)
class SourceFile:
    """One file to ingest. ``uri`` is a Hadoop path as text; ``local`` is for files that workers can open."""

    uri: str
    size: int

    @property
    def local(self) -> str | None:
        return re.sub("^/+", "/", self.uri.removeprefix(_LOCAL)) if self.uri.startswith(_LOCAL) else None

    @property
    def path(self) -> str:
        """The name that messages and tables show."""
        return self.local or self.uri


def list_sources(spark: SparkSession, sources: Sequence[str]) -> list[SourceFile]:
    """The files that paths, globs and folders stand for, in path order, each once.

    A folder stands for the VCF, .bed, .pgen and BGEN files right inside it. Raises BadSource naming what
    matches nothing, cannot be listed, or is a broken link (a shard left out would miss from every count), and
    where some files are local and some are not.
    """
    if not sources:
        raise BadSource("no source files were named; give files, folders or patterns")
    found: dict[str, SourceFile] = {}
    for source in sources:
        with java_errors(source, "cannot be listed"):
            matched = _expand(spark, source)
        if not matched:
            raise BadSource(
                f"{source}: no such file, or a folder or pattern without VCF, .bed, .pgen or .bgen files"
            )
        found |= {file.path: file for file in matched}
    special = [path for path, file in found.items() if file.local and not os.path.isfile(path)]
    if special:
        raise BadSource(f"{shown(special)}: not a regular file (a pipe?); write the VCF to a file first")
    elsewhere = [path for path, file in found.items() if file.local is None]
    if 0 < len(elsewhere) < len(found):
        raise BadSource(
            f"{len(elsewhere)} of {len(found)} source files are not on the local file system: "
            f"{shown(elsewhere)}; copy all to one file system"
        )
    return [found[path] for path in sorted(found)]


def _expand(spark: SparkSession, source: str) -> list[SourceFile]:
    file_system, path = hadoop_path(spark, source)
    # A name that exists is itself, even where it holds glob characters.
    if file_system.exists(path):
        statuses = [file_system.getFileStatus(path)]
    else:
        statuses = list(file_system.globStatus(path) or [])
    files = []
    for status in statuses:
        if status.isDirectory():
            inside = [item for item in file_system.listStatus(status.getPath()) if item.isFile()]
            names = {item.getPath().getName() for item in inside}
            files += [item for item in inside if _is_source_among(item.getPath().getName(), names)]
            _refuse_broken_links(str(status.getPath().toString()))
        else:
            files.append(status)
    return [SourceFile(item.getPath().toString(), int(item.getLen())) for item in files]


def _is_source_among(name: str, names: set[str]) -> bool:
    """Whether a file of a folder is a source; a .bed without .bim is a list of regions."""
    return _is_source(name) and (not name.endswith(".bed") or f"{name.removesuffix('.bed')}.bim" in names)


def _is_source(name: str) -> bool:
    return name.lower().endswith(_ENDINGS)


def _refuse_broken_links(folder: str) -> None:
    """Hadoop leaves a link whose target is gone out of a listing, without a word."""
    local = SourceFile(folder, 0).local
    if local is None:
        return
    names = [name for name in sorted(os.listdir(local)) if _is_source(name)]
    broken = [name for name in names if not os.path.exists(os.path.join(local, name))]
    if broken:
        raise BadSource(f"{local}: {len(broken)} of its files are links to nothing: {shown(broken)}")


@contextmanager
def java_errors(source: str, problem: str) -> Iterator[None]:
    """Turn errors of a file system into BadSource with its reason."""
    try:
        yield
    except Py4JJavaError as error:
        reason = str(error.java_exception.toString()).splitlines()[0]
        raise BadSource(f"{source}: {problem}: {reason}") from None
    except (PySparkException, OSError) as error:
        reason = str(error).splitlines()[0]
        if "URISyntaxException" in reason:
            reason += ". A file with a colon in its name must be named by its absolute path, not by a pattern"
        raise BadSource(f"{source}: {problem}: {reason}") from None


class HadoopStream:
    """A file of any Hadoop file system, read on the driver through the JVM; for headers, not for data."""

    def __init__(self, spark: SparkSession, file: SourceFile) -> None:
        self._jvm: Any = spark._jvm
        file_system, path = hadoop_path(spark, file.uri)
        self._stream = file_system.open(path)
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


@contextmanager
def open_stream(spark: SparkSession, file: SourceFile) -> Iterator[BinaryIO | HadoopStream]:
    """A stream of a file's bytes on the driver; raises BadSource where it cannot be read."""
    with (
        java_errors(file.path, "cannot be read"),
        open(file.local, "rb") if file.local else HadoopStream(spark, file) as stream,
    ):
        yield stream
