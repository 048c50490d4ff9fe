"""The lease: no two hold it, in whatever order their steps fall, and who was held up too long knows it."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from allofus_spark.errors import WarehouseBusy
from allofus_spark.settings import LeaseSettings, load_settings
from allofus_spark.tables import STRATA, RowsWrite, Run, Warehouse, hold_lease, start_run
from allofus_spark.tables.claims import Claims, HadoopClaims, LocalClaims
from allofus_spark.tables.holder import is_gone, this_process
from allofus_spark.tables.lease import Lease, acquire

QUICK = LeaseSettings(expiry_seconds=1)


def no_pause(_: float) -> None:
    pass


def stratum(name: str) -> RowsWrite:
    return RowsWrite(STRATA, [(name, 0, "c", "afr", "XX", 2)])


def strata_in(warehouse: Warehouse) -> list[str]:
    return sorted(row.strata_id for row in warehouse.read(STRATA).collect())


def claims_in(warehouse: Warehouse) -> list[str]:
    return sorted(path.name for path in Path(warehouse.root, "_lease").iterdir())


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for what another thread does; a busy machine may need its time."""
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def program_output(program: str) -> str:
    return subprocess.check_output([sys.executable, "-c", program], text=True)


def ended_process() -> dict[str, Any]:
    """What a process that has ended had written about itself."""
    program = (
        "import json; from allofus_spark.tables.holder import this_process; print(json.dumps(this_process()))"
    )
    return json.loads(program_output(program))


def claim(claims: Claims, name: str, age_seconds: float = 0, **says: Any) -> Path:
    """A claim that another run has left."""
    text = json.dumps({"state": "holding", "run_id": name, "stage": "other", **this_process(), **says})
    claims.put(name, text)
    path = Path(claims.folder, f"{name}.json")
    at = path.stat().st_mtime - age_seconds
    os.utime(path, (at, at))
    return path


# -- whatever the order of steps --------------------------------------------------------------------


class Store:
    """Claim files in memory, with a clock of their own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.files: dict[str, tuple[str, float]] = {}


class Stopped(BaseException):
    """An actor has tried often enough."""


class Actor:
    """A run in a thread, which takes each step on the store when it is told to, and no earlier.

    It claims, and then renews and checks as long as it holds.
    """

    folder = "memory"

    def __init__(self, store: Store, name: str, atomic: bool, log: list[tuple[str, str]]) -> None:
        self.store, self.name, self.atomic, self.log = store, name, atomic, log
        self.go, self.paused = threading.Semaphore(0), threading.Semaphore(0)
        self.pauses, self.ended = 0, False
        self.thread = threading.Thread(target=self.live, daemon=True)
        self.thread.start()

    def step(self) -> None:
        if not self.ended:
            self.go.release()
            self.paused.acquire()

    def live(self) -> None:
        self.go.acquire()
        with suppress(WarehouseBusy, Stopped):
            lease = acquire(self, self.name, "work", LeaseSettings(expiry_seconds=100), pause=self.pause)
            self.log.append(("holds", self.name))
            for _ in range(3):
                self.renew(self.name, json.dumps({**json.loads(self.read(self.name) or "{}")}))
                self.log.append(("looks", self.name))
                lease.check()
                self.log.append(("may commit", self.name))
        self.ended = True
        self.paused.release()

    def wait(self) -> None:
        self.paused.release()
        self.go.acquire()

    def pause(self, _: float) -> None:
        self.pauses += 1
        if self.pauses > 3:
            raise Stopped
        self.wait()

    def put(self, name: str, text: str) -> None:
        self.wait()
        self.store.files[name] = (text, self.store.now)

    def renew(self, name: str, text: str) -> bool:
        self.wait()
        if name not in self.store.files:
            return False
        if not self.atomic:  # between the look and the write others may act, as in an object store
            self.wait()
        self.store.files[name] = (text, self.store.now)
        return True

    def times(self) -> dict[str, float]:
        self.wait()
        return {name: at for name, (_, at) in self.store.files.items()}

    def read(self, name: str) -> str | None:
        self.wait()
        return self.store.files.get(name, (None, 0))[0]

    def remove(self, name: str) -> None:
        self.wait()
        self.store.files.pop(name, None)


def played(order: list[int], atomic: bool) -> list[tuple[str, str]]:
    """What three runs did whose steps fell in this order; 3 and more: time passes, so that claims expire."""
    store, log = Store(), list[tuple[str, str]]()
    actors = [Actor(store, name, atomic, log) for name in "abc"]
    ending = random.Random(0)
    while not all(actor.ended for actor in actors):
        choice = order.pop(0) if order else ending.randrange(3)
        if choice >= len(actors):
            store.now += 150
        else:
            actors[choice].step()
    return log


@hypothesis.settings(max_examples=300)
@given(st.lists(st.integers(0, 2), max_size=80), st.booleans())
def test_no_two_hold_in_any_order_of_steps(order: list[int], atomic: bool) -> None:
    holders = [name for what, name in played(order, atomic) if what == "holds"]
    assert len(holders) <= 1  # nobody releases, and no claim expires


@hypothesis.settings(max_examples=300)
@given(st.lists(st.integers(0, 3), max_size=80), st.booleans())
def test_nobody_commits_who_looks_after_another_took_over(order: list[int], atomic: bool) -> None:
    log = played(order, atomic)
    holders = [name for what, name in log if what == "holds"]
    for place, (what, name) in enumerate(log):
        if what == "may commit":
            looked = max(at for at, entry in enumerate(log[:place]) if entry == ("looks", name))
            held = log.index(("holds", name))
            assert {entry[1] for entry in log[held:looked] if entry[0] == "holds"} == {name}, (holders, log)


def test_runs_one_after_the_other_each_hold_or_are_refused() -> None:
    assert [name for what, name in played([0] * 40 + [1] * 40, True) if what == "holds"] == ["a"]
    after_expiry = played([0] * 8 + [3] + [1] * 40 + [0] * 40, True)
    assert [name for what, name in after_expiry if what == "holds"] == ["a", "b"]
    assert ("may commit", "b") in after_expiry


# -- on a folder ------------------------------------------------------------------------------------


def test_a_dead_claim_is_taken_over_and_a_live_one_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    claims = LocalClaims(str(tmp_path))
    gone = claim(claims, "r1", **ended_process())
    lease = acquire(claims, "r2", "next", QUICK)
    assert "taking over from other, run r1, of process" in caplog.text
    assert "whose process is gone" in caplog.text
    assert not gone.exists()
    with pytest.raises(WarehouseBusy, match="another run works in this warehouse: next, run r2"):
        acquire(claims, "r3", "third", QUICK)
    assert os.listdir(tmp_path) == ["r2.json"]
    lease.release()
    assert not os.listdir(tmp_path)


def test_a_run_on_another_host_is_taken_over_when_its_claim_is_as_old_as_it_says(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    claims = LocalClaims(str(tmp_path))
    elsewhere = {"host": "elsewhere", "expiry_seconds": 60.0}
    claim(claims, "r1", 50, **elsewhere)  # by its own measure, not by that of the one who looks
    with pytest.raises(WarehouseBusy) as refusal:
        acquire(claims, "r2", "next", QUICK)
    for fact in ("other, run r1", "host elsewhere", str(tmp_path / "r1.json"), "50 s ago", "60 s old"):
        assert fact in str(refusal.value)
    claim(claims, "r1", 61, **elsewhere)
    acquire(claims, "r2", "next", QUICK).check()
    assert "has not renewed its claim for 61 s" in caplog.text


def test_what_cannot_be_read_counts_as_a_claim_until_it_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allofus_spark.tables.lease._TIE_SECONDS", 0)
    claims = LocalClaims(str(tmp_path))
    torn = tmp_path / "torn.json"
    for text in (b"", b'{"stage": "wri', b"[]", b"\xff"):
        torn.write_bytes(text)
        with pytest.raises(WarehouseBusy, match="run unknown"):
            acquire(claims, "r1", "next", LeaseSettings(), pause=no_pause)
    os.utime(torn, (1, 1))
    acquire(claims, "r1", "next", LeaseSettings())
    assert os.listdir(tmp_path) == ["r1.json"]


def test_a_run_that_waits_says_for_whom_and_goes_on_when_the_other_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    claims = LocalClaims(str(tmp_path))
    first = acquire(claims, "r1", "first", QUICK)
    seconds = list[float]()

    def pause(length: float) -> None:
        seconds.append(length)
        if len(seconds) == 3:
            first.release()

    with caplog.at_level(logging.INFO, "allofus_spark"):
        acquire(claims, "r2", "second", LeaseSettings(wait_seconds=3600), pause=pause).check()
    assert len(seconds) == 3
    assert caplog.text.count("second: waiting for first, run r1") == 1


def test_a_claim_stays_fresh_and_is_given_back(tmp_path: Path) -> None:
    claims = LocalClaims(str(tmp_path))
    lease = acquire(claims, "r1", "work", QUICK)
    lease.keep()
    began = claims.times()["r1"]
    wait_until(lambda: claims.times()["r1"] > began)
    lease.release()
    assert claims.times() == {}
    time.sleep(0.4)
    assert claims.times() == {}
    assert not [thread for thread in threading.enumerate() if thread.name == "lease"]


def test_a_store_that_does_not_answer_for_a_moment_costs_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Flaky(LocalClaims):
        failures = 2

        def renew(self, name: str, text: str) -> bool:
            if self.failures:
                self.failures -= 1
                raise OSError("store does not answer")
            return super().renew(name, text)

    plain, claims = LocalClaims(str(tmp_path)), Flaky(str(tmp_path))
    began = claim(plain, "r1").stat().st_mtime
    lease = Lease(claims, "r1", {"expiry_seconds": 0.2})
    lease.keep()
    wait_until(lambda: plain.times()["r1"] > began)
    lease.check()
    assert caplog.text.count("could not be renewed: store does not answer") == 2
    lease.release()


def test_a_process_that_was_stopped_loses_its_claim_and_knows_it(tmp_path: Path) -> None:
    program = f"""
from allofus_spark.settings import LeaseSettings
from allofus_spark.tables.claims import LocalClaims
from allofus_spark.tables.lease import acquire
lease = acquire(LocalClaims({str(tmp_path)!r}), "stopped", "work", LeaseSettings(expiry_seconds=1))
lease.keep()
print("holds", flush=True)
input()
lease.check()
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holds\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.3)
        lease = acquire(LocalClaims(str(tmp_path)), "taker", "next", QUICK)
        process.send_signal(signal.SIGCONT)
        _, said = process.communicate("\n", timeout=20)
    assert process.returncode == 1
    assert "the warehouse was taken over by next, run taker" in said
    lease.check()


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


@pytest.mark.parametrize("make", [lambda _, folder: LocalClaims(folder), HadoopClaims])
def test_claims_of_a_folder_and_of_a_store(
    make: Callable[[SparkSession, str], Claims], spark: SparkSession, tmp_path: Path
) -> None:
    claims = make(spark, str(tmp_path / "_lease"))
    assert claims.times() == {}
    assert claims.read("a") is None
    assert not claims.renew("a", "text")
    claims.remove("a")
    before = time.time()
    claims.put("a", "first")
    claims.put("b", "other")
    os.utime(tmp_path / "_lease" / "b.json", (5, 5))
    times = claims.times()
    assert times["b"] == 5
    assert abs(times["a"] - before) < 2
    assert claims.renew("b", "again é")
    assert claims.times()["b"] >= times["a"]
    assert (claims.read("a"), claims.read("b")) == ("first", "again é")
    claims.remove("a")
    assert set(claims.times()) == {"b"}


# -- of runs ----------------------------------------------------------------------------------------


def test_a_second_run_is_refused_and_changes_nothing(warehouse: Warehouse) -> None:
    with start_run(warehouse, "first") as run:
        run.write(stratum("a"))
        state = warehouse.state(STRATA)
        with pytest.raises(WarehouseBusy) as refusal, start_run(warehouse, "second"):
            pass
        path = f"{warehouse.root}/_lease/{run.run_id}.json"
        for fact in ("first", run.run_id, str(os.getpid()), socket.gethostname(), path):
            assert fact in str(refusal.value)
        assert warehouse.state(STRATA) == state
    assert strata_in(warehouse) == ["a"]
    assert claims_in(warehouse) == []


def test_a_lease_over_several_runs_is_one_claim(warehouse: Warehouse) -> None:
    with hold_lease(warehouse, "nightly"):
        (held,) = claims_in(warehouse)
        with start_run(warehouse, "first") as run:
            run.write(stratum("a"))
            assert claims_in(warehouse) == [held]
            with pytest.raises(WarehouseBusy, match="another run of this process"), start_run(warehouse, "x"):
                pass
        with hold_lease(warehouse, "part"), start_run(warehouse, "second") as run:
            run.write(stratum("b"))
        assert claims_in(warehouse) == [held]
    assert claims_in(warehouse) == []
    assert strata_in(warehouse) == ["a", "b"]
    with start_run(warehouse, "third") as run:
        assert claims_in(warehouse) == [f"{run.run_id}.json"]


@pytest.mark.parametrize("moment", ["before a write", "before the end"])
def test_a_run_that_lost_its_claim_does_not_finish(warehouse: Warehouse, moment: str) -> None:
    with start_run(warehouse, "before") as run:
        run.write(stratum("before"))
    files = sorted(Path(warehouse.root).rglob("strata/*.parquet"))

    def lose() -> None:
        with start_run(warehouse, "paused") as run:
            if moment == "before the end":
                run.write(stratum("lost"))
            claim(LocalClaims(f"{warehouse.root}/_lease"), "taker")
            if moment == "before a write":
                run.write(stratum("lost"))

    with pytest.raises(WarehouseBusy, match="taken over by other, run taker"):
        lose()
    assert claims_in(warehouse) == ["taker.json"]
    assert strata_in(warehouse) == ["before"]
    if moment == "before a write":
        assert sorted(Path(warehouse.root).rglob("strata/*.parquet")) == files
    Path(warehouse.root, "_lease", "taker.json").unlink()
    with start_run(warehouse, "after") as run:
        run.write(stratum("after"))
    assert strata_in(warehouse) == ["after", "before"]


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


def test_a_second_run_waits_for_the_first(warehouse: Warehouse) -> None:
    settings = load_settings(warehouse=warehouse.root, overrides=["lease.wait_seconds=300"])
    patient = Warehouse(warehouse.spark, settings)

    def second() -> None:
        with start_run(patient, "second") as run:
            run.write(stratum("b"))

    thread = threading.Thread(target=second)
    with start_run(warehouse, "first") as run:
        thread.start()
        time.sleep(1)
        run.write(stratum("a"))
    thread.join(300)
    assert strata_in(warehouse) == ["a", "b"]
