"""A full disk, or a folder that cannot be written, told as one error: Java, Arrow and Python have many."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from pyspark.errors import PySparkException

from allofus_spark.errors import AllofusError, StorageProblem

# As the operating system, HDFS and object stores put it.
_FULL = re.compile(
    r"[^\n]*(?:No space left on device|quota (?:is |has been )?exceeded|QuotaExceeded)[^\n]*", re.I
)
_REFUSED = re.compile(
    r"[^\n]*(?:Permission denied|Read-only file system|Not a directory|is not a directory|Is a directory|"
    r"Mkdirs failed|AccessControlException|AccessDenied|Access Denied|File exists)[^\n]*",
    re.I,
)
_WRAPPERS = re.compile(r"^.*(?:Exception|Error): ")
_MOST_CHARACTERS = 300
_SCHEME = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]+:/")
_GB = 1e9


def storage_problem(error: BaseException, root: str) -> StorageProblem | None:
    """The error in words where the store is the cause; None for any other.

    What cannot be written counts where the error names a path below ``root``: a source may be unreadable for
    the same reason.
    """
    if isinstance(error, AllofusError):
        return None
    text = "\n".join(_texts(error))
    temporary = tempfile.gettempdir()
    if full := _FULL.search(text):
        return StorageProblem(
            f"no room is left: {_shown(full)}. Where the tables of {root} lie, {_free(root)}; where "
            f"temporary files lie ({temporary}, or spark.local.dir), {_free(temporary)}. The tables are "
            "as before. Make room, or name another place for either, and start again."
        )
    folder = root.removeprefix("file:")
    named = (match for match in _REFUSED.finditer(text) if folder in unquote(match.group()))
    if refused := next(named, None):
        return StorageProblem(
            f"tables cannot be written below {root}: {_shown(refused)}. The tables are as before. Let user "
            f"{_user()} write there, or name another place with --warehouse, and start again."
        )
    return None


@contextmanager
def storage_errors(root: str) -> Iterator[None]:
    """Raise StorageProblem for what goes wrong in the block because of where the tables at ``root`` lie."""
    try:
        yield
    except Exception as error:
        problem = storage_problem(error, root)
        if problem is None:
            raise
        raise problem from error


def _texts(error: BaseException) -> Iterator[str]:
    """What the error and its causes say; Java's own with the whole chain of causes."""
    seen: BaseException | None = error
    while seen is not None:
        yield str(seen)
        if isinstance(seen, PySparkException):
            yield str(getattr(seen, "_stackTrace", ""))
        seen = seen.__cause__


def _shown(match: re.Match[str]) -> str:
    """The line of a match; without the Java errors that wrap the one that says it."""
    line = match.group().strip()
    inner = _WRAPPERS.sub("", line)
    return (inner if match.re.search(inner) else line)[-_MOST_CHARACTERS:]


def _free(place: str) -> str:
    """Room on the file system of a folder, or of the nearest one above it that is there."""
    if _SCHEME.match(place):
        return "it is not known how much is free"
    folder = os.path.abspath(place.removeprefix("file:"))
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    usage = shutil.disk_usage(folder)
    return f"{usage.free / _GB:,.3f} GB of {usage.total / _GB:,.3f} GB are free"


def _user() -> str:
    return os.environ.get("USER") or str(os.getuid())
