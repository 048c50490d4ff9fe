"""Runs and snapshots: what readers see while a run works, after it failed, and after it was killed."""

from __future__ import annotations

from typing import Any

import pytest

from allofus_spark.tables import (
    PIPELINE_RUNS,
    SAMPLES,
    SNAPSHOTS,
    STRATA,
    Run,
    Table,
    Warehouse,
    Write,
    start_run,
)


def samples_of(warehouse: Warehouse, *names: str) -> Write:
    rows = [("c", name, index, None, None) for index, name in enumerate(names)]
    return Write(SAMPLES, warehouse.spark.createDataFrame(rows, SAMPLES.schema), "callset_id = 'c'")


def stratum_of(warehouse: Warehouse, strata_id: str) -> Write:
    rows = [(strata_id, 0, "c", "afr", "XX", 2)]
    return Write(STRATA, warehouse.spark.createDataFrame(rows, STRATA.schema))


def names_in(frame: Any, column: str) -> list[str]:
    return sorted(row[column] for row in frame.select(column).collect())


def test_readers_see_whole_runs_only(warehouse: Warehouse) -> None:
    def seen(table: Table, column: str) -> list[str]:
        return names_in(warehouse.read(table), column)

    with start_run(warehouse, "first") as run:
        run.write(samples_of(warehouse, "S1"), stratum_of(warehouse, "a"))
        assert warehouse.snapshot() == {}  # nothing has finished yet
        assert names_in(run.read(SAMPLES), "sample_id") == ["S1"]
        run.counters["records_read"] = 7
    assert (seen(SAMPLES, "sample_id"), seen(STRATA, "strata_id")) == (["S1"], ["a"])
    snapshot = warehouse.snapshot()

    # A run that fails after one of its two writes.
    def fail_half_way() -> None:
        with start_run(warehouse, "second") as run:
            run.write(stratum_of(warehouse, "b"))
            assert names_in(run.read(STRATA), "strata_id") == ["a", "b"]
            assert seen(STRATA, "strata_id") == ["a"]
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert warehouse.snapshot() == snapshot
    assert names_in(warehouse.live(STRATA), "strata_id") == ["a", "b"]

    # A run that is killed: nothing is recorded at all.
    killed = Run(warehouse, "third")
    killed.begin()
    killed.write(samples_of(warehouse, "S1", "S2"))

    # The next one starts from the snapshot.
    with start_run(warehouse, "fourth") as run:
        assert names_in(run.read(STRATA), "strata_id") == ["a"]
        assert names_in(run.read(SAMPLES), "sample_id") == ["S1"]
        run.write(stratum_of(warehouse, "c"))
    assert (seen(SAMPLES, "sample_id"), seen(STRATA, "strata_id")) == (["S1"], ["a", "c"])
    assert names_in(warehouse.live(SAMPLES), "sample_id") == ["S1"]

    runs = {(row.stage, row.table_name): row for row in warehouse.live(PIPELINE_RUNS).collect()}
    assert {key: row.status for key, row in runs.items()} == {
        ("first", "samples"): "finished",
        ("first", "strata"): "finished",
        ("second", ""): "failed",
        ("fourth", "strata"): "finished",
    }
    assert runs["second", ""].message == "RuntimeError: half way"
    first = runs["first", "samples"]
    assert (first.rows, first.partition, first.counters) == (1, "callset_id = 'c'", {"records_read": 7})
    assert runs["fourth", "strata"].inputs.keys() == {"samples", "strata"}
    numbers = {row.snapshot_id for row in warehouse.live(SNAPSHOTS).collect()}
    assert numbers == {1, 2}


def test_a_table_that_only_a_failed_run_wrote_is_emptied(warehouse: Warehouse) -> None:
    def stop_half_way() -> None:
        with start_run(warehouse, "stopped") as run:
            run.write(samples_of(warehouse, "S1"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way()
    with start_run(warehouse, "next") as run:
        assert names_in(run.read(SAMPLES), "sample_id") == []
        run.write(samples_of(warehouse, "S2"))
    assert names_in(warehouse.read(SAMPLES), "sample_id") == ["S2"]


def test_a_run_that_writes_nothing_makes_no_snapshot(warehouse: Warehouse) -> None:
    with start_run(warehouse, "idle"):
        pass
    assert warehouse.snapshot() == {}
    (row,) = warehouse.live(PIPELINE_RUNS).collect()
    assert (row.stage, row.table_name, row.status) == ("idle", "", "finished")
