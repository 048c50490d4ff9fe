"""One run at a time: who is kept out, whose lock is taken over, and what a run finds when it ends."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from allofus_spark.errors import WarehouseBusy
from allofus_spark.tables import STRATA, RowsWrite, Run, Warehouse, start_run
from allofus_spark.tables.holder import is_gone, this_process
from allofus_spark.tables.lock import LockFile


def stratum(name: str) -> RowsWrite:
    return RowsWrite(STRATA, [(name, 0, "c", "afr", "XX", 2)])


def strata_in(warehouse: Warehouse) -> list[str]:
    return sorted(row.strata_id for row in warehouse.read(STRATA).collect())


def lock_of(warehouse: Warehouse) -> Path:
    return Path(warehouse.root, "_running")


def ended_process() -> dict[str, Any]:
    """What a process that has ended had written about itself."""
    program = (
        "import json; from allofus_spark.tables.holder import this_process; print(json.dumps(this_process()))"
    )
    return json.loads(subprocess.check_output([sys.executable, "-c", program], text=True))


def test_a_second_run_is_refused_and_changes_nothing(warehouse: Warehouse) -> None:
    with start_run(warehouse, "first") as run:
        run.write(stratum("a"))
        state = warehouse.state(STRATA)
        with pytest.raises(WarehouseBusy) as refusal, start_run(warehouse, "second"):
            pass
        message = str(refusal.value)
        for fact in ("first", run.run_id, str(os.getpid()), socket.gethostname(), str(lock_of(warehouse))):
            assert fact in message
        assert warehouse.state(STRATA) == state
    assert strata_in(warehouse) == ["a"]
    assert not lock_of(warehouse).exists()


def test_a_lock_of_another_host_or_of_nobody_names_the_file_to_delete(warehouse: Warehouse) -> None:
    warehouse.make_root()
    for text in (json.dumps({**ended_process(), "host": "elsewhere"}), ""):
        lock_of(warehouse).write_text(text)
        delete = f"If it is dead, delete {lock_of(warehouse)}"
        with pytest.raises(WarehouseBusy, match=delete), start_run(warehouse, "second"):
            pass
        assert lock_of(warehouse).read_text() == text


def test_a_lock_of_a_dead_process_of_this_host_is_taken_over(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    warehouse.make_root()
    lock_of(warehouse).write_text(json.dumps({"run_id": "r1", "stage": "killed", **ended_process()}))
    with start_run(warehouse, "next") as run:
        assert json.loads(lock_of(warehouse).read_text())["run_id"] == run.run_id
    assert "taking over the lock of run r1 (killed)" in caplog.text
    assert [item.name for item in Path(warehouse.root).iterdir()] == ["registered"]


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        ({}, False),
        ({"process": {"start": "1"}}, True),  # the number belongs to another process by now
        ({"process": {"boot": "before"}, "started": "2001-01-01T00:00:00+00:00"}, True),
        ({"process": {"boot": "another machine of this name"}}, False),
        ({"process": {"names": "pid:[1]"}}, False),  # a number in another container
        ({"host": "elsewhere", "process": {"start": "1"}}, False),
    ],
)
def test_a_process_is_gone_only_where_that_is_certain(change: dict[str, Any], gone: bool) -> None:
    holder = this_process()
    holder |= {**change, "process": {**holder["process"], **change.get("process", {})}}
    assert is_gone(holder) is gone


def test_a_run_does_not_finish_over_a_snapshot_that_it_did_not_see(warehouse: Warehouse) -> None:
    slow, quick = Run(warehouse, "slow"), Run(warehouse, "quick")
    slow.begin()
    slow.write(stratum("slow"))
    quick.begin()  # somebody took the slow one for dead
    quick.write(stratum("quick"))
    quick.finish()
    with pytest.raises(WarehouseBusy, match="recorded snapshot 1 while this one worked from snapshot 0"):
        slow.finish()
    assert strata_in(warehouse) == ["quick"]


@pytest.mark.parametrize("local", [True, False])
def test_a_lock_file_is_made_once_and_removed_only_while_it_is_the_same(
    local: bool, spark: SparkSession, tmp_path: Path
) -> None:
    file = LockFile(spark, str(tmp_path / "_running"))
    if not local:
        file._local = None  # as on a file system that only Hadoop opens
    assert file.read() is None
    assert file.create("one")
    assert not file.create("two")
    file.remove_if("two")
    assert file.read() == "one"
    file.remove_if("one")
    assert file.read() is None
    assert file.create("two")
    file.delete()
    assert not list(tmp_path.iterdir())
