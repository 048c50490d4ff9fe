"""Nights of a small warehouse: callsets that come and change, alleles that are added, a clock that moves."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from allofus_spark.tables import SAMPLES, STRATA, VARIANTS, RowsWrite, Warehouse, start_run

DAY = 86_400.0
CALLSETS_HELD = ("a", "b", "c")
Row = tuple[object, ...]


def samples_on(night: int, callset_id: str) -> list[Row]:
    return [
        (callset_id, f"{callset_id}{number}", number, None, ("afr", "eur")[night % 2]) for number in range(3)
    ]


def alleles_on(night: int) -> list[Row]:
    position = 1000 - 10 * night  # each night before those of earlier ones
    alleles = [("chr1", position, "A", "G"), ("chr2", position, "C", "T")]
    return [
        (contig, 0, at, ref, alt, f"{contig[3:]}-{at}-{ref}-{alt}", "snv", "a")
        for contig, at, ref, alt in alleles
    ]


def strata_on(night: int) -> list[Row]:
    return [(f"night{night:02d}", 0, "a", "afr", "XX", night)]


def work(held: Warehouse, night: int, *, with_strata: bool = True) -> None:
    """One night: the labels of one callset change, alleles and strata are added."""
    callset_id = CALLSETS_HELD[night % len(CALLSETS_HELD)]
    replaced = f"callset_id = '{callset_id}'"
    writes = [
        RowsWrite(SAMPLES, samples_on(night, callset_id), replaced),
        RowsWrite(VARIANTS, alleles_on(night)),
    ]
    with start_run(held, "night") as run:
        run.write(*writes, *([RowsWrite(STRATA, strata_on(night))] if with_strata else []))


def expected(nights: int) -> dict[str, list[Row]]:
    """Rows of each table after this many nights."""
    last = {CALLSETS_HELD[night % len(CALLSETS_HELD)]: night for night in range(nights)}
    return {
        SAMPLES.name: sorted(row for name, night in last.items() for row in samples_on(night, name)),
        VARIANTS.name: sorted(row for night in range(nights) for row in alleles_on(night)),
        STRATA.name: sorted(row for night in range(nights) for row in strata_on(night)),
    }


def held_rows(held: Warehouse) -> dict[str, list[Row]]:
    return {
        table.name: sorted(tuple(row) for row in held.read(table).collect())
        for table in (SAMPLES, VARIANTS, STRATA)
        if held.exists(table)
    }


class Clock:
    """The time that commits and files of the warehouse say."""

    def __init__(self, root: str, now: float) -> None:
        self.now = now
        self._root = Path(root)
        self._dated: set[Path] = set()

    def date_files(self) -> None:
        """Give the files that came since the last call the clock's time."""
        for path in self._root.rglob("*"):
            if path.is_file() and path not in self._dated:
                os.utime(path, (self.now, self.now))
                self._dated.add(path)


@contextmanager
def clock_of(held: Warehouse, monkeypatch: pytest.MonkeyPatch, now: float) -> Iterator[Clock]:
    clock = Clock(held.root, now)
    told = SimpleNamespace(time=lambda: clock.now, monotonic=time.monotonic)
    with monkeypatch.context() as patch:
        for module in ("commits", "data_files"):
            patch.setattr(f"allofus_spark.tables.{module}.time", told)
        yield clock
