"""Readers beside runs: what they join is of one snapshot, whatever else is written, killed or laid anew."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from deltalake import DeltaTable, write_deltalake

from allofus_spark.errors import ContractViolation, WarehouseBusy
from allofus_spark.tables import (
    SAMPLES,
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

pytestmark = pytest.mark.long

ROWS = 3


def generation(number: int) -> tuple[RowsWrite, RowsWrite]:
    """Both tables anew: every row says the number."""
    strata = [(f"g{number}", index, "c", "afr", "XX", 2) for index in range(ROWS)]
    samples = [("c", f"g{number}_{index}", index, None, None) for index in range(ROWS)]
    return RowsWrite(STRATA, strata, WHOLE_TABLE), RowsWrite(SAMPLES, samples, "callset_id = 'c'")


def joined(warehouse: Warehouse) -> set[str]:
    """The generations that a reader finds who joins the two tables by row; two, where they do not fit."""
    reader = SnapshotReader(warehouse)
    strata = {row.stratum_index: row.strata_id for row in reader.rows(STRATA)}
    samples = {row.sample_index: row.sample_id.split("_")[0] for row in reader.rows(SAMPLES)}
    assert strata.keys() == samples.keys() == set(range(ROWS))
    return {*strata.values(), *samples.values()}


@contextmanager
def reader_beside(warehouse: Warehouse) -> Iterator[list[set[str]]]:
    """A reader of its own, without rest, while the block runs; what it saw at each look."""
    seen: list[set[str]] = []
    errors: list[BaseException] = []
    stop = threading.Event()

    def poll() -> None:
        own = Warehouse(warehouse.spark, warehouse.settings)
        try:
            while not stop.is_set():
                seen.append(joined(own))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
    assert not errors, errors


def test_a_reader_that_joins_two_tables_always_sees_one_snapshot(warehouse: Warehouse) -> None:
    def change(number: int) -> None:
        with start_run(warehouse, f"change {number}") as run:
            for write in generation(number):  # one after the other, as most stages do
                run.write(write)

    change(0)
    with reader_beside(warehouse) as seen:
        change(1)
        killed = Run(warehouse, "killed")  # nothing is recorded of a run that is killed
        killed.begin()
        killed.write(generation(666)[0])
        DeltaTable(warehouse.path(STRATA)).optimize.compact()
        change(2)
        looks = len(seen)
        while len(seen) < looks + 2 and threading.active_count() > 1:
            time.sleep(0.05)
    assert len(seen) > 10
    assert all(len(generations) == 1 for generations in seen), seen
    numbers = [int(name[1:]) for (name,) in seen]
    assert numbers == sorted(numbers)
    assert set(numbers) == {0, 1, 2}


def test_no_reader_takes_a_file_that_no_commit_names(warehouse: Warehouse) -> None:
    with start_run(warehouse, "first") as run:
        run.write(*generation(0))
    for table in (STRATA, SAMPLES):
        for file in Path(warehouse.path(table)).rglob("*.parquet"):
            shutil.copy(file, file.with_name(f"part-orphan-{file.name}"))
    assert joined(warehouse) == {"g0"}
    with start_run(warehouse, "second") as run:
        assert run.read(STRATA).count() == ROWS
        assert sum(file.rows for file in run.files(STRATA)) == ROWS
        assert len(run.rows(STRATA)) == ROWS
        run.write(RowsWrite(STRATA, [("more", 0, "c", "afr", "XX", 2)]))
    assert warehouse.read(STRATA).count() == ROWS + 1


def files_of(warehouse: Warehouse, table: Table) -> list[str]:
    return DeltaTable(warehouse.path(table)).file_uris()


def append_rows(name: str) -> RowsWrite:
    return RowsWrite(STRATA, [(name, 0, "c", "afr", "XX", 2)])


@pytest.fixture
def in_two_files(warehouse: Warehouse) -> Warehouse:
    """Strata a and b in two files, so that there is something to lay anew."""
    with start_run(warehouse, "first") as run:
        run.write(append_rows("a"))
        run.write(append_rows("b"))
    return warehouse


def strata_in(warehouse: Warehouse) -> set[str]:
    return {row.strata_id for row in warehouse.read(STRATA).collect()}


@pytest.mark.parametrize("replace", ["", WHOLE_TABLE])
@pytest.mark.parametrize("by_spark", [False, True])
def test_files_laid_anew_before_and_after_a_write_lose_nothing(
    replace: str, by_spark: bool, in_two_files: Warehouse
) -> None:
    rows = [("c", 0, "c", "afr", "XX", 2)]
    with start_run(in_two_files, "second") as run:
        DeltaTable(in_two_files.path(STRATA)).optimize.compact()
        assert len(files_of(in_two_files, STRATA)) == 1
        if by_spark:
            run.write(Write(STRATA, in_two_files.spark.createDataFrame(rows, STRATA.schema), replace))
        else:
            run.write(RowsWrite(STRATA, rows, replace))
        run.write(append_rows("d"))
        DeltaTable(in_two_files.path(STRATA)).optimize.compact()
        assert len(files_of(in_two_files, STRATA)) == 1
    assert strata_in(in_two_files) == {"c", "d"} | ({"a", "b"} if not replace else set())
    with start_run(in_two_files, "third") as run:
        run.write(append_rows("e"))
    assert strata_in(in_two_files) >= {"c", "d", "e"}


@pytest.mark.parametrize("replace", ["", WHOLE_TABLE])
def test_files_laid_anew_in_the_middle_of_a_commit_lose_nothing(
    replace: str, in_two_files: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    from allofus_spark.tables import commits

    begin = commits._begin

    def begun_then_laid_anew(*arguments: object) -> object:
        transaction = begin(*arguments)
        if len(files_of(in_two_files, STRATA)) > 1:
            DeltaTable(in_two_files.path(STRATA)).optimize.compact()
        return transaction

    with start_run(in_two_files, "second") as run:
        monkeypatch.setattr(commits, "_begin", begun_then_laid_anew)
        run.write(RowsWrite(STRATA, [("c", 0, "c", "afr", "XX", 2)], replace))
    assert strata_in(in_two_files) == {"c"} | ({"a", "b"} if not replace else set())


def test_rows_of_another_writer_are_not_taken_for_the_run_s(in_two_files: Warehouse) -> None:
    """A process that outlived its lease writes between two writes of the run that took over."""

    def work() -> None:
        with start_run(in_two_files, "second") as run:
            run.write(append_rows("c"))
            late = Run(in_two_files, "late")
            late.write(append_rows("late"))
            run.write(append_rows("d"))

    with pytest.raises(WarehouseBusy, match="another process changed rows of table strata"):
        work()
    assert strata_in(in_two_files) == {"a", "b"}
    with start_run(in_two_files, "third") as run:
        run.write(append_rows("e"))
    assert strata_in(in_two_files) == {"a", "b", "e"}


def test_a_table_that_was_deleted_is_missed_and_made_anew(
    in_two_files: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    with start_run(in_two_files, "samples") as run:
        run.write(generation(0)[1])
    folder = in_two_files.path(STRATA)
    shutil.rmtree(folder)
    with pytest.raises(ContractViolation, match=r"table strata was deleted.*run allofus frequencies"):
        in_two_files.read(STRATA)
    killed = Run(in_two_files, "killed")  # makes it anew, from version 0 on
    killed.begin()
    killed.write(append_rows("x"))
    with start_run(in_two_files, "next") as run:
        assert not run.rows(STRATA)
        run.write(append_rows("y"))
    assert "somebody deleted table strata; to have it again, run allofus frequencies" in caplog.text
    assert strata_in(in_two_files) == {"y"}
    assert in_two_files.read(SAMPLES).count() == ROWS


def test_a_table_that_another_tool_appends_to_is_as_before(in_two_files: Warehouse) -> None:
    """What no run has recorded is undone by the next one."""
    rows = DeltaTable(in_two_files.path(STRATA)).to_pyarrow_table()
    write_deltalake(in_two_files.path(STRATA), rows, mode="append")
    assert in_two_files.read(STRATA).count() == 2
    with start_run(in_two_files, "next") as run:
        run.write(append_rows("c"))
    assert in_two_files.read(STRATA).count() == 3
