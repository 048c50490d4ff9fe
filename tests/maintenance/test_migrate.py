"""Tables of an earlier version gain columns by a migration; anything else is refused, newer ones named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from allofus_spark.cli.maintain import migrate_command
from allofus_spark.errors import ContractViolation
from allofus_spark.maintenance import find_migrations, maintain, migrate
from allofus_spark.tables import (
    PIPELINE_RUNS,
    SAMPLES,
    SNAPSHOTS,
    STRATA,
    Column,
    RowsWrite,
    SnapshotReader,
    Table,
    Warehouse,
    start_run,
)
from allofus_spark.tables.commits import commit_metadata, read_metadata
from allofus_spark.tables.shape import SCHEMA_PROPERTY, SCHEMA_VERSION
from allofus_spark.tables.types import LONG
from allofus_spark.tables.writer import commit, prepare

from .conftest import OpenWarehouse
from .nights import samples_on, strata_on, work

GAINED = {
    "pipeline_runs": ("scope", "parameters", "fingerprint", "partitions", "snapshot_id", "run_seconds"),
    "samples": ("ancestry",),
}
STARTED = dt.datetime(2025, 1, 1, tzinfo=dt.timezone.utc)


def without(table: Table, *names: str) -> Table:
    return replace(table, columns=tuple(item for item in table.columns if item.name not in names))


def put(held: Warehouse, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    for part in prepare(held, RowsWrite(table, rows)):
        commit(held, part, {})


def old_warehouse(held: Warehouse, samples: Table | None = None) -> Warehouse:
    """A warehouse as the version before made it: samples, strata, and one run."""
    old = without(SAMPLES, *GAINED["samples"])
    put(held, samples or old, [row[:4] for row in samples_on(0, "a")])
    put(held, STRATA, strata_on(0))
    run = ("r1", "ingest", "samples", "true", "finished", None, {}, 0, 3, {}, [], STARTED, 1.0, "0.1", "hash")
    put(held, without(PIPELINE_RUNS, *GAINED["pipeline_runs"]), [run])
    put(held, SNAPSHOTS, [(1, name, 0, "r1") for name in ("samples", "strata")])
    return Warehouse(held.spark, held.settings)


@pytest.fixture
def old(open_with: OpenWarehouse) -> Warehouse:
    return old_warehouse(open_with())


def data_files(held: Warehouse) -> set[Path]:
    return set(Path(held.root).rglob("*.parquet"))


def test_every_command_that_meets_an_old_table_says_what_to_do(old: Warehouse) -> None:
    needed = r"samples: an earlier version .* has no column ancestry\. Run allofus migrate"
    with pytest.raises(ContractViolation, match=r"pipeline_runs: .* no columns scope, .*Run allofus migrate"):
        work(old, 0)
    with pytest.raises(ContractViolation, match="Run allofus migrate"):
        maintain(old)
    for read in (
        lambda: old.read(SAMPLES),
        lambda: old.live(SAMPLES),
        lambda: SnapshotReader(old).rows(SAMPLES),
        lambda: put(old, SAMPLES, samples_on(0, "b")),
    ):
        with pytest.raises(ContractViolation, match=needed):
            read()
    assert old.read(STRATA).count() == 1, "what did not change is read as ever"


def test_a_migration_adds_columns_without_a_file(old: Warehouse) -> None:
    files = data_files(old)
    found = find_migrations(old)
    assert {item.table.name: tuple(item.columns) for item in found} == {**GAINED, "snapshots": ()}
    migrate(old)
    assert files <= data_files(old)
    assert not [path for path in data_files(old) - files if "samples" in path.parts]
    schema = old.read(SAMPLES).schema
    assert schema == SAMPLES.schema, "columns in the contract's order, with comments"
    assert [tuple(row) for row in old.read(SAMPLES).orderBy("sample_id").collect()] == [
        (*row[:4], None) for row in samples_on(0, "a")
    ]
    of_before = [row for row in old.rows(PIPELINE_RUNS) if row.run_id == "r1"]
    assert [(row.stage, row.rows, row.partitions) for row in of_before] == [("ingest", 3, None)]
    assert old.snapshot()["samples"] == 1
    assert [row.stage for row in old.rows(PIPELINE_RUNS)].count("migrate") == 1
    assert find_migrations(old) == []
    state = old.state(SAMPLES)
    assert migrate(old) == []
    assert old.state(SAMPLES) == state
    work(old, 1)  # callset b
    maintain(old)
    assert {(row.sample_id, row.ancestry) for row in old.read(SAMPLES).collect()} == {
        *((f"a{number}", None) for number in range(3)),
        *((f"b{number}", "eur") for number in range(3)),
    }


class Killed(BaseException):
    """Stands for a kill -9: nothing is recorded about the run."""


@contextmanager
def killed_at_commit(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[None]:
    """End before the commit of this number, from 0."""
    done = []

    def stop(*given: object) -> int:
        if len(done) == number:
            raise Killed
        done.append(given)
        return commit_metadata(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        # By its module: the package shows the function of that name.
        patch.setattr(import_module("allofus_spark.maintenance.migrate"), "commit_metadata", stop)
        patch.setattr("allofus_spark.tables.runs.Run.fail", lambda *_: None)
        patch.setattr("allofus_spark.tables.runs.Run.finish", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            yield


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_killed_migration_leaves_tables_readable_and_is_gone_on_with(
    old: Warehouse, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with killed_at_commit(monkeypatch, number):
        migrate(old)
    fresh = Warehouse(old.spark, old.settings)
    assert fresh.snapshot() == {"samples": 0, "strata": 0}
    names = old.spark.read.format("delta").load(old.path(SAMPLES)).select("sample_id").collect()
    assert {row.sample_id for row in names} == {"a0", "a1", "a2"}
    migrate(fresh)
    assert fresh.read(SAMPLES).count() == 3
    assert find_migrations(fresh) == []
    work(fresh, 0)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            replace(
                without(SAMPLES, "ancestry"),
                columns=tuple(
                    Column("sample_index", LONG, "A wider number", True)
                    if item.name == "sample_index"
                    else item
                    for item in without(SAMPLES, "ancestry").columns
                ),
            ),
            "samples: cannot be migrated, .*: column sample_index is bigint in the table, not int",
        ),
        (replace(without(SAMPLES, "ancestry"), partition_by=()), "the table is partitioned by nothing"),
    ],
)
def test_what_is_no_addition_is_refused_by_name(open_with: OpenWarehouse, made: Table, message: str) -> None:
    held = old_warehouse(open_with(), made)
    states = {table.name: held.state(table) for table in (SAMPLES, STRATA, PIPELINE_RUNS, SNAPSHOTS)}
    with pytest.raises(ContractViolation, match=message + ".*Nothing was changed"):
        migrate(held)
    assert {table.name: held.state(table) for table in (SAMPLES, STRATA, PIPELINE_RUNS, SNAPSHOTS)} == states


def test_an_older_version_says_that_it_is_older(open_with: OpenWarehouse) -> None:
    held = open_with()
    work(held, 0)
    newer = replace(STRATA, columns=(*STRATA.columns, Column("weight", LONG, "Of a later version", True)))
    metadata = {**read_metadata(held.spark, held.path(STRATA)), "schemaString": newer.schema.json()}
    with start_run(held, "newer") as run:
        run.note_same_rows(STRATA, commit_metadata(held.spark, held.path(STRATA), metadata))
    with start_run(held, "older") as run:
        message = "strata: the table has column weight, which allofus-spark .* does not know: a newer version"
        with pytest.raises(ContractViolation, match=message):
            run.write(RowsWrite(STRATA, strata_on(1)))
    with pytest.raises(ContractViolation, match=r"a newer version wrote it\. Upgrade allofus-spark"):
        migrate(held)


def test_a_reader_is_told_too(open_with: OpenWarehouse) -> None:
    held = open_with()
    work(held, 0)
    metadata = read_metadata(held.spark, held.path(SNAPSHOTS))
    assert metadata["configuration"][SCHEMA_PROPERTY] == str(SCHEMA_VERSION)
    configuration = {**metadata["configuration"], SCHEMA_PROPERTY: str(SCHEMA_VERSION + 1)}
    commit_metadata(held.spark, held.path(SNAPSHOTS), {**metadata, "configuration": configuration})
    message = rf"newer version of allofus-spark \(schema {SCHEMA_VERSION + 1}; .* Upgrade allofus-spark"
    for use in (lambda: held.read(STRATA), lambda: work(held, 1), lambda: migrate(held)):
        with pytest.raises(ContractViolation, match=message):
            use()


def test_the_command_lists_columns_and_dry_run_adds_none(
    old: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def opened(*_: object) -> Iterator[Warehouse]:
        yield old

    monkeypatch.setattr("allofus_spark.cli.maintain.open_warehouse", opened)
    shown = CliRunner().invoke(migrate_command, ["--dry-run"], catch_exceptions=False).output
    assert "samples: ancestry\n" in shown
    assert "nothing was done" in shown
    assert len(find_migrations(old)) == 3
    CliRunner().invoke(migrate_command, [], catch_exceptions=False)
    shown = CliRunner().invoke(migrate_command, [], catch_exceptions=False).output
    assert "every table is as this version writes it" in shown
