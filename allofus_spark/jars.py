"""The jars that Spark needs beside its own: Delta's two, and the one inside the Hail wheel.

`python -m allofus_spark.jars` brings Delta's once, through the Ivy that Spark ships, and checks them by their
pinned hashes; a session then starts from local files, without a network. The folder also has a link to Hail's
jar, so that it is all that a class path has to name. Delta asks for antlr4-runtime too, which is among
Spark's own jars in that very version, and not needed twice. `--s3` adds Hadoop's file system for `s3a://`:
283 MB for those whose warehouse lies on an object store.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyspark

from allofus_spark.errors import AllofusError, EnvironmentProblem
from allofus_spark.java import use_java
from allofus_spark.java_trust import REFUSED, system_authorities, trust_options, write_trust_store

FOLDER_VARIABLE = "ALLOFUS_JARS"
HAIL_JAR = "hail-all-spark.jar"
DELTA_VERSION = "3.3.2"  # the Delta line for Spark 3.5; the same as the Python package delta-spark's
SCALA_VERSION = "2.12"  # the Scala that PySpark's wheel and Hail's jar are built for
DELTA_PACKAGE = f"io.delta:delta-spark_{SCALA_VERSION}:{DELTA_VERSION}"


class Jar(NamedTuple):
    """A pinned jar: where a Maven repository has it, and what it must be."""

    organisation: str
    module: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.module}-{self.version}.jar"


DELTA_JARS = (
    Jar(
        "io.delta",
        f"delta-spark_{SCALA_VERSION}",
        DELTA_VERSION,
        "4e92085d5d794cf949c50bb665b91384857cad58680c2d0bfc9c7ad353e98e85",
    ),
    Jar(
        "io.delta",
        "delta-storage",
        DELTA_VERSION,
        "c096975a2ca97ccc9b4005aa5cce16c9ac3903139d340da6665b66ace67d7c36",
    ),
)
# s3a:// of the Hadoop that is inside PySpark's wheel, and the bundle that it asks for.
S3_JARS = (
    Jar(
        "org.apache.hadoop",
        "hadoop-aws",
        "3.3.4",
        "53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a",
    ),
    Jar(
        "com.amazonaws",
        "aws-java-sdk-bundle",
        "1.12.262",
        "873fe7cf495126619997bec21c44de5d992544aea7e632fdc77adb1a0915bae5",
    ),
)


def jars_folder() -> Path:
    """Where the jars lie: the folder that `ALLOFUS_JARS` names, else one inside this Python environment."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(sys.prefix, "share", "allofus-spark", "jars")


def spark_jars_folder() -> Path:
    """The jars of Spark itself, in the distribution that this process runs."""
    return Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent, "jars")


def hail_jar() -> Path:
    """The jar inside the installed Hail package, found without the seconds that importing Hail costs."""
    hail = importlib.util.find_spec("hail")
    if hail is None or not hail.submodule_search_locations:
        raise EnvironmentProblem("the Python package hail is not installed; `make setup` brings it")
    return Path(hail.submodule_search_locations[0], "backend", HAIL_JAR)


def local_jars() -> list[Path] | None:
    """Absolute paths of Hail's and Delta's jars, and of s3a's where they are there; None without Delta's."""
    delta, s3 = ([jars_folder().absolute() / jar.file_name for jar in jars] for jars in (DELTA_JARS, S3_JARS))
    if not all(path.is_file() for path in delta):
        return None
    return [hail_jar(), *delta, *(s3 if all(path.is_file() for path in s3) else ())]


def fetch_jars(folder: Path, *, s3: bool = False) -> list[Path]:
    """Put Delta's jars and a link to Hail's into `folder`, unless they are there; return their paths.

    With ``s3``, those that read and write ``s3a://`` too.

    Raises
    ------
    EnvironmentProblem
        When a jar cannot be had, or is not the one that was pinned (the bad file is not kept).
    """
    folder.mkdir(parents=True, exist_ok=True)
    jars = (*DELTA_JARS, *S3_JARS) if s3 else DELTA_JARS
    for jar in jars:
        if not _is_right(jar, folder / jar.file_name):
            _fetch(jar, folder)
    link = folder / HAIL_JAR
    if not (link.exists() and link.samefile(hail_jar())):
        link.unlink(missing_ok=True)
        link.symlink_to(hail_jar())
    return [link, *(folder / jar.file_name for jar in jars)]


def _is_right(jar: Jar, file: Path) -> bool:
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == jar.sha256


def _fetch(jar: Jar, folder: Path) -> None:
    """Fetch one jar into `folder`: through scratch, so that a killed download leaves no half jar behind."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        log = _run_ivy(jar, scratch)
        if REFUSED in log:
            store = Path(scratch, "trusted.jks")
            write_trust_store(store, system_authorities())
            log = _run_ivy(jar, scratch, trust_options(store))
        fetched = Path(scratch, jar.file_name)
        if not fetched.is_file():
            raise EnvironmentProblem(_cannot_fetch(jar, folder, log))
        if not _is_right(jar, fetched):
            raise EnvironmentProblem(
                f"{jar.file_name} came with another SHA-256 than the pinned {jar.sha256}: it was changed on "
                "the way, or the repository that Ivy asks does not serve the original. It was not kept."
            )
        fetched.replace(folder / jar.file_name)


def _run_ivy(jar: Jar, scratch: str, java_options: Sequence[str] = ()) -> str:
    """Let Ivy put `jar` into `scratch`; what it printed."""
    ivy = next(spark_jars_folder().glob("ivy-*.jar"))
    what = ["-dependency", jar.organisation, jar.module, jar.version, "-notransitive", "-confs", "default"]
    pattern = f"{scratch}/[artifact]-[revision].[ext]"
    where = ["-types", "jar", "-cache", f"{scratch}/cache", "-retrieve", pattern]
    command = [use_java().program, *java_options, "-jar", str(ivy), *what, *where]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout + answer.stderr


def _cannot_fetch(jar: Jar, folder: Path, log: str) -> str:
    lines = [line.strip() for line in log.splitlines()]
    reasons = [line for mark in ("Exception", "not found") for line in lines if mark in line]
    return (
        f"Ivy could not fetch {jar.organisation}:{jar.module}:{jar.version}"
        + (f" ({reasons[0]})" if reasons else "")
        + f". Where no Maven repository can be reached, copy {jar.file_name} into {folder}, or set "
        f"{FOLDER_VARIABLE} to a folder that has it."
    )


def _copy_for_nodes(jars: list[Path], folder: Path) -> None:
    """Real files, not links: what a cluster's image or its nodes get."""
    folder.mkdir(parents=True, exist_ok=True)
    for jar in jars:
        shutil.copyfile(jar, folder / jar.name)


def main(arguments: list[str] | None = None) -> int:
    """Fetch the jars; with `--copy-to`, also copy all of them to a folder for the nodes of a cluster."""
    parser = argparse.ArgumentParser(prog="python -m allofus_spark.jars", description=main.__doc__)
    parser.add_argument("--copy-to", type=Path, metavar="FOLDER", help="such as /opt/allofus-spark/jars")
    parser.add_argument("--s3", action="store_true", help="those for s3a:// too (283 MB)")
    options = parser.parse_args(arguments)
    try:
        jars = fetch_jars(jars_folder(), s3=options.s3)
    except AllofusError as problem:
        print(f"jars: {problem}", file=sys.stderr)
        return 1
    if options.copy_to is not None:
        _copy_for_nodes(jars, options.copy_to)
    what = f"Delta {DELTA_VERSION}, Hail and s3a" if options.s3 else f"Delta {DELTA_VERSION} and Hail"
    print(f"jars: {what} in {options.copy_to or jars_folder()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
