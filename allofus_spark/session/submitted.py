"""Inside spark-submit: the JVM runs already, so look at what it is and make it as quiet as our own."""

from __future__ import annotations

import os
from typing import Any

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext

from allofus_spark.java import SUPPORTED_JAVA, java_major
from allofus_spark.session.check import SETUP_HINT, refuse_if_any
from allofus_spark.session.confs import DELTA_EXTENSION, HAIL_REGISTRATOR, Confs
from allofus_spark.session.logs import quieten

_CLASSES = {
    DELTA_EXTENSION: "Delta",
    "io.delta.storage.LogStore": "delta-storage, which Delta needs",
    HAIL_REGISTRATOR: "Hail",
}


def is_submitted() -> bool:
    """Whether spark-submit runs this script: it names the gateway of the JVM that it started."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def submitted_confs() -> Confs:
    """The settings that spark-submit was given, after a look at its JVM.

    Raises
    ------
    EnvironmentProblem
        When the JVM is of an unsupported Java or cannot load Delta and Hail.
    """
    SparkContext._ensure_initialized()  # connects to the JVM; a context is not made
    jvm: Any = SparkContext._jvm
    quieten(jvm)
    refuse_if_any([*_java_problems(jvm), *_class_problems(jvm)])
    return dict(SparkConf().getAll())


def _java_problems(jvm: Any) -> list[str]:
    java = str(jvm.java.lang.System.getProperty("java.version"))
    if java_major(java) in SUPPORTED_JAVA:
        return []
    return [
        f"the driver runs on Java {java}, and Spark and Hail need {SUPPORTED_JAVA[0]} or "
        f"{SUPPORTED_JAVA[1]}: set JAVA_HOME before spark-submit"
    ]


def _class_problems(jvm: Any) -> list[str]:
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    missing = []
    for name, owner in _CLASSES.items():
        try:
            loader.loadClass(name)
        except Py4JError:
            missing.append(owner)
    if not missing:
        return []
    return [
        f"the driver cannot load {', nor '.join(missing)}: spark.jars, spark.jars.packages and "
        f"spark.driver.extraClassPath do not name its jar, or name one that does not exist; {SETUP_HINT}"
    ]
