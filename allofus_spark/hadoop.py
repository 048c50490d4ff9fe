"""Hadoop's file systems, reached on the driver through the JVM, whatever a path's scheme."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession


def hadoop_path(spark: SparkSession, path: str) -> tuple[Any, Any]:
    """The file system of ``path`` and the path itself, as Hadoop's objects, with the session's settings."""
    jvm: Any = spark._jvm
    context: Any = spark._jsc
    parsed = jvm.org.apache.hadoop.fs.Path(path)
    return parsed.getFileSystem(context.hadoopConfiguration()), parsed
