"""One run at a time in a warehouse: a lock file that says who works there.

A run undoes what an unfinished one left in the tables; while another works, that would be its fresh commits.
The lock of a process that is gone, on this host, is taken over. Whether a run on another host still lives
cannot be told from here.
"""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from allofus_spark.errors import WarehouseBusy
from allofus_spark.hadoop import hadoop_path
from allofus_spark.tables.holder import Holder, is_gone, this_process

LOCK_NAME = "_running"

_log = logging.getLogger(__name__)


@contextmanager
def only_run(spark: SparkSession, root: str, run_id: str, stage: str) -> Iterator[None]:
    """Hold the warehouse's lock; raises WarehouseBusy, saying who holds it and what to do."""
    file = LockFile(spark, f"{root}/{LOCK_NAME}")
    mine = json.dumps({"run_id": run_id, "stage": stage, **this_process()})
    if not file.create(mine):
        _take_over(file, mine)
    try:
        yield
    finally:
        if file.read() == mine:  # not the lock of another run, where somebody deleted this one
            file.delete()


def _take_over(file: LockFile, mine: str) -> None:
    text = file.read()
    if text is not None:
        holder = _parsed(text)
        if not is_gone(holder):
            raise WarehouseBusy(_refusal(file.path, holder))
        _log.warning(
            "warning: taking over the lock of run %s (%s), whose process %s is gone",
            *(holder.get(key) for key in ("run_id", "stage", "pid")),
        )
        file.remove_if(text)
    if not file.create(mine):
        raise WarehouseBusy(_refusal(file.path, _parsed(file.read() or "")))


def _parsed(text: str) -> Holder:
    """What a lock says; empty where a run is just writing it, or died while it did."""
    with suppress(ValueError):
        holder = json.loads(text)
        if isinstance(holder, dict):
            return holder
    return {}


def _refusal(path: str, holder: Holder) -> str:
    known = {key: holder.get(key, "unknown") for key in ("run_id", "stage", "host", "pid", "started")}
    return (
        "another run works in this warehouse: {stage}, run {run_id}, since {started}, process {pid} on host "
        "{host}. Wait until it ends. If it is dead, delete {path} and start again."
    ).format(**known, path=path)


class LockFile:
    """A small text file, made where there is none in one step."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.path = path
        self._jvm: Any = spark._jvm
        self._file_system, self._path = hadoop_path(spark, path)
        uri = self._file_system.makeQualified(self._path).toUri()
        # Hadoop's local file system looks first and makes the file then; two runs could do so at once.
        self._local = str(uri.getPath()) if uri.getScheme() == "file" else None

    def create(self, text: str) -> bool:
        """Make the file; False where it is there."""
        if self._local is not None:
            try:
                descriptor = os.open(self._local, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                return False
            with open(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
            return True
        try:
            stream = self._file_system.create(self._path, False)
        except Py4JJavaError:
            if self._file_system.exists(self._path):
                return False
            raise
        stream.write(bytearray(text.encode()))
        stream.close()
        return True

    def read(self) -> str | None:
        """The content; None where the file is not there."""
        return self._text(self._path)

    def delete(self) -> None:
        self._file_system.delete(self._path, False)

    def remove_if(self, text: str) -> None:
        """Remove the file, unless another run has put its own in its place meanwhile."""
        aside = self._path.suffix(f".{uuid.uuid4().hex}")
        if not self._file_system.rename(self._path, aside):
            return
        if self._text(aside) == text:
            self._file_system.delete(aside, False)
        else:
            self._file_system.rename(aside, self._path)

    def _text(self, path: Any) -> str | None:
        try:
            stream = self._file_system.open(path)
        except Py4JJavaError:
            if self._file_system.exists(path):
                raise
            return None
        try:
            return bytes(self._jvm.org.apache.commons.io.IOUtils.toByteArray(stream)).decode()
        finally:
            stream.close()
