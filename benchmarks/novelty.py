"""``make bench-novelty``: 5 million alleles of a cohort against a catalogue of 20 million.

Times `flag_novelty` at the whole and at half of both sizes, with the memory of every process, and holds the
counts by status against those that the alleles were made with. Beside them stands the time of a run that
finds nothing changed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from allofus_spark.novelty import flag_novelty
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse
from benchmarks.many_alleles import Size, write_tables
from benchmarks.measure import Measurement, measured

DATA = Path("benchmarks/data")
WARM_UP = Size(cohort=50_000, known=200_000, seed=1)


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True)
    DATA.mkdir(parents=True, exist_ok=True)
    whole = Size(options.cohort, options.known, options.seed)
    sizes = [WARM_UP, Size(whole.cohort // 2, whole.known // 2, whole.seed), whole]
    failed = False
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        overrides = [f"spark.master=local[{options.cores}]", f"spark.driver_memory={options.memory_gib}g"]
        settings = load_settings(warehouse=scratch, overrides=overrides)
        spark = start_session(settings, app_name="benchmark")
        for number, size in enumerate(sizes):
            own = load_settings(warehouse=f"{scratch}/{number}", overrides=overrides)
            warehouse = Warehouse(spark, own)
            expected = write_tables(warehouse, size)
            for _ in range(options.repeat if size is not WARM_UP else 1):
                with measured() as measurement:
                    counters = flag_novelty(warehouse, recompute=True)
                if size is not WARM_UP:
                    _report(console, size, measurement)
                found = {status: counters[f"alleles_{status}"] for status in expected}
                failed |= found != expected
                if found != expected:
                    console.print(f"wrong: {found}, made with {expected}")
            with measured() as nothing_new:
                flag_novelty(warehouse)
            if size is not WARM_UP:
                console.print(f"  again, nothing changed: {nothing_new.seconds:.2f} s")
    sys.exit(failed)


def _report(console: Console, size: Size, measurement: Measurement) -> None:
    peaks = measurement.peak_mib_by_program
    memory = ", ".join(f"{name} {peaks[name]:,.0f} MiB" for name in ("java", "python") if name in peaks)
    rate = (size.cohort + size.known) / measurement.seconds / 1e6
    console.print(
        f"{size.cohort:,} × {size.known:,}: {measurement.seconds:.2f} s, {rate:.1f} M alleles/s of both; "
        f"peak {memory or 'not known'}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Flag novelty of very many alleles.")
    parser.add_argument("--cohort", type=int, default=5_000_000, help="alleles (%(default)s)")
    parser.add_argument("--known", type=int, default=20_000_000, help="alleles (%(default)s)")
    parser.add_argument("--cores", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--memory-gib", type=int, default=4, help="Java heap (%(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each size (%(default)s)")
    parser.add_argument("--seed", type=int, default=20260101, help="(%(default)s)")
    return parser


if __name__ == "__main__":
    main()
