"""Disks that are full and folders that cannot be written: an error that says so, and tables as before."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from allofus_spark.errors import AllofusError, SettingsError, StorageProblem
from allofus_spark.settings import load_settings
from allofus_spark.tables import STRATA, WHOLE_TABLE, ArrowWrite, RowsWrite, Warehouse, Write, start_run
from allofus_spark.tables.storage import storage_problem
from tests.conftest import REQUIRE_ALL

MEGABYTE = 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        message = f"root may not mount a tmpfs here: {mounted.stderr}"
        pytest.fail(message) if REQUIRE_ALL else pytest.skip(message)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def small(disk: Path, spark: SparkSession) -> Warehouse:
    """A warehouse on the small disk, with one row of strata."""
    warehouse = Warehouse(spark, load_settings(warehouse=str(disk / "warehouse")))
    with start_run(warehouse, "first") as run:
        run.write(RowsWrite(STRATA, [("before", 0, "c", "afr", "XX", 2)]))
    return warehouse


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 1024):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    return path


def strata_in(warehouse: Warehouse) -> list[str]:
    return sorted(row.strata_id for row in warehouse.read(STRATA).collect())


def data_files(warehouse: Warehouse) -> list[Path]:
    return sorted(Path(warehouse.path(STRATA)).glob("*.parquet"))


def by_driver(warehouse: Warehouse) -> RowsWrite:
    return RowsWrite(STRATA, [("full", 0, "c", "afr", "XX", 2)])


def by_spark(warehouse: Warehouse) -> Write:
    rows = [("full", 0, "c", "afr", "XX", 2)]
    return Write(STRATA, warehouse.spark.createDataFrame(rows, STRATA.schema))


def by_tasks(warehouse: Warehouse) -> ArrowWrite:
    schema = to_arrow_schema(STRATA.schema)

    def make(batches: Any) -> Any:
        for batch in batches:
            row = ("full", 0, "c", "afr", "XX", 2)
            columns = [
                pa.array([value] * batch.num_rows, item.type) for value, item in zip(row, schema, strict=True)
            ]
            yield "strata", pa.RecordBatch.from_arrays(columns, schema=schema)

    return ArrowWrite(warehouse.spark.range(1), make, [(STRATA, WHOLE_TABLE)])


@pytest.mark.parametrize("make", [by_driver, by_spark, by_tasks])
def test_a_disk_that_is_full_in_the_middle_of_a_run(
    make: Callable[[Warehouse], Any], small: Warehouse, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = data_files(small)

    def run_full() -> None:
        with start_run(small, "second") as run:
            fill(disk)
            run.write(make(small))

    with pytest.raises(StorageProblem) as caught:
        run_full()
    for fact in ("no room is left", "No space left on device", "0.000 GB of 0.008 GB are free", "as before"):
        assert fact in str(caught.value)
    assert "second: the failed run could not be recorded: no room is left" in caplog.text
    assert "Traceback" not in caplog.text
    assert strata_in(small) == ["before"]
    if make is not by_spark:  # Spark's writer leaves what it had begun for VACUUM
        assert data_files(small) == files
    (disk / "filler").unlink()
    assert not list((disk / "warehouse" / "_lease").iterdir())
    with start_run(small, "third") as run:
        run.write(by_driver(small))
    assert strata_in(small) == ["before", "full"]


def test_a_disk_that_is_full_before_a_run(small: Warehouse, disk: Path) -> None:
    fill(disk)
    with pytest.raises(StorageProblem, match="no room is left"), start_run(small, "second"):
        pytest.fail("the run began")
    assert strata_in(small) == ["before"]
    (disk / "filler").unlink()
    with start_run(small, "third"):
        pass


def test_a_disk_that_is_read_only(small: Warehouse, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(StorageProblem) as caught, start_run(small, "second"):
        pytest.fail("the run began")
    for fact in (f"tables cannot be written below {small.root}", "Read-only file system", "--warehouse"):
        assert fact in str(caught.value)
    assert strata_in(small) == ["before"]


def test_a_disk_that_becomes_read_only_in_the_middle_of_a_run(small: Warehouse, disk: Path) -> None:
    def run_refused() -> None:
        with start_run(small, "second") as run:
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            run.write(by_spark(small))

    with pytest.raises(StorageProblem, match="Read-only file system"):
        run_refused()
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    assert strata_in(small) == ["before"]


@pytest.mark.parametrize("place", ["", "_lease", "registered", "registered/strata"])
def test_a_file_where_a_folder_is_needed(place: str, warehouse: Warehouse) -> None:
    path = Path(warehouse.root, place)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a file\n")
    with pytest.raises(AllofusError) as caught, start_run(warehouse, "first") as run:
        run.write(by_driver(warehouse))
    assert isinstance(caught.value, StorageProblem if place else SettingsError)
    assert warehouse.root in str(caught.value)
    assert path.read_text() == "a file\n"
    path.unlink()
    with start_run(warehouse, "second") as run:
        run.write(by_driver(warehouse))
    assert strata_in(warehouse) == ["full"]


def test_what_a_source_refuses_is_not_told_of_the_tables() -> None:
    source = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/data/cohort.vcf")
    assert storage_problem(source, "/data/tables") is None
    table = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/data/tables/x")
    assert "tables cannot be written below /data/tables" in str(storage_problem(table, "/data/tables"))
    assert storage_problem(ValueError("No such allele"), "/data/tables") is None
    quota = RuntimeError("DSQuotaExceededException: The DiskSpace quota of /t is exceeded")
    assert "not known how much is free" in str(storage_problem(quota, "hdfs://name/t"))
