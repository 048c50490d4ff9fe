"""The check at start: jars, settings and versions that do not fit, named before any data is read.

Without it a missing package shows minutes later as a missing class in some task. Hail dictates the line of
Spark, Spark the line of Delta, and both the version of Scala.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import pyspark

from allofus_spark.errors import EnvironmentProblem
from allofus_spark.jars import DELTA_PACKAGE, HAIL_JAR, SCALA_VERSION
from allofus_spark.session import confs

SPARK_LINE = "3.5"  # Hail 0.2.139's jar is built for it
DELTA_LINE = "3.3"  # the Delta that is built for Spark 3.5
SETUP_HINT = (
    "`python -m allofus_spark.jars` fetches what is needed; conf/spark-defaults.conf shows where it goes"
)

_DELTA_COORDINATE = re.compile(r"io\.delta:delta-(spark|core)_([\d.]+):([\w.\-]+)")
_DELTA_JAR = re.compile(r"delta-(spark|core)_([\d.]+)-([\w.\-]+)\.jar$")
_SPARK_JAR = re.compile(r"^spark-core_([\d.]+)-([\w.\-]+)\.jar$")
_EVERYWHERE = ("spark.jars", "spark.yarn.dist.jars")
_DRIVER = "spark.driver.extraClassPath"
_EXECUTORS = "spark.executor.extraClassPath"


class _Delta(NamedTuple):
    where: str
    artifact: str
    scala: str
    version: str


def installed_versions() -> dict[str, str]:
    """Versions of the Python packages that must fit together; a key is absent where one is not installed."""
    found = {"spark": pyspark.__version__}
    for name, package in (("delta", "delta-spark"), ("hail", "hail")):
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            continue
    return found


def check_spark_conf(
    conf: Mapping[str, str], versions: Mapping[str, str], spark_jars: Collection[str] = ()
) -> None:
    """Raise EnvironmentProblem with every problem of `spark_conf_problems`, one a line."""
    refuse_if_any(spark_conf_problems(conf, versions, spark_jars))


def refuse_if_any(problems: list[str]) -> None:
    """Raise one EnvironmentProblem with all problems, if there are any."""
    if problems:
        raise EnvironmentProblem("\n  ".join(["Spark cannot be started with Delta and Hail:", *problems]))


def spark_conf_problems(
    conf: Mapping[str, str], versions: Mapping[str, str], spark_jars: Collection[str] = ()
) -> list[str]:
    """What is missing or does not fit in Spark settings, each in a sentence; empty when all is well.

    `versions` are those of `installed_versions`; `spark_jars` the names of jars in Spark's own folder, which
    every node has. A setting that a session adds by itself may be absent, but not be wrong.
    """
    return [
        *_version_problems(versions, spark_jars),
        *_delta_problems(conf, spark_jars),
        *_hail_problems(conf, spark_jars),
        *_setting_problems(conf),
    ]


def _version_problems(versions: Mapping[str, str], spark_jars: Collection[str]) -> Iterator[str]:
    if "hail" not in versions:
        yield "the Python package hail is not installed; `make setup` brings it"
    if "spark" in versions and not _is_of(SPARK_LINE, versions["spark"]):
        yield f"pyspark {versions['spark']} is installed, and Hail needs {SPARK_LINE}"
    if "delta" in versions and not _is_of(DELTA_LINE, versions["delta"]):
        yield f"delta-spark {versions['delta']} is installed, and Spark {SPARK_LINE} needs {DELTA_LINE}"
    for match in filter(None, map(_SPARK_JAR.match, spark_jars)):
        scala, spark = match.groups()
        if scala != SCALA_VERSION or not _is_of(SPARK_LINE, spark):
            yield (
                f"Spark's own jars are of Spark {spark} for Scala {scala} (SPARK_HOME), and Hail needs Spark "
                f"{SPARK_LINE} for Scala {SCALA_VERSION}"
            )


def _delta_problems(conf: Mapping[str, str], spark_jars: Collection[str]) -> Iterator[str]:
    found = _deltas(conf, spark_jars)
    if not found:
        yield _no_delta(conf.get("spark.jars.packages"))
        return
    for delta in found:
        fits = (
            delta.artifact == "spark" and delta.scala == SCALA_VERSION and _is_of(DELTA_LINE, delta.version)
        )
        if not fits:
            yield (
                f"{delta.where} has delta-{delta.artifact}_{delta.scala} {delta.version}, and Spark "
                f"{SPARK_LINE} for Scala {SCALA_VERSION} needs {DELTA_PACKAGE}"
            )
    if len({delta.version for delta in found}) > 1:
        places = ", ".join(f"{delta.version} in {delta.where}" for delta in found)
        yield f"more than one version of Delta: {places}; keep one"
    if any(delta.where == "spark.jars.packages" for delta in found):
        return  # brings all that it needs, to every node
    if not _reaches(conf, (*_EVERYWHERE, _DRIVER), spark_jars, "delta-storage-"):
        yield f"delta-spark's jar is there without delta-storage's, which it needs; {SETUP_HINT}"
    if not _reaches_executors(conf, spark_jars, "delta-spark_"):
        yield f"Delta's jars are on the driver only: {_every_node('them')}"


def _no_delta(packages: str | None) -> str:
    if packages:
        return (
            f"spark.jars.packages = {packages} has no Delta: of two settings the later one counts alone, so "
            f"name both in one, as {packages},{DELTA_PACKAGE}"
        )
    return f"no Delta: set spark.jars.packages to {DELTA_PACKAGE}, or spark.jars to its jars; {SETUP_HINT}"


def _deltas(conf: Mapping[str, str], spark_jars: Collection[str]) -> list[_Delta]:
    """Every Delta that the settings bring; one that several settings bring is named once."""
    found: dict[tuple[str, ...], _Delta] = {}
    for match in _DELTA_COORDINATE.finditer(conf.get("spark.jars.packages", "")):
        found.setdefault(match.groups(), _Delta("spark.jars.packages", *match.groups()))
    places = {key: _jar_names(conf, key) for key in (*_EVERYWHERE, _DRIVER, _EXECUTORS)}
    for where, names in (places | {"Spark's own jars folder": list(spark_jars)}).items():
        for jar in filter(None, map(_DELTA_JAR.search, names)):
            found.setdefault(jar.groups(), _Delta(where, *jar.groups()))
    return list(found.values())


def _hail_problems(conf: Mapping[str, str], spark_jars: Collection[str]) -> Iterator[str]:
    name = HAIL_JAR.removesuffix(".jar")
    if not _reaches(conf, (*_EVERYWHERE, _DRIVER), spark_jars, name):
        yield f"no Hail: name {HAIL_JAR} in spark.driver.extraClassPath and {_every_node('it')}; {SETUP_HINT}"
    elif not _reaches_executors(conf, spark_jars, name):
        yield f"Hail's jar is on the driver only: {_every_node(HAIL_JAR)}"


def _setting_problems(conf: Mapping[str, str]) -> Iterator[str]:
    for key, needed, why in (
        ("spark.sql.extensions", confs.DELTA_EXTENSION, "Delta needs"),
        ("spark.sql.catalog.spark_catalog", confs.DELTA_CATALOG, "Delta needs"),
        ("spark.serializer", confs.KRYO_SERIALIZER, "Hail needs"),
        ("spark.kryo.registrator", confs.HAIL_REGISTRATOR, "Hail needs"),
        ("spark.hadoop.io.compression.codecs", confs.BGZIP_CODEC, "bgzip is read as silent garbage without"),
    ):
        value = conf.get(key)
        if value is not None and needed not in (part.strip() for part in value.split(",")):
            yield f"{key} = {value}: {why} {needed}"


def _every_node(what: str) -> str:
    return f"name {what} in spark.jars, or in {_EXECUTORS} by a path that every node has"


def _reaches_executors(conf: Mapping[str, str], spark_jars: Collection[str], jar: str) -> bool:
    local = confs.is_local(conf.get("spark.master", ""))
    return local or _reaches(conf, (*_EVERYWHERE, _EXECUTORS), spark_jars, jar)


def _reaches(conf: Mapping[str, str], keys: tuple[str, ...], spark_jars: Collection[str], jar: str) -> bool:
    names = [name for key in keys for name in _jar_names(conf, key)]
    return any(jar in name for name in (*names, *spark_jars))


def _jar_names(conf: Mapping[str, str], key: str) -> list[str]:
    """File names of the jars that a setting lists; a wildcard stands for what the folder holds here."""
    separator = "," if key in _EVERYWHERE else os.pathsep
    names: list[str] = []
    for entry in filter(None, (part.strip() for part in conf.get(key, "").split(separator))):
        path = Path(entry)
        names += [file.name for file in path.parent.glob("*.jar")] if "*" in path.name else [path.name]
    return names


def _is_of(line: str, full: str) -> bool:
    return f"{full}.".startswith(f"{line}.")
