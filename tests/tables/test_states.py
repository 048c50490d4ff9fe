"""The state of a table, which is kept until its log changes, is never that of before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable

from allofus_spark.tables import STRATA, RowsWrite, Warehouse, start_run
from allofus_spark.tables import warehouse as warehouses


def write_stratum(warehouse: Warehouse, strata_id: str) -> None:
    with start_run(warehouse, "fill") as run:
        run.write(RowsWrite(STRATA, [(strata_id, 0, "c", "afr", "XX", 2)], "true"))


def version_of(warehouse: Warehouse) -> int | None:
    state = warehouse.state(STRATA)
    return None if state is None else state.version


def test_the_state_follows_other_writers_and_whoever_moves_folders(warehouse: Warehouse) -> None:
    folder = Path(warehouse.path(STRATA))
    write_stratum(warehouse, "a")
    first = version_of(warehouse)
    assert first is not None
    shutil.copytree(folder, folder.with_name("kept"))
    write_stratum(Warehouse(warehouse.spark, warehouse.settings), "b")
    assert version_of(warehouse) == first + 1
    DeltaTable(folder).delete("strata_id = 'b'")
    assert version_of(warehouse) == first + 2
    shutil.rmtree(folder)
    assert version_of(warehouse) is None
    shutil.move(folder.with_name("kept"), folder)
    assert version_of(warehouse) == first


def test_a_state_that_is_known_is_not_asked_for(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stratum(warehouse, "a")
    known = warehouse.state(STRATA)
    monkeypatch.setattr(warehouses, "read_state", lambda *_: pytest.fail("Delta was asked"))
    assert warehouse.state(STRATA) == known
