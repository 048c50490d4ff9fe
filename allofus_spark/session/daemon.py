"""The process that Python workers are forked from, with what every worker needs loaded once.

Spark puts its jars on the workers' module path, and each task makes Python read their tables of contents
again: 0.15 s a task for Hail's jar. No module is in them, so they are taken off the path.

A packed environment (`allofus_spark.ship`) has compiled kernels beside the modules. numba looks there when it
is named no folder, and in no other when it is; each executor would spend a minute on compiling them again.
"""

from __future__ import annotations

import os
import sys

from allofus_spark.session.kernels import takes_packed_kernels

if takes_packed_kernels(os.environ.get("NUMBA_CACHE_DIR", "")):
    os.environ.pop("NUMBA_CACHE_DIR", None)  # before numba reads it

import numba  # noqa: F401  Loaded before the fork, so that no worker spends a second on it.
import numpy  # noqa: F401
import pyarrow  # noqa: F401
from pyspark import daemon


def drop_jars(path: list[str]) -> list[str]:
    """A module path without jars.

    >>> drop_jars(["/x/site-packages", "/x/hail-all-spark.jar"])
    ['/x/site-packages']
    """
    return [entry for entry in path if not entry.endswith(".jar")]


if __name__ == "__main__":
    for entry in set(sys.path) - set(drop_jars(sys.path)):
        sys.path_importer_cache.pop(entry, None)
    sys.path[:] = drop_jars(sys.path)
    daemon.manager()  # type: ignore[no-untyped-call]
