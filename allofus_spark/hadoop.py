"""Hadoop's file systems, reached on the driver through the JVM, whatever a path's scheme."""

from __future__ import annotations

import os
import re
from typing import Any

from pyspark.sql import SparkSession

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_GLOB_CHARACTERS = re.compile(r"([\\*?{}\[\]])")


def hadoop_path(spark: SparkSession, path: str) -> tuple[Any, Any]:
    """The file system of ``path`` and the path itself, as Hadoop's objects, with the session's settings."""
    jvm: Any = spark._jvm
    context: Any = spark._jsc
    parsed = jvm.org.apache.hadoop.fs.Path(path)
    return parsed.getFileSystem(context.hadoopConfiguration()), parsed


def absolute_path(path: str) -> str:
    """A path that means the same from any folder; an address of a file system stays as it is."""
    return path if _SCHEME.match(path) else os.path.abspath(path)


def without_glob(path: str) -> str:
    """A pattern that stands for exactly this path: Spark's readers take every path for a pattern."""
    return _GLOB_CHARACTERS.sub(r"\\\1", path)


def write_text(spark: SparkSession, path: str, text: str) -> None:
    """Write a file, in the place of one that is there."""
    file_system, parsed = hadoop_path(spark, path)
    stream = file_system.create(parsed, True)
    try:
        stream.write(bytearray(text.encode()))
    finally:
        stream.close()
