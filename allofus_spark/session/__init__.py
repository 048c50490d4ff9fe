"""The one way to a Spark session with Delta and Hail.

From plain Python the session's JVM is started here, with jars, memory and quiet logs. Under spark-submit the
JVM runs already: what can still be set is set the same, and what cannot is checked. Either way the check
comes before any data is read, and names the jar, setting or version that is wrong. Hail itself is started by
the few stages that use it (`allofus_spark.hail_bridge`).
"""

from __future__ import annotations

import os
import sys

from pyspark.sql import SparkSession

from allofus_spark.jars import spark_jars_folder
from allofus_spark.java import check_python, use_java
from allofus_spark.session.check import check_spark_conf, installed_versions
from allofus_spark.session.confs import Confs, is_local, joined, launch_confs, session_confs
from allofus_spark.session.kernels import numba_cache
from allofus_spark.session.submitted import is_submitted, submitted_confs
from allofus_spark.settings import Settings, SparkSettings

__all__ = ["start_session"]


def start_session(settings: Settings, *, app_name: str) -> SparkSession:
    """The Spark session of this process, started when there is none.

    Raises
    ------
    EnvironmentProblem
        When Java, Python, a jar or a Spark setting is missing or of the wrong version.
    """
    check_python()
    os.environ.setdefault("NUMBA_CACHE_DIR", numba_cache())
    confs = _submitted_confs(settings.spark) if is_submitted() else _own_confs(settings.spark)
    check_spark_conf(confs, installed_versions(), [jar.name for jar in spark_jars_folder().glob("*.jar")])
    builder = SparkSession.builder.appName(app_name)
    for key, value in confs.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def _own_confs(spark: SparkSettings) -> Confs:
    """All settings of a session whose JVM this process starts."""
    java = use_java()
    master = spark.master or "local[*]"
    if is_local(master):
        os.environ["PYSPARK_PYTHON"] = sys.executable  # else workers take the python3 of the PATH
    else:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return joined(launch_confs(spark, master, java) | session_confs(spark, master), spark.extra)


def _submitted_confs(spark: SparkSettings) -> Confs:
    """The settings that spark-submit was given, with those that a session adds."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    given = submitted_confs()
    ours = session_confs(spark, given.get("spark.master", ""))
    return joined(joined(given, ours), spark.extra)
