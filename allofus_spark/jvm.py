"""Java's classes and static methods by name, looked up once: py4j asks the JVM anew for every dot of one."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from pyspark.sql import SparkSession

_known: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def java(spark: SparkSession, name: str) -> Any:
    """The class, Scala object or static method with this full name, in the session's JVM."""
    jvm: Any = spark._jvm
    known = _known.setdefault(jvm, {})
    if name not in known:
        found = jvm
        for part in name.split("."):
            found = getattr(found, part)
        known[name] = found
    return known[name]
