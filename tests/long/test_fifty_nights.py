"""Fifty nights with maintenance once a week: files, logs and bytes stay bounded, rows are those written."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest

from allofus_spark.maintenance import maintain
from allofus_spark.tables import SAMPLES, VARIANTS, Table, Warehouse
from allofus_spark.tables.run_tables import RUN_TABLES
from allofus_spark.tables.stored_files import lying_files, stored_files
from tests.maintenance.nights import CALLSETS_HELD, DAY, clock_of, expected, held_rows, work

NIGHTS, EVERY = 50, 7
RETENTION_DAYS, LOG_DAYS = 7, 30
# What a table can have: rows of each night by one write a partition, and one of maintenance a week.
PARTITIONS = {SAMPLES.name: len(CALLSETS_HELD), VARIANTS.name: 2}
WRITTEN_A_NIGHT = {SAMPLES.name: 1, VARIANTS.name: 2}


def log_files(held: Warehouse, table: Table) -> int:
    return sum(not path.name.startswith(".") for path in Path(held.path(table), "_delta_log").iterdir())


def test_nothing_grows_without_bound(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    held = warehouse
    start = time.time() - NIGHTS * DAY
    with clock_of(held, monkeypatch, start) as clock:
        for night in range(NIGHTS):
            clock.now = start + (night + 1) * DAY
            work(held, night, with_strata=False)
            if night % EVERY == EVERY - 1 or night == NIGHTS - 1:
                maintain(held, now=dt.datetime.fromtimestamp(clock.now, dt.timezone.utc))
                for table in (SAMPLES, VARIANTS):
                    assert len(stored_files(held, table)) == PARTITIONS[table.name], "one file a partition"
                for table in RUN_TABLES:
                    assert len(stored_files(held, table)) <= 2, "one, and the rows of maintain itself"
            clock.date_files()
    right = expected(NIGHTS)
    assert held_rows(held) == {table.name: right[table.name] for table in (SAMPLES, VARIANTS)}
    for table in held.existing():
        # A file that is no longer held lies until the first maintenance a week after it was replaced.
        days, weeks = RETENTION_DAYS + EVERY, (RETENTION_DAYS + EVERY) // EVERY + 1
        live = PARTITIONS.get(table.name, 2)
        most = live + days * WRITTEN_A_NIGHT.get(table.name, 1) + weeks * live
        lying = lying_files(held, table)
        assert len(lying) <= most, table.name
        # What was replaced held fewer rows than the largest file does now, or about as many.
        largest = max(file.bytes for file in stored_files(held, table))
        assert sum(file.bytes for file in lying) <= 1.1 * most * largest, table.name
        # Commits of a month, and of two weeks until a checkpoint was due; maintenance makes two a week.
        days = LOG_DAYS + 1 + 2 * EVERY
        checkpoints_and_others = days // EVERY + 2
        assert log_files(held, table) <= days + 2 * (days // EVERY) + checkpoints_and_others, table.name
