"""The one way to a Spark session with Delta and Hail.

From plain Python the session's JVM is started here, with jars, memory and quiet logs. Under spark-submit the JVM
runs already: what can still be set is set the same, and what cannot is checked. Either way the check comes before
any data is read, and names the jar, setting or version that is wrong. Hail itself is started by the few stages
that use it (`allofus_spark.hail_bridge`).
"""

from __future__ import annotations

import os
import sys

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from allofus_spark.java import check_python, use_java
from allofus_spark.session.check import check_jvm, check_spark_conf, installed_versions
from allofus_spark.session.confs import is_local, joined, launch_confs, numba_cache, session_confs
from allofus_spark.settings import Settings

__all__ = ["check_spark_conf", "installed_versions", "start_session"]


def start_session(settings: Settings, *, app_name: str) -> SparkSession:
    """The Spark session of this process, started when there is none.

    Raises
    ------
    EnvironmentProblem
        When Java, Python, a jar or a Spark setting is missing or of the wrong version.
    """
    check_python()
    os.environ.setdefault("NUMBA_CACHE_DIR", numba_cache())
    submitted = _submitted_conf()
    if submitted is None:
        use_java()
        master = settings.spark.master or "local[*]"
        os.environ["PYSPARK_PYTHON"] = sys.executable  # else workers take the python3 of the PATH
        confs = joined(launch_confs(settings.spark, master), {})
    else:
        ...
    return SparkSession.builder.getOrCreate()
