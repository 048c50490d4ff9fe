"""Why Spark could not read a source, said of the file that is at fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from allofus_spark.errors import BadSource, readable, shown
from allofus_spark.hadoop import hadoop_path

_BUFFER_BYTES = 1 << 20


def first_cause(error: BaseException) -> str:
    """The error that the others are about, in one line.

    >>> first_cause(ValueError("no number\\nat line 3"))
    'no number'
    """
    java: Any = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while java is not None and java.getCause() is not None:
        java = java.getCause()
    text = str(error if java is None else java.getMessage() or java.toString()).strip()
    return readable(text.splitlines()[0]) if text else type(error).__name__


@contextmanager
def naming_broken_files(spark: SparkSession, paths: Sequence[str]) -> Iterator[None]:
    """Where Spark fails in the block, raise BadSource naming those of ``paths`` that cannot be inflated.

    Spark does not say which file it was, so each is read to its end. Where all can be read, the error passes.
    """
    try:
        yield
    except (PySparkException, Py4JJavaError):
        broken = [f"{path}: {reason}" for path in paths if (reason := _not_inflated(spark, path))]
        if not broken:
            raise
        raise BadSource(
            f"{len(broken)} of {len(paths)} files cannot be read to their end: {shown(broken)}; nothing was "
            "written; copy them again from their source"
        ) from None


def _not_inflated(spark: SparkSession, path: str) -> str | None:
    """What is wrong with a compressed file; None: nothing, or it is not compressed."""
    jvm: Any = spark._jvm
    file_system, parsed = hadoop_path(spark, path)
    codec = jvm.org.apache.hadoop.io.compress.CompressionCodecFactory(file_system.getConf()).getCodec(parsed)
    if codec is None:
        return None
    stream = file_system.open(parsed)
    try:
        nowhere = jvm.java.io.OutputStream.nullOutputStream()
        jvm.org.apache.hadoop.io.IOUtils.copyBytes(
            codec.createInputStream(stream), nowhere, _BUFFER_BYTES, False
        )
    except Py4JJavaError as error:
        return first_cause(error)
    finally:
        stream.close()
    return None
