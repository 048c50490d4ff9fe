"""Hadoop's file systems, reached on the driver through the JVM, whatever a path's scheme."""

from __future__ import annotations

import os
import re
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from allofus_spark.jvm import java

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_GLOB_CHARACTERS = re.compile(r"([\\*?{}\[\]])")


def hadoop_path(spark: SparkSession, path: str) -> tuple[Any, Any]:
    """The file system of ``path`` and the path itself, as Hadoop's objects, with the session's settings."""
    context: Any = spark._jsc
    parsed = java(spark, "org.apache.hadoop.fs.Path")(path)
    return parsed.getFileSystem(context.hadoopConfiguration()), parsed


def absolute_path(path: str) -> str:
    """A path that means the same from any folder; an address of a file system stays as it is."""
    return path if _SCHEME.match(path) else os.path.abspath(path)


def without_glob(path: str) -> str:
    """A pattern that stands for exactly this path: Spark's readers take every path for a pattern."""
    return _GLOB_CHARACTERS.sub(r"\\\1", path)


def is_uri(path: str) -> bool:
    """Whether a path names its file system.

    >>> is_uri("s3a://bucket/samples.tsv"), is_uri("/data/a:b.tsv")
    (True, False)
    """
    return _SCHEME.match(path) is not None


def read_bytes(spark: SparkSession, path: str) -> bytes:
    """The whole of a small file; OSError, as of a local one, where it cannot be read."""
    try:
        file_system, parsed = hadoop_path(spark, path)
        stream = file_system.open(parsed)
        try:
            return bytes(java(spark, "org.apache.commons.io.IOUtils.toByteArray")(stream))
        finally:
            stream.close()
    except (Py4JJavaError, PySparkException) as error:
        reason = error.java_exception.toString() if isinstance(error, Py4JJavaError) else error
        raise OSError(str(reason).splitlines()[0]) from None


def write_text(spark: SparkSession, path: str, text: str) -> None:
    """Write a file, in the place of one that is there."""
    file_system, parsed = hadoop_path(spark, path)
    stream = file_system.create(parsed, True)
    try:
        stream.write(bytearray(text.encode()))
    finally:
        stream.close()
