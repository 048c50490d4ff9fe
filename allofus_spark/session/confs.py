"""Spark's settings for a session with Delta and Hail: which, and why.

Three kinds. *Launch* settings (jars, memory, the JVM's options) count only for a JVM that is about to start.
*Engine* settings must be there when the Spark context is made. *SQL* settings hold for the session.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from allofus_spark.jars import DELTA_PACKAGE, hail_jar, local_jars
from allofus_spark.java import Java
from allofus_spark.session.archive import archive_option
from allofus_spark.session.kernels import numba_cache
from allofus_spark.session.logs import log_option
from allofus_spark.settings import SparkSettings

Confs = dict[str, str]

DELTA_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
DELTA_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
KRYO_SERIALIZER = "org.apache.spark.serializer.KryoSerializer"
HAIL_REGISTRATOR = "is.hail.kryo.HailKryoRegistrator"
BGZIP_CODEC = "is.hail.io.compress.BGzipCodec"

ENGINE: Mapping[str, str] = {
    "spark.serializer": KRYO_SERIALIZER,
    "spark.kryo.registrator": HAIL_REGISTRATOR,
    # Spark's own codecs read a .bgz as silent garbage; Hail's read it, in splits.
    "spark.hadoop.io.compression.codecs": "org.apache.hadoop.io.compress.DefaultCodec,"
    f"{BGZIP_CODEC},is.hail.io.compress.BGzipCodecTbi,org.apache.hadoop.io.compress.GzipCodec",
    "spark.sql.extensions": DELTA_EXTENSION,
    "spark.sql.catalog.spark_catalog": DELTA_CATALOG,
    "spark.ui.showConsoleProgress": "false",
    "spark.python.worker.reuse": "true",
    "spark.python.daemon.module": "allofus_spark.session.daemon",
    # One run compiles more pieces of code than the 100 that Spark keeps. Each run would compile them all
    # anew, to bytecode and to machine code, which costs more than the work on a small callset.
    "spark.sql.codegen.cache.maxEntries": "5000",
    # The scheduler counts on one thread for each task, and other numbers of threads add up in another order.
    "spark.executorEnv.OPENBLAS_NUM_THREADS": "1",
    "spark.executorEnv.OMP_NUM_THREADS": "1",
    "spark.executorEnv.MKL_NUM_THREADS": "1",
}

SQL: Mapping[str, str] = {
    "spark.sql.ansi.enabled": "true",  # overflow and bad casts are errors, never nulls
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # INT96 is read in different ways
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.sources.partitionOverwriteMode": "static",  # an overwrite names its rows by replaceWhere
    "spark.databricks.delta.schema.autoMerge.enabled": "false",  # a table changes by its contract alone
}

# The web page would show others on a shared machine what runs, and costs half a second at each start. The
# address spares a look-up of the host's name, which fails on many laptops. A task's result is handed over as
# it is: over 1 MiB it would go through a socket of this same machine, where a hiccup ends the job.
LOCAL_ENGINE: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.task.maxDirectResultSize": "128m",
}

# Quick commits where one machine does everything: a small table's state is one small task, and a checkpoint
# takes five times as long as a commit, while 100 commits are read as fast as a checkpoint of them. A checksum
# for each version, which spares reading long logs, takes a third of a commit; unless told not to, a commit
# lists the live files for it all the same, in a Spark job.
LOCAL_SQL: Mapping[str, str] = {
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.databricks.delta.properties.defaults.checkpointInterval": "100",
    "spark.databricks.delta.writeChecksumFile.enabled": "false",
    "spark.databricks.delta.allFilesInCrc.enabled": "false",
}

# Spark reads Arrow batches value by value; Arrow's checks of each access cost a third of that work, and the
# batches come from this package's own code through pyarrow, which has made them whole.
ARROW_OPTIONS = "-Darrow.enable_unsafe_memory_access=true -Darrow.enable_null_check_for_get=false"

_LISTS = {
    "spark.jars": ",",
    "spark.jars.packages": ",",
    "spark.sql.extensions": ",",
    "spark.hadoop.io.compression.codecs": ",",
    "spark.driver.extraClassPath": os.pathsep,
    "spark.executor.extraClassPath": os.pathsep,
    "spark.driver.extraJavaOptions": " ",
    "spark.executor.extraJavaOptions": " ",
}


def is_local(master: str) -> bool:
    """Whether the driver does all the work: `local`, `local[2]`, `local[*]`; not `local-cluster[…]`."""
    return master == "local" or master.startswith("local[")


def launch_confs(spark: SparkSettings, master: str, java: Java) -> Confs:
    """Settings for the JVM that this process is about to start."""
    jars = _jar_confs(is_local(master))
    options = f"{ARROW_OPTIONS} {log_option()} {archive_option(java, jars['spark.driver.extraClassPath'])}"
    return {
        **jars,
        "spark.master": master,
        "spark.driver.memory": spark.driver_memory,
        "spark.driver.extraJavaOptions": options.strip(),
        "spark.executor.extraJavaOptions": ARROW_OPTIONS,
    }


def session_confs(spark: SparkSettings, master: str) -> Confs:
    """Settings that hold whoever started the JVM: this process or spark-submit."""
    local = is_local(master)
    return {
        **ENGINE,
        **SQL,
        **(LOCAL_ENGINE if local else {}),
        **(LOCAL_SQL if local else {}),
        "spark.sql.shuffle.partitions": str(spark.shuffle_partitions),
        # Executors of a cluster compile into their own working folder: the driver's home is not theirs.
        "spark.executorEnv.NUMBA_CACHE_DIR": numba_cache() if local else "numba-cache",
    }


def joined(confs: Mapping[str, str], extra: Mapping[str, str]) -> Confs:
    """`confs` with `extra` laid over it; a list such as spark.jars keeps what it had and gains the rest.

    >>> joined({"spark.jars": "a.jar", "spark.x": "1"}, {"spark.jars": "a.jar,b.jar", "spark.x": "2"})
    {'spark.jars': 'a.jar,b.jar', 'spark.x': '2'}
    """
    result = dict(confs)
    for key, value in extra.items():
        separator = _LISTS.get(key)
        parts = [value] if separator is None else f"{result.get(key, '')}{separator}{value}".split(separator)
        result[key] = (separator or "").join(dict.fromkeys(part.strip() for part in parts if part.strip()))
    return result


def _jar_confs(local: bool) -> Confs:
    jars = local_jars()
    packages = {} if jars else {"spark.jars.packages": DELTA_PACKAGE}
    jars = jars or [hail_jar()]
    class_path = os.pathsep.join(map(str, jars))
    if local:  # the driver's class path is all there is, and nothing has to be copied
        return {**packages, "spark.driver.extraClassPath": class_path}
    return {
        **packages,
        "spark.jars": ",".join(map(str, jars)),
        "spark.driver.extraClassPath": class_path,
        # Absolute: from a relative path Hail and Delta come by two class loaders, and a Delta write can fail.
        "spark.executor.extraClassPath": class_path,
    }
