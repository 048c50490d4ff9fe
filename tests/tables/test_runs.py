"""Runs and snapshots: what readers see while a run works, after it failed, and after it was killed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from allofus_spark.cohort import check_build
from allofus_spark.errors import BuildMismatch, ContractViolation, StorageProblem
from allofus_spark.genome import load_build
from allofus_spark.tables import (
    BUILD_PROPERTY,
    CALLSETS,
    PIPELINE_RUNS,
    SAMPLES,
    SNAPSHOTS,
    STRATA,
    WHOLE_TABLE,
    RowsWrite,
    Run,
    SnapshotReader,
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


@pytest.mark.long
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


def strata(*names: str, replace: str = "") -> RowsWrite:
    return RowsWrite(STRATA, [(name, 0, "c", "afr", "XX", 2) for name in names], replace)


def callset(build: str) -> RowsWrite:
    row = ("c", dt.date(2026, 1, 1), build, 1, "", "", [], None, [], None)
    return RowsWrite(CALLSETS, [row], "callset_id = 'c'", {BUILD_PROPERTY: build})


def test_files_laid_anew_by_another_tool_are_the_same_snapshot(warehouse: Warehouse) -> None:
    with start_run(warehouse, "first") as run:
        run.write(strata("a"))
        run.write(strata("b"))
    path, snapshot = warehouse.path(STRATA), warehouse.snapshot()
    DeltaTable(path).optimize.compact()
    DeltaTable(path).vacuum(0, enforce_retention_duration=False, dry_run=False)
    assert warehouse.snapshot() == snapshot
    assert names_in(warehouse.read(STRATA), "strata_id") == ["a", "b"]
    assert {row.strata_id for row in SnapshotReader(warehouse).rows(STRATA)} == {"a", "b"}
    Run(warehouse, "killed").write(strata("x"))
    assert names_in(warehouse.read(STRATA), "strata_id") == ["a", "b"]
    with start_run(warehouse, "second") as run:
        run.write(strata("c"))
    assert names_in(warehouse.read(STRATA), "strata_id") == ["a", "b", "c"]


def test_what_an_unfinished_run_laid_anew_is_undone_with_its_columns(warehouse: Warehouse) -> None:
    with start_run(warehouse, "first") as run:
        run.write(strata("a"))
    wide = Table(STRATA.name, STRATA.zone, STRATA.grain, STRATA.key, STRATA.columns[:-1])
    Run(warehouse, "killed").write(RowsWrite(wide, [("x", 0, "c", "afr", "XX")], WHOLE_TABLE))
    with start_run(warehouse, "second") as run:
        assert run.read(STRATA).columns == [column.name for column in STRATA.columns]
        assert names_in(run.read(STRATA), "strata_id") == ["a"]


def test_a_snapshot_that_cannot_be_recorded_leaves_no_finished_run(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Run._append

    def but_snapshots(run: Run, table: Table, rows: Any) -> None:
        if table is SNAPSHOTS:
            raise OSError("No space left on device")
        append(run, table, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "_append", but_snapshots)
        with pytest.raises(StorageProblem, match="No space"), start_run(warehouse, "full") as run:
            run.write(strata("a"))
    rows = {row.table_name: row for row in warehouse.live(PIPELINE_RUNS).collect()}
    assert {name: row.status for name, row in rows.items()} == {"strata": "failed", "": "failed"}
    assert "next run undoes" in rows["strata"].message
    assert "No space" in rows[""].message


def test_what_was_undone_is_not_undone_again(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with start_run(warehouse, "first") as run:
        run.write(strata("a"))
    killed = Run(warehouse, "killed")
    killed.begin()
    killed.write(strata("b"))
    # As when it dies between the two tables of the ledger.
    record = killed._record("finished", written=killed.written[0][0], seconds=1.0, snapshot_id=2)
    killed._append(PIPELINE_RUNS, [record])
    with start_run(warehouse, "idle"):
        pass
    assert warehouse.newest_snapshot().snapshot_id == 2
    assert {row.stage: row.status for row in warehouse.live(PIPELINE_RUNS).collect()} == {
        "first": "finished",
        "killed": "failed",
        "idle": "finished",
    }
    state = warehouse.state(STRATA)
    with start_run(warehouse, "idle again"):
        pass
    assert warehouse.state(STRATA) == state
    assert names_in(warehouse.read(STRATA), "strata_id") == ["a"]


def test_an_unfinished_first_run_does_not_fix_the_build(warehouse: Warehouse) -> None:
    killed = Run(warehouse, "killed")
    killed.begin()
    killed.write(callset("GRCh37"))
    with start_run(warehouse, "next") as run:
        check_build(warehouse, load_build("GRCh38"))
        assert warehouse.table_property(BUILD_PROPERTY) is None
        run.write(callset("GRCh38"))
    assert warehouse.table_property(BUILD_PROPERTY) == "GRCh38"
    with pytest.raises(BuildMismatch, match="holds build GRCh38, the source is GRCh37"):
        check_build(warehouse, load_build("GRCh37"))


def test_failed_writes_and_dead_runs_leave_no_files(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files() -> list[Path]:
        return sorted(Path(warehouse.root).rglob("*.parquet"))

    with start_run(warehouse, "first") as run:
        run.write(strata("a"))
    before = files()

    def full(*_: Any, **__: Any) -> int:
        raise OSError("No space left on device")

    run = Run(warehouse, "failing")
    with monkeypatch.context() as patch:
        patch.setattr("allofus_spark.tables.writer.commit_files", full)
        with pytest.raises(OSError, match="No space"):
            run.write(strata("b"))
    assert files() == before
    # The second write is refused when the files of the first lie there already.
    bad = RowsWrite(SAMPLES, [("c", "S1", -1, None, None)])
    with pytest.raises(ContractViolation, match="sample_index_not_negative"):
        run.write(strata("b"), bad)
    with monkeypatch.context() as patch:
        patch.setattr("allofus_spark.tables.data_files.os.path.getsize", full)  # the file is there
        with pytest.raises(OSError, match="No space"):
            run.write(strata("b"))
    assert files() == before
    staged = Path(warehouse.root, "_staging", "dead", "part-00000.parquet")
    staged.parent.mkdir(parents=True)
    staged.touch()
    with start_run(warehouse, "next"):
        assert files() == before
    assert names_in(warehouse.read(STRATA), "strata_id") == ["a"]
