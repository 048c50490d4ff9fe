"""What maintenance does to files, what it must leave alone, and what it says before it does."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from deltalake import DeltaTable
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.cli.maintain import maintain_command
from allofus_spark.errors import SettingsError, WarehouseBusy
from allofus_spark.maintenance import maintain, plan_maintenance
from allofus_spark.maintenance.plan import pack
from allofus_spark.tables import (
    PIPELINE_RUNS,
    SAMPLES,
    SNAPSHOTS,
    STRATA,
    VARIANTS,
    RowsWrite,
    Run,
    SnapshotReader,
    Table,
    Warehouse,
    start_run,
)
from allofus_spark.tables.recipes import BY_HAND
from allofus_spark.tables.stored_files import StoredFile, lying_files, needless_files, stored_files

from .conftest import OpenWarehouse
from .nights import expected, held_rows, strata_on, work

pytestmark = pytest.mark.long

LATER = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=200)


def after(held: Warehouse, nights: int) -> Warehouse:
    for night in range(nights):
        work(held, night)
    return held


@given(st.lists(st.integers(1, 200), max_size=30), st.integers(2, 200))
def test_groups_fit_and_leave_at_most_one_small_file(sizes: list[int], target: int) -> None:
    groups = pack(sizes, target)
    taken = [place for group in groups for place in group]
    assert taken == sorted(set(taken))
    assert all(len(group) > 1 and sum(sizes[place] for place in group) <= target for group in groups)
    merged = [sum(sizes[place] for place in group) for group in groups]
    after_once = merged + [size for place, size in enumerate(sizes) if place not in set(taken)]
    small = [size for size in after_once if 2 * size < target]
    assert len(small) <= 1
    assert len(after_once) <= 2 * sum(sizes) / target + 1
    assert pack(after_once, target) == []


def test_without_maintenance_files_grow_night_by_night(open_with: OpenWarehouse) -> None:
    held = open_with()
    for night in range(4):
        work(held, night)
    assert len(stored_files(held, VARIANTS)) == 4 * 2
    assert len(stored_files(held, STRATA)) == 4


def test_files_become_one_a_partition_sorted_and_with_bounds(open_with: OpenWarehouse) -> None:
    held = after(open_with(), 4)
    plans = {plan.table.name: plan for plan in plan_maintenance(held)}
    assert (len(plans["variants"].files), plans["variants"].n_files_after) == (8, 2)
    maintain(held)
    assert held_rows(held) == expected(4)
    actions = pa.table(DeltaTable(held.path(VARIANTS)).get_add_actions(flatten=True)).to_pylist()
    assert {(row["partition.contig"], row["min.position"], row["max.position"]) for row in actions} == {
        ("chr1", 970, 1000),
        ("chr2", 970, 1000),
    }
    for action in actions:
        positions = pq.read_table(f"{held.path(VARIANTS)}/{action['path']}", partitioning=None)["position"]
        assert positions.to_pylist() == [970, 980, 990, 1000]
    assert not any(
        plan.groups for plan in plan_maintenance(held) if plan.table in (VARIANTS, SAMPLES, STRATA)
    )


def test_large_files_stay_and_row_groups_are_those_of_our_writer(open_with: OpenWarehouse) -> None:
    held = open_with("ingest.target_file_bytes=1_048_576")
    rows = [("s", place, "c", "afr", "XX", place) for place in range(30_000)]
    for number in range(2):  # about 1 MB of Arrow each: as large as they are made
        with start_run(held, "fill") as run:
            run.write(RowsWrite(STRATA, [(f"{number}{row[0]}", *row[1:]) for row in rows]))
    work(held, 0)
    work(held, 1)
    large = {file.name for file in stored_files(held, STRATA) if (file.rows or 0) > 1000}
    maintain(held)
    files = stored_files(held, STRATA)
    assert large <= {file.name for file in files}
    assert len(files) == len(large) + 1
    assert sum(file.rows or 0 for file in files) == 60_002


def test_it_is_one_run_that_changes_no_row(open_with: OpenWarehouse) -> None:
    held = after(open_with(), 3)
    reader = SnapshotReader(held)
    ledger = sorted((row.run_id, row.table_name) for row in held.rows(PIPELINE_RUNS))
    number = held.newest_snapshot().snapshot_id
    maintain(held)
    mine = [row for row in held.rows(PIPELINE_RUNS) if row.stage == "maintain"]
    assert [(row.table_name, row.status, row.output_version) for row in mine] == [("", "finished", None)]
    assert mine[0].counters["files_before"] > mine[0].counters["files_after"]
    kept = sorted((row.run_id, row.table_name) for row in held.rows(PIPELINE_RUNS) if row not in mine)
    assert kept == ledger
    assert {row.snapshot_id for row in held.rows(SNAPSHOTS)} == {1, 2, 3, number + 1}
    assert held.newest_snapshot().snapshot_id == number + 1
    # A reader that began before goes on, by versions of before.
    assert sorted(tuple(row) for row in reader.read(STRATA).collect()) == expected(3)["strata"]
    changes = [entry for entry in DeltaTable(held.path(STRATA)).history() if entry["operation"] == "OPTIMIZE"]
    assert json.loads(changes[0]["userMetadata"])["job"] == "maintain"


def test_a_second_run_has_nothing_to_lay_anew_but_its_own_records(open_with: OpenWarehouse) -> None:
    held = after(open_with(), 3)
    maintain(held)
    states = {table.name: held.state(table) for table in (SAMPLES, VARIANTS, STRATA)}
    snapshot = held.newest_snapshot()
    maintain(held)
    assert {table.name: held.state(table) for table in (SAMPLES, VARIANTS, STRATA)} == states
    assert held.newest_snapshot() == snapshot


def test_only_what_the_retention_lets_go_is_removed(open_with: OpenWarehouse) -> None:
    held = after(open_with(), 4)
    maintain(held)
    orphan = Path(held.path(VARIANTS), "part-of-a-killed-write.parquet")
    orphan.touch()
    before = {table.name: len(lying_files(held, table)) for table in (SAMPLES, VARIANTS, STRATA)}
    maintain(held)
    now = {table.name: len(lying_files(held, table)) for table in (SAMPLES, VARIANTS, STRATA)}
    assert now == before, "all was replaced just now"
    maintain(held, now=LATER)
    assert held_rows(held) == expected(4)
    for table in (SAMPLES, VARIANTS, STRATA):
        assert {file.name for file in lying_files(held, table)} == {
            file.name for file in stored_files(held, table)
        }
    assert not orphan.exists()


def test_delta_would_remove_the_same_files(open_with: OpenWarehouse) -> None:
    held = after(open_with(), 3)
    maintain(held)
    spark = held.spark
    # Delta lists folders in 10,000 tasks unless told otherwise.
    confs = {
        "spark.databricks.delta.retentionDurationCheck.enabled": "false",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
    }
    for table in (VARIANTS, STRATA):
        files = needless_files(held, table, stored_files(held, table), int(LATER.timestamp() * 1000))
        for name, value in confs.items():
            spark.conf.set(name, value)
        try:
            rows = spark.sql(f"VACUUM delta.`{held.path(table)}` RETAIN 0 HOURS DRY RUN").collect()
        finally:
            for name in confs:
                spark.conf.unset(name)
        theirs = {row.path.rsplit("/", 1)[-1] for row in rows if row.path.endswith(".parquet")}
        assert {file.name for file in files} == theirs
        assert theirs


def test_files_of_the_newest_snapshot_outlive_a_killed_write_and_no_retention(
    open_with: OpenWarehouse,
) -> None:
    held = after(open_with("maintenance.retention_hours=0"), 3)
    killed = Run(held, "killed", BY_HAND)
    killed.begin()
    killed.write(RowsWrite(SAMPLES, [], "true"), RowsWrite(STRATA, [], "true"))
    with pytest.raises(SettingsError, match=r"retention_hours = 0 is under .*--force-retention"):
        maintain(held)
    maintain(held, force_retention=True, now=LATER)
    assert held_rows(held) == expected(3)


def test_a_maintenance_that_dies_half_way_loses_nothing(
    open_with: OpenWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = after(open_with(), 3)

    class Killed(BaseException):
        """Stands for a kill -9: nothing is recorded about the run."""

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Run, "finish", die)
        patch.setattr(Run, "fail", lambda *_: None)
        with pytest.raises(Killed):
            maintain(held)
    assert len(stored_files(held, STRATA)) == 1
    assert held_rows(held) == expected(3)
    work(held, 3)
    assert held_rows(held) == expected(4)


def test_rows_that_would_get_lost_stop_it(open_with: OpenWarehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    held = after(open_with(), 2)
    state, files = held.state(STRATA), {file.name for file in lying_files(held, STRATA)}
    real = stored_files

    def one_row_more(held: Warehouse, table: Table) -> list[StoredFile]:
        found = real(held, table)
        return [
            type(file)(file.path, file.bytes, file.partition, (file.rows or 0) + 1, file.first)
            for file in found
        ]

    with monkeypatch.context() as patch:
        patch.setattr("allofus_spark.maintenance.plan.stored_files", one_row_more)
        with pytest.raises(Exception, match="were laid anew with"):
            maintain(held)
    assert held.state(STRATA) == state
    assert {file.name for file in lying_files(held, STRATA)} == files
    assert held_rows(held) == expected(2)


def test_a_file_without_statistics_gets_them(open_with: OpenWarehouse) -> None:
    held = after(open_with(), 1)
    frame = held.spark.createDataFrame(strata_on(0), STRATA.schema).coalesce(1)
    held.spark.conf.set("spark.databricks.delta.stats.collect", "false")
    try:
        frame.write.format("delta").mode("overwrite").option("dataChange", "false").save(held.path(STRATA))
    finally:
        held.spark.conf.unset("spark.databricks.delta.stats.collect")
    assert [file.rows for file in stored_files(held, STRATA)] == [None]
    maintain(held)
    assert [(file.rows, file.first) for file in stored_files(held, STRATA)] == [(1, "night00")]


def test_where_tasks_cannot_open_files_delta_lays_them_anew(open_with: OpenWarehouse) -> None:
    held = open_with()
    held.__dict__["local_root"] = None
    after(held, 3)
    maintain(held)
    assert [len(stored_files(held, table)) for table in (VARIANTS, STRATA)] == [2, 1]
    maintain(held, now=LATER)
    assert held_rows(held) == expected(3)
    assert len(lying_files(held, STRATA)) == 1


def test_a_log_gets_a_checkpoint_when_enough_came(open_with: OpenWarehouse) -> None:
    held = after(open_with("maintenance.commits_per_checkpoint=3"), 4)
    maintain(held)
    log = Path(held.path(STRATA), "_delta_log")
    assert [path.name for path in log.glob("*.checkpoint.parquet")]
    held.spark.catalog.clearCache()
    assert held_rows(held) == expected(4)
    assert not [plan for plan in plan_maintenance(held) if plan.needs_checkpoint]


def test_it_waits_for_no_run_and_disturbs_none(open_with: OpenWarehouse) -> None:
    held = after(open_with(), 2)
    with start_run(held, "at work"), pytest.raises(WarehouseBusy):
        maintain(open_with())
    assert held_rows(held) == expected(2)


def test_dry_run_shows_what_would_be_done_and_does_nothing(
    open_with: OpenWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = after(open_with(), 3)

    @contextmanager
    def opened(*_: object) -> Iterator[Warehouse]:
        yield held

    monkeypatch.setattr("allofus_spark.cli.maintain.open_warehouse", opened)
    before = {table.name: held.state(table) for table in held.existing()}
    shown = CliRunner().invoke(maintain_command, ["--dry-run"], catch_exceptions=False).output
    (line,) = [line.split() for line in shown.splitlines() if line.split()[:1] == ["variants"]]
    assert line[1:3] == ["6", "2"]
    assert "nothing was done" in shown
    assert {table.name: held.state(table) for table in held.existing()} == before
    shown = CliRunner().invoke(maintain_command, [], catch_exceptions=False).output
    assert "laid anew" in shown
    assert len(stored_files(held, VARIANTS)) == 2
