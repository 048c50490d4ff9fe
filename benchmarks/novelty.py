"""``make bench-novelty``: 5 million alleles of a cohort against a catalogue of 20 million.

Times `flag_novelty` at the whole and at half of both sizes, with the memory of every process, and holds the
counts by status against those that the alleles were made with. Beside them stand the times of a run that
finds nothing changed, of one that finds two contigs changed, and of ``bcftools annotate``, which gives the
same alleles their ids.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from allofus_spark.novelty import flag_novelty
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse
from benchmarks.engines import missing_program, run_command
from benchmarks.many_alleles import Size, expected_statuses, write_sites, write_tables
from benchmarks.measure import Measurement, measured

DATA = Path("benchmarks/data")
# About 3 % of the genome.
CHANGED = ("chr21", "chr22")
WARM_UP = Size(cohort=50_000, known=200_000, seed=1)


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True)
    DATA.mkdir(parents=True, exist_ok=True)
    whole = Size(options.cohort, options.known, options.seed)
    half = Size(whole.cohort // 2, whole.known // 2, whole.seed)
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        overrides = [f"spark.master=local[{options.cores}]", f"spark.driver_memory={options.memory_gib}g"]
        spark = start_session(load_settings(warehouse=scratch, overrides=overrides), app_name="benchmark")
        problems = []
        for number, size in enumerate((WARM_UP, half, whole)):
            settings = load_settings(warehouse=f"{scratch}/{number}", overrides=overrides)
            shown = Console(quiet=True) if size is WARM_UP else console
            problems += _time_size(shown, Warehouse(spark, settings), size, options.repeat)
        spark.stop()
        if missing_program("bcftools", "bcftools") is None:
            problems += _time_bcftools(console, Path(scratch), whole)
    for problem in problems:
        console.print(problem, markup=False)
    sys.exit(bool(problems))


def _time_size(console: Console, warehouse: Warehouse, size: Size, repeat: int) -> list[str]:
    """Time one size; a sentence where a count is wrong."""
    expected = write_tables(warehouse, size)
    for _ in range(repeat):
        with measured() as measurement:
            counters = flag_novelty(warehouse, recompute=True)
        _report(console, f"{size.cohort:,} × {size.known:,}", size, measurement)
    with measured() as nothing_new:
        flag_novelty(warehouse)
    console.print(f"  again, nothing changed: {nothing_new.seconds:.2f} s")
    problems = _compare(counters, expected)
    changed = replace(size, version="2", changed=CHANGED)
    expected = write_tables(warehouse, changed)
    with measured() as increment:
        counters = flag_novelty(warehouse)
    n_flagged, n_partitions = counters["partitions_flagged"], counters["partitions"]
    console.print(
        f"  a version that differs on {n_flagged} of {n_partitions} contigs, and other alleles of the cohort "
        f"there: {increment.seconds:.2f} s"
    )
    return problems + _compare(counters, expected)


def _compare(counters: Mapping[str, int], expected: Mapping[str, int]) -> list[str]:
    found = {status: counters[f"alleles_{status}"] for status in expected}
    return [] if found == expected else [f"wrong counts: {found}; the alleles were made with {expected}"]


def _time_bcftools(console: Console, folder: Path, size: Size) -> list[str]:
    """Time ``bcftools annotate``, which gives each allele its id in the catalogue, and count those."""
    cohort, known, out = (folder / name for name in ("cohort.vcf.gz", "known.vcf.gz", "annotated.bcf"))
    write_sites(cohort, size, known=False)
    write_sites(known, size, known=True)
    with measured(with_this_process=False) as measurement:
        ids = ["--annotations", str(known), "--columns", "ID"]
        to_bcf = ["--output-type", "b", "--output", str(out), "--threads", "2"]
        run_command(["bcftools", "annotate", *ids, *to_bcf, str(cohort)])
    _report(console, f"bcftools annotate, {size.cohort:,} × {size.known:,}", size, measurement)
    listed = ["bcftools", "query", "--include", 'ID!="."', "--format", "%POS\n", str(out)]
    n_named = subprocess.run(listed, capture_output=True, check=True).stdout.count(b"\n")
    n_known = expected_statuses(size)["reported"]
    return [] if n_named == n_known else [f"bcftools names {n_named:,} alleles; {n_known:,} are known"]


def _report(console: Console, what: str, size: Size, measurement: Measurement) -> None:
    peaks = measurement.peak_mib_by_program
    memory = ", ".join(
        f"{name} {peaks[name]:,.0f} MiB" for name in ("java", "python", "bcftools") if name in peaks
    )
    rate = (size.cohort + size.known) / measurement.seconds / 1e6
    console.print(
        f"{what}: {measurement.seconds:.2f} s, {rate:.1f} M alleles/s of both; peak {memory or 'not known'}"
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
