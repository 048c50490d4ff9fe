"""The class archive that makes a session start in about half the time.

A session loads thousands of classes before its first row. Java can keep them parsed and verified in a file of
shared class data (JEP 350, Java 13 and later), good for one Java and one class path; it passes over a file
that does not fit. `python -m allofus_spark.session.quick_start` makes it, once.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from allofus_spark.jars import jars_folder, spark_jars_folder
from allofus_spark.java import Java

FIRST_JAVA = 13
QUIET = "-Xlog:cds=off -Xlog:cds+dynamic=off -Xlog:class+path=off"  # nor does it say so


def archive_path(java: Java, class_path: str) -> Path:
    """Where the archive for this Java and class path lies, whether it exists or not."""
    jars = [Path(entry) for entry in class_path.split(os.pathsep)] + sorted(spark_jars_folder().glob("*.jar"))
    files = [f"{jar} {jar.stat().st_size} {jar.stat().st_mtime_ns}" for jar in jars]
    what = "\n".join([str(java.version), str(java.home), *files])
    return jars_folder().parent / f"classes-{hashlib.sha256(what.encode()).hexdigest()[:16]}.jsa"


def archive_option(java: Java, class_path: str) -> str:
    """The options that make a starting JVM use the archive; empty where there is none."""
    file = archive_path(java, class_path)
    return f"-XX:SharedArchiveFile={file} {QUIET}" if file.is_file() else ""
