"""Arithmetic and form of the results."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.measure import Measurement
from benchmarks.results import (
    Result,
    print_comparison,
    print_scaling,
    ratio_to_ours,
    summarise,
    write_json,
)

OURS = Result("ingest", "allofus", 2_400, 100_000, 5.0, 48e6, 900.0)
HAIL = Result("ingest", "hail", 2_400, 100_000, 25.0, 9.6e6, 2_000.0)


def test_the_median_time_and_the_highest_memory_count() -> None:
    runs = [Measurement(4.0, 900.0), Measurement(9.0, 700.0), Measurement(5.0, 1_000.0)]
    result = summarise("ingest", "allofus", runs, samples=2_000, records=10_000)
    assert result == Result("ingest", "allofus", 2_000, 10_000, 5.0, 4e6, 1_000.0)
    assert result.nanoseconds_per_genotype == pytest.approx(250.0)


def test_memory_that_was_not_read_is_null_not_zero() -> None:
    assert summarise("ingest", "allofus", [Measurement(1.0)], samples=1, records=1).peak_mib is None


def test_a_ratio_is_their_time_over_ours_at_the_same_work_and_size() -> None:
    other_work = replace(OURS, work="frequencies", seconds=1.0)
    other_size = replace(OURS, samples=600, seconds=2.0)
    results = [other_work, other_size, HAIL, OURS]
    assert ratio_to_ours(HAIL, results) == pytest.approx(5.0)
    assert ratio_to_ours(OURS, results) == 1
    assert ratio_to_ours(HAIL, [other_work, other_size, HAIL]) is None


def test_the_json_is_a_list_of_records_with_these_fields(tmp_path: Path) -> None:
    write_json(tmp_path / "results.json", [OURS, replace(HAIL, peak_mib=None)])
    records = json.loads((tmp_path / "results.json").read_text())
    assert records == [asdict(OURS), asdict(HAIL) | {"peak_mib": None}]
    assert list(records[0]) == [
        "work",
        "engine",
        "samples",
        "records",
        "seconds",
        "genotypes_per_second",
        "peak_mib",
    ]


def test_the_tables_fit_a_narrow_terminal_and_show_the_ratio() -> None:
    console = Console(width=80, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115
    print_comparison(console, "side by side", [OURS, HAIL])
    print_scaling(console, "growth", [OURS])
    text = console.export_text()
    hail_line = next(line for line in text.splitlines() if " hail " in line)
    assert hail_line.split() == ["ingest", "hail", "25.00", "9.6", "2,000", "5.00"]
    assert "…" not in text
