"""``make bench-wide``: a cohort as wide as a biobank's, ingested and counted in a small driver.

Writes random calls of 245,388 people, runs both jobs with a Java heap of 3 GiB, compares every count with
NumPy's, and holds the memory of Java and of the Python workers to a bound.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from allofus_spark.query import run_query
from allofus_spark.tables import Warehouse
from benchmarks.engine_allofus import Allofus
from benchmarks.engines import WORKS, Machine, Trial
from benchmarks.measure import Measurement, measured, over_bounds, shown_peaks
from benchmarks.wide_cohort import SHARES, Counts, write_wide_cohort

DATA = Path("benchmarks/data")
HEAP_GIB = 3
# Beside its heap Java keeps classes, compiled code, thread stacks and network buffers; a Python worker holds
# libraries and compiled kernels (about 300 MiB) and a few batches. Both numbers are for two cores.
BOUNDS_MIB = {"java": (HEAP_GIB + 1) * 1024, "python": 2 * 1024}


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    console = Console(highlight=False)
    DATA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        folder = Path(scratch)
        console.print(f"writing {options.samples:,} samples × {options.variants:,} variants")
        cohort, expected = write_wide_cohort(
            folder, samples=options.samples, variants=options.variants, seed=options.seed
        )
        engine = Allofus(Machine(options.cores, HEAP_GIB), folder)
        trial = Trial(cohort, folder)
        problems = []
        for work in ("ingest", "frequencies"):
            step = engine.works[work]
            console.print(f"{work}: {WORKS[work]}")
            step.prepare(trial)
            with measured() as measurement:
                step.run(trial)
            _report(console, measurement, genotypes=options.samples * options.variants)
            problems += [f"{work}: {problem}" for problem in over_bounds(measurement, BOUNDS_MIB)]
        problems += wrong_counts(engine.warehouse(trial), expected)
    for problem in problems:
        console.print(problem, markup=False)
    if not problems:
        console.print("every count is right, and no bound on memory was passed")
    sys.exit(bool(problems))


def _report(console: Console, measurement: Measurement, *, genotypes: int) -> None:
    speed = genotypes / measurement.seconds / 1e6
    memory = shown_peaks(measurement, BOUNDS_MIB)
    console.print(f"  {measurement.seconds:.1f} s, {speed:.1f} M genotypes/s; peak memory: {memory}")


def wrong_counts(warehouse: Warehouse, expected: Counts) -> list[str]:
    """A sentence for each group whose AC or AN differs anywhere; the table must have every variant."""
    columns = ", ".join(f"{group}.ac AS {group}_ac, {group}.an AS {group}_an" for group in SHARES)
    rows = run_query(warehouse, f"SELECT {columns} FROM allele_frequencies ORDER BY position").collect()
    if len(rows) != len(expected.ac):
        return [f"allele_frequencies has {len(rows):,} rows; the cohort has {len(expected.ac):,} variants"]
    found: Sequence[Sequence[int]] = [list(row) for row in rows]
    counts = np.array(found, dtype=np.int64).reshape(len(rows), len(SHARES), 2)
    return [
        f"{name} of {group} differs at {n_wrong:,} of {len(rows):,} variants"
        for place, (name, right) in enumerate(zip(("AC", "AN"), expected, strict=True))
        for group, n_wrong in zip(SHARES, np.count_nonzero(counts[:, :, place] != right, axis=0), strict=True)
        if n_wrong
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Ingest and count a very wide cohort in a small driver.")
    parser.add_argument("--samples", type=int, default=245_388, help="people (%(default)s)")
    parser.add_argument("--variants", type=int, default=500, help="records (%(default)s)")
    parser.add_argument("--cores", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=20260101, help="(%(default)s)")
    return parser


if __name__ == "__main__":
    main()
