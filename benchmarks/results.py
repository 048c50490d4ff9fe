"""The record of a timing, the arithmetic on it, and its two outputs: a table to read and JSON to keep."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Measurement

OURS = "allofus"


@dataclass(frozen=True)
class Result:
    """One engine at one work on one input: the median time of the repeats, and the highest memory of any.

    `records` are those of the input file; genotypes are samples × records.
    """

    work: str
    engine: str
    samples: int
    records: int
    seconds: float
    genotypes_per_second: float
    peak_mib: float | None

    @property
    def nanoseconds_per_genotype(self) -> float:
        """The same at all sizes where cost is linear; higher at small ones, where a fixed cost weighs."""
        return 1e9 / self.genotypes_per_second


def summarise(
    work: str, engine: str, measurements: Sequence[Measurement], *, samples: int, records: int
) -> Result:
    """The result of repeated runs of one work."""
    seconds = statistics.median(measurement.seconds for measurement in measurements)
    peaks = [measurement.peak_mib for measurement in measurements if measurement.peak_mib is not None]
    return Result(
        work=work,
        engine=engine,
        samples=samples,
        records=records,
        seconds=round(seconds, 3),
        genotypes_per_second=round(samples * records / seconds, 1),
        peak_mib=round(max(peaks), 1) if peaks else None,
    )


def ratio_to_ours(result: Result, results: Iterable[Result]) -> float | None:
    """Its time divided by ours for the same work and input: 4 means that we are 4 times as fast."""
    same = (result.work, result.samples, result.records)
    for other in results:
        if other.engine == OURS and (other.work, other.samples, other.records) == same:
            return result.seconds / other.seconds
    return None


def print_comparison(console: Console, title: str, results: Sequence[Result]) -> None:
    """One row for each work and engine on one input."""
    table = _table(title, ["work", "engine"], [*_MEASURES, f"time ÷ {OURS}"])
    works = [result.work for result in results]
    for result, next_work in zip(results, [*works[1:], None], strict=True):
        ratio = _number(ratio_to_ours(result, results), ".2f")
        table.add_row(
            result.work, result.engine, *_measures(result), ratio, end_section=result.work != next_work
        )
    console.print(table)


def print_scaling(console: Console, title: str, results: Sequence[Result]) -> None:
    """One row for each work and input of one engine: the time per genotype should not grow."""
    table = _table(title, ["work"], ["samples", "records", *_MEASURES, "ns/genotype"])
    for result in results:
        size = (f"{result.samples:,}", f"{result.records:,}")
        table.add_row(result.work, *size, *_measures(result), f"{result.nanoseconds_per_genotype:.1f}")
    console.print(table)


def _table(title: str, names: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    for heading in names:
        table.add_column(heading)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


_MEASURES = ("seconds", "M genotypes/s", "peak MiB")


def _measures(result: Result) -> list[str]:
    speed = f"{result.genotypes_per_second / 1e6:,.1f}"
    return [f"{result.seconds:.2f}", speed, _number(result.peak_mib, ",.0f")]


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def write_json(path: Path, results: Sequence[Result]) -> None:
    """A list of objects with the fields of `Result`."""
    path.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n", encoding="utf-8")
