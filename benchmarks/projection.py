"""``make bench-projection``: scores of 245,388 people at 5,000 common sites, in a small driver.

Random calls at frequencies between 5 and 50 % are written as .pgen and ingested; a model with random
loadings is put into the warehouse; then projection is timed at a quarter, half and all of the people, so that
growth can be seen. Scores of some people are held against plain NumPy, the memory of Java and of the Python
workers against a bound, and PLINK 2 is timed on the same file where it is installed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from rich.console import Console

from allofus_spark.ancestry import project_samples
from allofus_spark.ancestry.forest import forest_bytes, grow_forest
from allofus_spark.ancestry.models import Model, model_writes
from allofus_spark.genotypes import pack, pgen_header
from allofus_spark.ingest import ingest_genotypes
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse, ancestries, start_run
from benchmarks.measure import Measurement, measured, over_bounds, shown_peaks

DATA = Path("benchmarks/data")
CONTIG, FIRST_POSITION, SPACING = "chr22", 20_000_001, 1_000
HEAP_GIB = 4
# Beside its heap Java keeps classes, compiled code, thread stacks and network buffers; a Python worker holds
# libraries and compiled kernels (about 300 MiB), sums of 33 MiB and a few batches. For two cores.
BOUNDS_MIB = {"java": (HEAP_GIB + 1) * 1024, "python": 2 * 1024}
GROUPS = ("afr", "amr", "eas", "eur", "sas")
N_PCS = 16
CHECKED = 50  # people whose scores are computed with NumPy too
MISSING = 3
SHARES = (0.25, 0.5, 1.0)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Simulated:
    """Files of a cohort; ``calls`` int8[sites, CHECKED] of the people ``checked``."""

    stem: Path
    n_samples: int
    checked: npt.NDArray[np.int64]
    calls: npt.NDArray[np.int8]


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True)
    rng = np.random.default_rng(options.seed)
    model = random_model(options.sites, rng)
    DATA.mkdir(parents=True, exist_ok=True)
    problems = []
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        overrides = [f"spark.master=local[{options.cores}]", f"spark.driver_memory={HEAP_GIB}g"]
        spark = start_session(load_settings(warehouse=scratch, overrides=overrides), app_name="benchmark")
        for share in SHARES:
            n_samples = int(options.samples * share)
            folder = Path(scratch) / str(n_samples)
            folder.mkdir()
            cohort = simulate(folder / "cohort", n_samples, model.frequency, rng)
            warehouse = fill(spark, folder, overrides, cohort, model)
            project_samples(warehouse)  # kernels are compiled, files are in the page cache
            with measured() as measurement:
                project_samples(warehouse)
            console.print(_said(measurement, n_samples, options.sites, _plink_seconds(cohort, model)))
            problems += over_bounds(measurement, BOUNDS_MIB)
            problems += wrong_scores(warehouse, cohort, model)
            shutil.rmtree(folder)
        spark.stop()
    for problem in problems:
        console.print(problem, markup=False)
    if not problems:
        console.print("the scores are NumPy's, and no bound on memory was passed")
    sys.exit(bool(problems))


def random_model(n_sites: int, rng: np.random.Generator) -> Model:
    """A model of common sites with random loadings and a forest of random labels."""
    frequency = rng.uniform(0.05, 0.5, n_sites)
    labels = np.repeat(GROUPS, 200)
    forest = grow_forest(rng.normal(size=(1000, N_PCS)), labels.tolist(), load_settings().ancestry)
    columns = {
        "site": pa.array(np.arange(n_sites, dtype=np.int32)),
        "contig": pa.array([CONTIG] * n_sites),
        "position": pa.array(FIRST_POSITION + SPACING * np.arange(n_sites, dtype=np.int32)),
        "ref": pa.array(["A"] * n_sites),
        "alt": pa.array(["G"] * n_sites),
    }
    return Model(
        name="random",
        build="GRCh38",
        trained_on="none",
        n_samples=1000,
        groups=GROUPS,
        group_sizes=(200,) * len(GROUPS),
        sites=pa.table(columns),
        frequency=frequency,
        loadings=np.linalg.qr(rng.normal(size=(n_sites, N_PCS)))[0],
        eigenvalues=np.linspace(N_PCS, 1, N_PCS),
        forest=forest_bytes(forest),
    )


def simulate(stem: Path, n_samples: int, frequency: Floats, rng: np.random.Generator) -> Simulated:
    """Write .pgen, .pvar and .psam, a site at a time; 1 call of 256 is missing."""
    checked = np.sort(rng.choice(n_samples, CHECKED, replace=False))
    calls = np.empty((len(frequency), CHECKED), np.int8)
    with stem.with_suffix(".pgen").open("wb") as stream, stem.with_suffix(".pvar").open("w") as sites:
        stream.write(pgen_header(len(frequency), n_samples))
        sites.write("#CHROM\tPOS\tID\tREF\tALT\n")
        for site, p in enumerate(frequency):
            # A byte for each person, cut where Hardy-Weinberg proportions lie.
            draws = np.frombuffer(rng.bytes(n_samples), np.uint8)
            of_draw = np.zeros(256, np.uint8)
            of_draw[: round(255 * (1 - (1 - p) ** 2))] = 1
            of_draw[: round(255 * p**2)] = 2
            of_draw[255] = MISSING
            drawn = of_draw[draws]
            stream.write(pack(drawn[np.newaxis]).tobytes())
            calls[site] = drawn[checked]
            sites.write(f"{CONTIG}\t{FIRST_POSITION + SPACING * site}\ts{site}\tA\tG\n")
    people = "".join(f"P{number:07d}\n" for number in range(n_samples))
    stem.with_suffix(".psam").write_text(f"#IID\n{people}")
    return Simulated(stem, n_samples, checked, calls)


def fill(
    spark: SparkSession, folder: Path, overrides: list[str], cohort: Simulated, model: Model
) -> Warehouse:
    """A warehouse with the cohort and the model."""
    settings = load_settings(
        warehouse=str(folder / "warehouse"), overrides=[*overrides, "ingest.reference_allele=first"]
    )
    warehouse = Warehouse(spark, settings)
    pgen = str(cohort.stem.with_suffix(".pgen"))
    ingest_genotypes(warehouse, [pgen], callset_id="wide", callset_date="2026-01-01", build="GRCh38")
    with start_run(warehouse, "benchmark") as run:
        run.write(*model_writes(model))
    return warehouse


def _said(measurement: Measurement, n_samples: int, n_sites: int, plink_seconds: float | None) -> str:
    speed = n_samples * n_sites / measurement.seconds / 1e6
    beside = "" if plink_seconds is None else f"; plink2 --score {plink_seconds:.1f} s"
    return (
        f"{n_samples:,} people × {n_sites:,} sites: {measurement.seconds:.1f} s, {speed:.0f} M genotypes/s; "
        f"peak memory: {shown_peaks(measurement, BOUNDS_MIB)}{beside}"
    )


def wrong_scores(warehouse: Warehouse, cohort: Simulated, model: Model) -> list[str]:
    """A sentence where scores of the checked people are not NumPy's."""
    table = warehouse.read(ancestries(warehouse.settings.frequencies.ancestry_groups))
    rows = table.where(F.col("sample_index").isin(cohort.checked.tolist())).orderBy("sample_index").collect()
    p = model.frequency[:, np.newaxis]
    x = (cohort.calls - 2 * p) / np.sqrt(2 * p * (1 - p) * model.n_sites)
    expected = np.where(cohort.calls == MISSING, 0, x).T @ model.loadings
    found = np.array([row.pcs for row in rows])
    n_called = (cohort.calls != MISSING).sum(axis=0).tolist()
    problems = []
    if [row.n_sites_called for row in rows] != n_called:
        problems.append(f"{cohort.n_samples:,} people: called sites are not NumPy's")
    worst = float(np.abs(found - expected).max())
    if worst > 1e-9:
        problems.append(f"{cohort.n_samples:,} people: a score differs from NumPy's by {worst:.1e}")
    return problems


def _plink_seconds(cohort: Simulated, model: Model) -> float | None:
    """Seconds of PLINK 2 for as many sums of the same calls; None without it."""
    plink2 = shutil.which("plink2")
    if plink2 is None:
        return None
    weights = cohort.stem.with_suffix(".weights")
    header = "\t".join(["ID", "A1", *(f"W{number}" for number in range(N_PCS))])
    lines = [
        "\t".join([f"s{site}", "G", *map(repr, loadings)])
        for site, loadings in enumerate(model.loadings.tolist())
    ]
    weights.write_text("\n".join([header, *lines]) + "\n")
    begun = time.perf_counter()
    subprocess.run(
        [plink2, "--pfile", str(cohort.stem), "--score", str(weights), "1", "2", "header-read",
         "variance-standardize", "--score-col-nums", f"3-{N_PCS + 2}", "--out", str(cohort.stem)],
        check=True, capture_output=True,
    )  # fmt: skip
    return time.perf_counter() - begun


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Project a very wide cohort in a small driver.")
    parser.add_argument("--samples", type=int, default=245_388, help="people (%(default)s)")
    parser.add_argument("--sites", type=int, default=5_000, help="(%(default)s)")
    parser.add_argument("--cores", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=20260101, help="(%(default)s)")
    return parser


if __name__ == "__main__":
    main()
