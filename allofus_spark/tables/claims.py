"""Claim files of runs that want to work in a warehouse, on any file system.

No step is asked of the store but those that every one has: write a file, list a folder, read, delete. Ages
are told by the store's own clock: the time of another's file beside that of one's own fresh one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, Protocol

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from allofus_spark.hadoop import hadoop_path

FOLDER = "_lease"
_SUFFIX = ".json"


class Claims(Protocol):
    """The claim files of one warehouse, by name."""

    folder: str

    def put(self, name: str, text: str) -> None:
        """Write a claim."""
        ...

    def renew(self, name: str, text: str) -> bool:
        """Make a claim as fresh as if it were written now; False where somebody has removed it.

        On an object store a claim that is removed in this very moment is written anew: list afterwards.
        """
        ...

    def times(self) -> dict[str, float]:
        """All claims, with the second in which each was last written."""
        ...

    def read(self, name: str) -> str | None:
        """Content of a claim; None where there is none."""
        ...

    def remove(self, name: str) -> None:
        """Remove a claim; no error where there is none."""
        ...


def claims_of(spark: SparkSession, root: str) -> Claims:
    """The claims of the warehouse at ``root``; a local folder is reached without the JVM."""
    return claims_at(spark, f"{root}/{FOLDER}")


def claims_at(spark: SparkSession, folder: str) -> Claims:
    """The claims in a folder."""
    file_system, path = hadoop_path(spark, folder)
    uri = file_system.makeQualified(path).toUri()
    return LocalClaims(str(uri.getPath())) if uri.getScheme() == "file" else HadoopClaims(spark, folder)


class LocalClaims:
    """Claims in a local folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def put(self, name: str, text: str) -> None:
        os.makedirs(self.folder, exist_ok=True)
        with open(self._path(name), "w", encoding="utf-8") as stream:
            stream.write(text)

    def renew(self, name: str, text: str) -> bool:
        try:
            with open(self._path(name), "r+", encoding="utf-8") as stream:  # makes no file
                if stream.read() != text:  # what is not written needs no room on a full disk
                    stream.seek(0)
                    stream.write(text)
                    stream.truncate()
            os.utime(self._path(name))
        except FileNotFoundError:
            return False
        return True

    def times(self) -> dict[str, float]:
        times = {}
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # gone since it was listed
                    if entry.name.endswith(_SUFFIX):
                        times[entry.name.removesuffix(_SUFFIX)] = entry.stat().st_mtime
        return times

    def read(self, name: str) -> str | None:
        try:
            with open(self._path(name), encoding="utf-8", errors="replace") as stream:
                return stream.read()
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.remove(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self.folder}/{name}{_SUFFIX}"


class HadoopClaims:
    """Claims on HDFS or in an object store."""

    def __init__(self, spark: SparkSession, folder: str) -> None:
        self.folder = folder
        self._jvm: Any = spark._jvm
        self._file_system, self._folder = hadoop_path(spark, folder)

    def put(self, name: str, text: str) -> None:
        stream = self._file_system.create(self._path(name), True)
        try:
            stream.write(bytearray(text.encode()))
        finally:
            stream.close()

    def renew(self, name: str, text: str) -> bool:
        # Hadoop's setTimes wants a time of this machine's clock, and object stores have none.
        if not self._file_system.exists(self._path(name)):
            return False
        self.put(name, text)
        return True

    def times(self) -> dict[str, float]:
        if not self._file_system.exists(self._folder):
            return {}
        items = self._file_system.listStatus(self._folder)
        times = {str(item.getPath().getName()): item.getModificationTime() / 1000 for item in items}
        return {name.removesuffix(_SUFFIX): at for name, at in times.items() if name.endswith(_SUFFIX)}

    def read(self, name: str) -> str | None:
        path = self._path(name)
        try:
            stream = self._file_system.open(path)
        except Py4JJavaError:
            if self._file_system.exists(path):
                raise
            return None
        try:
            content = bytes(self._jvm.org.apache.commons.io.IOUtils.toByteArray(stream))
        finally:
            stream.close()
        return content.decode(errors="replace")

    def remove(self, name: str) -> None:
        self._file_system.delete(self._path(name), False)

    def _path(self, name: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(f"{self.folder}/{name}{_SUFFIX}")
