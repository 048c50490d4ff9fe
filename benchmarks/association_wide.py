"""``make bench-association-wide``: a scan of a biobank's people, in bounded memory.

Random calls at frequencies between 1 and 50 % are written as .pgen and ingested, and random phenotypes, half
of them binary, are scanned with 10 covariates in a Java heap of 4 GiB. The memory of Java and of the Python
workers is held against bounds. ``--samples 100000 --variants 20000 --binary 0 --plink`` is a long run beside
PLINK's ``--glm``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console

from allofus_spark.association import Request, associate
from allofus_spark.ingest import ingest_genotypes
from allofus_spark.phenotypes import build_from_file
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse
from benchmarks.association_data import COVARIATES, ours, random_covariates, random_set, theirs, write_table
from benchmarks.engines import run_command
from benchmarks.measure import Measurement, measured, over_bounds, shown_peaks
from benchmarks.projection import DATA, Simulated, simulate

HEAP_GIB = 4
# Beside its heap Java keeps classes, code and buffers. Python: both workers and this process, with libraries.
BOUNDS_MIB = {"java": (HEAP_GIB + 1) * 1024, "python": 4 * 1024}
QUANTITATIVE, BINARY = "quantitative", "binary"
LEAST_AF, MOST_AF = 0.01, 0.5


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True)
    rng = np.random.default_rng(options.seed)
    frequency = np.exp(rng.uniform(np.log(LEAST_AF), np.log(MOST_AF), options.variants))
    sizes = {QUANTITATIVE: options.phenotypes - options.binary, BINARY: options.binary}
    DATA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        folder = Path(scratch)
        console.print(f"writing {options.samples:,} people × {options.variants:,} variants")
        cohort = simulate(folder / "cohort", options.samples, frequency, rng)
        _write_phenotypes(folder, cohort, sizes, options.seed)
        warehouse = _fill(folder, cohort, [name for name, n in sizes.items() if n], options.cores)
        with measured() as measurement:
            associate(warehouse, _request(folder))
        console.print(_said(options, measurement))
        problems = over_bounds(measurement, BOUNDS_MIB)
        if options.plink:
            theirs_seconds = _time_plink(console, folder, cohort, options, [n for n in sizes if sizes[n]])
            console.print(f"PLINK 2 takes {theirs_seconds / measurement.seconds:.2f} × our time")
    for problem in problems:
        console.print(problem)
    if not problems:
        console.print("no bound on memory was passed")
    sys.exit(bool(problems))


def _write_phenotypes(folder: Path, cohort: Simulated, sizes: dict[str, int], seed: int) -> None:
    people = [f"P{number:07d}" for number in range(cohort.n_samples)]
    covariates = random_covariates(len(people), seed)
    for path, key in ((ours(folder, "covariates"), "sample_id"), (theirs(folder, "covariates"), "#IID")):
        write_table(path, key, people, list(COVARIATES), covariates)
    for name, n in sizes.items():
        if n:
            is_binary = name == BINARY
            chosen = random_set(name, covariates, n, is_binary=is_binary, with_missing=False, seed=seed + 1)
            chosen.write(folder, people)


def _fill(folder: Path, cohort: Simulated, sets: list[str], cores: int) -> Warehouse:
    overrides = [
        f"spark.master=local[{cores}]",
        f"spark.driver_memory={HEAP_GIB}g",
        "ingest.reference_allele=first",
    ]
    settings = load_settings(warehouse=str(folder / "warehouse"), overrides=overrides)
    warehouse = Warehouse(start_session(settings, app_name="benchmark"), settings)
    pgen = str(cohort.stem.with_suffix(".pgen"))
    ingest_genotypes(warehouse, [pgen], callset_id="wide", callset_date="2026-01-01", build="GRCh38")
    for name in sets:
        build_from_file(warehouse, str(ours(folder, name)), name=name)
    return warehouse


def _request(folder: Path) -> Request:
    return Request(
        covariates=COVARIATES,
        covariate_file=str(ours(folder, "covariates")),
        ancestries=("all",),
        assume_unrelated=True,
        pictures=(),
    )


def _said(options: argparse.Namespace, measurement: Measurement) -> str:
    tests = options.samples * options.variants * options.phenotypes
    return (
        f"{options.samples:,} people × {options.variants:,} variants × {options.phenotypes} phenotypes "
        f"({options.binary} binary): {measurement.seconds:.1f} s, "
        f"{1e9 * options.cores * measurement.seconds / tests:.2f} core-seconds a billion sample-tests; "
        f"peak memory: {shown_peaks(measurement, BOUNDS_MIB)}"
    )


def _time_plink(
    console: Console, folder: Path, cohort: Simulated, options: argparse.Namespace, sets: list[str]
) -> float:
    """Seconds of PLINK 2 over the same files."""
    total = 0.0
    for name in sets:
        with measured(with_this_process=False) as measurement:
            run_command(
                ["plink2", "--threads", str(options.cores), "--pfile", str(cohort.stem), "--glm", "omit-ref",
                 "hide-covar", "--pheno", str(theirs(folder, name)), "--covar",
                 str(theirs(folder, "covariates")), "--out", str(folder / "plink")]
            )  # fmt: skip
        console.print(f"PLINK 2 --glm, {name}: {measurement.seconds:.1f} s")
        total += measurement.seconds
    return total


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Scan a very wide cohort in a small driver.")
    parser.add_argument("--samples", type=int, default=245_388, help="people (%(default)s)")
    parser.add_argument("--variants", type=int, default=1_000, help="(%(default)s)")
    parser.add_argument("--phenotypes", type=int, default=100, help="(%(default)s)")
    parser.add_argument("--binary", type=int, default=50, help="of them binary (%(default)s)")
    parser.add_argument("--plink", action="store_true", help="time PLINK 2 as well")
    parser.add_argument("--cores", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=20260101, help="(%(default)s)")
    return parser


if __name__ == "__main__":
    main()
