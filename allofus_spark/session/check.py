"""The check at start: jars, settings and versions that do not fit, named before any data is read.

Without it a missing package shows minutes later as a missing class in some task. Hail dictates the line of
Spark, Spark the line of Delta and the version of Scala.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import pyspark
from py4j.protocol import Py4JError

from allofus_spark.errors import EnvironmentProblem
from allofus_spark.jars import DELTA_PACKAGE, HAIL_JAR, SCALA_VERSION
from allofus_spark.java import SUPPORTED_JAVA, java_major
from allofus_spark.session.confs import BGZIP_CODEC, DELTA_CATALOG, DELTA_EXTENSION, HAIL_REGISTRATOR
from allofus_spark.session.confs import KRYO_SERIALIZER, is_local

SPARK_LINE = "3.5"  # Hail 0.2.139's jar is built for it
DELTA_LINE = "3.3"  # the Delta built for Spark 3.5
_SETUP = "run `python -m allofus_spark.jars`, or see conf/spark-defaults.conf"

_DELTA_COORDINATE = re.compile(r"io\.delta:delta-(spark|core)_([\d.]+):([\w.\-]+)")
_DELTA_JAR = re.compile(r"delta-(spark|core)_([\d.]+)-([\w.\-]+)\.jar$")
_SHIPPED = ("spark.jars", "spark.yarn.dist.jars")


class _Delta(NamedTuple):
    where: str
    artifact: str
    scala: str
    version: str


def installed_versions() -> dict[str, str]:
    """Versions of what must fit together: keys `spark`, `scala`, `delta`, `hail` (absent: not installed)."""
    found = {"spark": pyspark.__version__, "scala": SCALA_VERSION}
    for name, package in (("delta", "delta-spark"), ("hail", "hail")):
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            continue
    return found


def check_spark_conf(
    conf: Mapping[str, str], versions: Mapping[str, str], installed_jars: Collection[str] = ()
) -> None:
    """Raise EnvironmentProblem with every problem of `spark_conf_problems`, one a line."""
    problems = spark_conf_problems(conf, versions, installed_jars)
    if problems:
        raise EnvironmentProblem("\n  ".join(["Spark cannot be started with Delta and Hail:", *problems]))


def spark_conf_problems(
    conf: Mapping[str, str], versions: Mapping[str, str], installed_jars: Collection[str] = ()
) -> list[str]:
    """What is missing or does not fit in Spark settings, each in a sentence; empty when all is well.

    `versions` are those of `installed_versions`; `installed_jars` the names of jars in Spark's own folder, which
    every node has. A setting that is absent is no problem where a session sets it itself.
    """
    return [
        *_version_problems(versions),
        *_delta_problems(conf, installed_jars),
        *_hail_problems(conf, installed_jars),
        *_setting_problems(conf),
    ]


def check_jvm(jvm: Any) -> None:
    """Raise EnvironmentProblem unless a running JVM is of a supported Java and can load Delta and Hail."""
    problems = []
    java = str(jvm.java.lang.System.getProperty("java.version"))
    if java_major(java) not in SUPPORTED_JAVA:
        supported = " or ".join(map(str, SUPPORTED_JAVA))
        problems.append(f"the driver runs on Java {java}; Spark and Hail need Java {supported} (JAVA_HOME)")
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    for owner, name in (
        ("Delta", DELTA_EXTENSION),
        ("delta-storage, which Delta needs,", "io.delta.storage.LogStore"),
        ("Hail", HAIL_REGISTRATOR),
    ):
        try:
            loader.loadClass(name)
        except Py4JError:
            problems.append(
                f"the driver cannot load {owner} ({name}): a jar named in spark.jars or "
                f"spark.driver.extraClassPath does not exist or is another one; {_SETUP}"
            )
    if problems:
        raise EnvironmentProblem("\n  ".join(["Spark cannot be started with Delta and Hail:", *problems]))


def _version_problems(versions: Mapping[str, str]) -> Iterator[str]:
    for name, line, reason in (
        ("spark", SPARK_LINE, f"Hail {versions.get('hail', '0.2.139')} needs Spark {SPARK_LINE}"),
        ("delta", DELTA_LINE, f"Spark {SPARK_LINE} needs Delta {DELTA_LINE}"),
        ("scala", SCALA_VERSION, f"Hail's jar is built for Scala {SCALA_VERSION}"),
    ):
        found = versions.get(name)
        if found is not None and not (found + ".").startswith(line + "."):
            yield f"{name} {found} is installed, but {reason}"
    if "hail" not in versions:
        yield "the Python package hail is not installed: pip install hail==0.2.139"


def _delta_problems(conf: Mapping[str, str], installed_jars: Collection[str]) -> Iterator[str]:
    found = list(_deltas(conf, installed_jars))
    if not found:
        packages = conf.get("spark.jars.packages")
        lost = (
            f"spark.jars.packages = {packages} has no Delta: a later setting replaces an earlier one, so name both "
            f"in one line with a comma, as in {packages},{DELTA_PACKAGE}"
            if packages
            else f"no Delta: spark.jars.packages must have {DELTA_PACKAGE}, or spark.jars its jars"
        )
        yield f"{lost} ({_SETUP})"
    for delta in found:
        line_fits = (delta.version + ".").startswith(DELTA_LINE + ".")
        if delta.artifact != "spark" or delta.scala != SCALA_VERSION or not line_fits:
            yield (
                f"{delta.where} has delta-{delta.artifact}_{delta.scala} {delta.version}: Spark {SPARK_LINE} and "
                f"Scala {SCALA_VERSION} need {DELTA_PACKAGE}"
            )
    if len({delta.version for delta in found}) > 1:
        places = ", ".join(f"{delta.version} in {delta.where}" for delta in found)
        yield f"more than one version of Delta: {places}; keep one"
    by_jar = found and not conf.get("spark.jars.packages")
    names = [name for key in _jar_settings() for name in _jar_names(conf, key)]
    if by_jar and not any("delta-storage" in name for name in (*names, *installed_jars)):
        yield f"delta-spark's jar is there without delta-storage's, which it needs ({_SETUP})"
    if by_jar and not _reaches_executors(conf, installed_jars, "delta-spark"):
        yield (
            "Delta's jars are on the driver only: name them in spark.jars, or in spark.executor.extraClassPath by "
            "paths that every node has"
        )


def _deltas(conf: Mapping[str, str], installed_jars: Collection[str]) -> Iterator[_Delta]:
    seen = set()
    for match in _DELTA_COORDINATE.finditer(conf.get("spark.jars.packages", "")):
        yield _Delta("spark.jars.packages", *match.groups())
        seen.add(match.groups())
    places = [(key, _jar_names(conf, key)) for key in _jar_settings()]
    for where, names in (*places, ("Spark's own jars folder", installed_jars)):
        for name in names:
            match = _DELTA_JAR.search(name)
            if match and match.groups() not in seen:
                seen.add(match.groups())
                yield _Delta(where, *match.groups())


def _hail_problems(conf: Mapping[str, str], installed_jars: Collection[str]) -> Iterator[str]:
    driver_names = [name for key in (*_SHIPPED, "spark.driver.extraClassPath") for name in _jar_names(conf, key)]
    if not any("hail-all-spark" in name for name in (*driver_names, *installed_jars)):
        yield (
            f"no Hail: spark.jars and spark.driver.extraClassPath must have {HAIL_JAR}, which is in the Python "
            f"package hail, folder backend ({_SETUP})"
        )
    elif not _reaches_executors(conf, installed_jars, "hail-all-spark"):
        yield (
            f"Hail's jar is on the driver only: name {HAIL_JAR} in spark.jars, or in spark.executor.extraClassPath "
            "by a path that every node has"
        )


def _setting_problems(conf: Mapping[str, str]) -> Iterator[str]:
    for key, needed, who in (
        ("spark.sql.extensions", DELTA_EXTENSION, "Delta"),
        ("spark.sql.catalog.spark_catalog", DELTA_CATALOG, "Delta"),
        ("spark.serializer", KRYO_SERIALIZER, "Hail"),
        ("spark.kryo.registrator", HAIL_REGISTRATOR, "Hail"),
        ("spark.hadoop.io.compression.codecs", BGZIP_CODEC, "reading bgzip, which would be silent garbage,"),
    ):
        value = conf.get(key)
        if value is not None and needed not in (part.strip() for part in value.split(",")):
            yield f"{key} = {value}: {who} needs {needed} in it"


def _reaches_executors(conf: Mapping[str, str], installed_jars: Collection[str], jar: str) -> bool:
    if is_local(conf.get("spark.master", "")):
        return True
    names = [name for key in (*_SHIPPED, "spark.executor.extraClassPath") for name in _jar_names(conf, key)]
    return any(jar in name for name in (*names, *installed_jars))


def _jar_settings() -> tuple[str, ...]:
    return (*_SHIPPED, "spark.driver.extraClassPath", "spark.executor.extraClassPath")


def _jar_names(conf: Mapping[str, str], key: str) -> list[str]:
    """File names of the jars that a setting lists; a wildcard stands for what the folder holds here."""
    separator = "," if key in _SHIPPED else ":"
    names: list[str] = []
    for entry in filter(None, (part.strip() for part in conf.get(key, "").split(separator))):
        path = Path(entry)
        names += [file.name for file in path.parent.glob("*.jar")] if "*" in path.name else [path.name]
    return names
