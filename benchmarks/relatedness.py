"""``make bench-relatedness``: KING-robust kinship of 2,504 people beside PLINK 2, and the kernel alone.

Times `compute_relatedness` in a warm session, from choosing sites to the committed tables, and PLINK 2's
``--make-king-table`` over the same sites from its own binary format; holds both tables against each other.
The data are outside: ``ALLOFUS_TEST_DATA`` names the folder, as for the tests; or people are simulated.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console

from allofus_spark.cohort import active_samples
from allofus_spark.genotypes import BED_HEADER, bed_from_packed, pack
from allofus_spark.genotypes.kinship import CHUNK_SITES, PairCounts, chunk_planes
from allofus_spark.ingest import ingest_genotypes
from allofus_spark.relatedness import compute_relatedness
from allofus_spark.relatedness.people import choose_people
from allofus_spark.relatedness.sites import sites_of_kinship
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import RELATED_PAIRS, Warehouse, start_run
from benchmarks.engines import missing_program, outside_data, run_command
from benchmarks.measure import Measurement, measured

VCF = "multisample/peddy_1kg_2504_exome_sites.grch38.vcf.gz"
# Counts of a pair, ours and PLINK's.
COUNTS = {"n_sites": "NSNP", "n_het_both": "HETHET", "n_ibs0": "IBS0"}
TOLERANCE = 1e-5  # PLINK writes six digits
KERNEL_SAMPLES = 1_024
KERNEL_SECONDS = 3.0


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True)
    for missing in (0.0, 0.003):
        rate = _kernel_rate(missing)
        console.print(f"kernel alone, {missing:.1%} of calls missing: {rate:.3g} pair-sites/s on one core")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        overrides = [
            f"spark.master=local[{options.cores}]",
            f"spark.driver_memory={options.memory_gib}g",
            "ingest.reference_allele=last",
            f"relatedness.block_samples={options.block_samples}",
        ]
        settings = load_settings(warehouse=f"{name}/warehouse", overrides=overrides)
        spark = start_session(settings, app_name="benchmark")
        warehouse = Warehouse(spark, settings)
        if options.samples:
            source = _simulate(folder / "simulated.bed", options.samples, options.sites)
        else:
            source = _exomes()
        ingest_genotypes(warehouse, [str(source)], callset_id="c", callset_date="2026-01-01", build="GRCh38")
        seconds = _time_ours(console, warehouse, options.repeat)
        problem = missing_program("plink2", "plink2")
        if problem is None:
            theirs = _time_plink(console, warehouse, source, folder, options)
            console.print(f"ours takes {seconds / theirs:.1f} × the time of PLINK 2")
            problem = _compare(console, warehouse, folder / "king.kin0")
        spark.stop()
    if problem:
        sys.exit(problem)


def _exomes() -> Path:
    return outside_data(", or give --samples") / VCF


def _simulate(bed: Path, n_samples: int, n_sites: int) -> Path:
    """People without relatives in Hardy-Weinberg proportions; one call in a thousand is missing."""
    rng = np.random.default_rng(1)
    with bed.open("wb") as file:
        file.write(BED_HEADER)
        for _ in range(n_sites):
            p = rng.uniform(0.05, 0.95)
            bounds = np.cumsum([(1 - p) ** 2, 2 * p * (1 - p), p**2]) * 0.999
            calls = np.searchsorted(bounds, rng.random(n_samples, np.float32))
            file.write(bed_from_packed(pack(calls[None]), n_samples).tobytes())
    rows = (f"chr1\tchr1:{site + 1}:A:G\t0\t{site + 1}\tG\tA\n" for site in range(n_sites))
    bed.with_suffix(".bim").write_text("".join(rows))
    people = (f"0\ts{number}\t0\t0\t0\t-9\n" for number in range(n_samples))
    bed.with_suffix(".fam").write_text("".join(people))
    return bed


def _kernel_rate(missing: float) -> float:
    """Pair-sites a second of two blocks of random calls, planes included."""
    shares = [0.5 * (1 - missing), 0.35 * (1 - missing), 0.15 * (1 - missing), missing]
    rng = np.random.default_rng(1)
    chunks = [pack(rng.choice(4, (CHUNK_SITES, KERNEL_SAMPLES), p=shares)) for _ in range(2)]
    counts = PairCounts(KERNEL_SAMPLES, KERNEL_SAMPLES, is_within=False)
    n_chunks = -1  # the first one compiles, or loads what is compiled
    begun = time.perf_counter()
    while n_chunks < 1 or time.perf_counter() - begun < KERNEL_SECONDS:
        first, second = (chunk_planes(chunk, KERNEL_SAMPLES) for chunk in chunks)
        counts.add(first, second, CHUNK_SITES)
        n_chunks += 1
        begun = begun if n_chunks else time.perf_counter()
    return n_chunks * KERNEL_SAMPLES**2 * CHUNK_SITES / (time.perf_counter() - begun)


def _time_ours(console: Console, warehouse: Warehouse, repeat: int) -> float:
    """Seconds of the quickest run after a warm-up."""
    runs: list[Measurement] = []
    for _ in range(repeat + 1):
        with measured() as measurement:
            found = compute_relatedness(warehouse)
        runs.append(measurement)
    best = min(runs[1:], key=lambda run: run.seconds)
    n, n_sites = found.counters["samples"], found.counters["sites"]
    _report(console, f"allofus relatedness, {n:,} samples × {n_sites:,} sites", n, n_sites, best)
    return best.seconds


def _time_plink(
    console: Console, warehouse: Warehouse, source: Path, folder: Path, options: argparse.Namespace
) -> float:
    """Seconds of PLINK 2 over the sites that we choose, the conversion to .pgen not counted."""
    with start_run(warehouse, "sites") as run:
        people = choose_people(active_samples(warehouse, run), None)
        sites = sites_of_kinship(run, people)
    ids = folder / "sites.txt"
    ids.write_text("".join("{contig}:{position}:{ref}:{alt}\n".format(**row) for row in sites.to_pylist()))
    load = ["--bfile", str(source.with_suffix(""))] if source.suffix == ".bed" else ["--vcf", str(source)]
    pgen = ["plink2", "--pfile", str(folder / "all")]
    run_command(
        ["plink2", *load, "--set-all-var-ids", "chr@:#:$r:$a", "--extract", str(ids),
         "--rm-dup", "exclude-mismatch", "--make-pgen", "--out", str(folder / "all")]
    )  # fmt: skip
    least = str(warehouse.settings.relatedness.min_kinship)
    table = ["--make-king-table", "counts", "--king-table-filter", least, "--out", str(folder / "king")]
    runs = []
    for _ in range(options.repeat):
        with measured(with_this_process=False) as measurement:
            run_command([*pgen, "--threads", str(options.cores), *table])
        runs.append(measurement)
    best = min(runs, key=lambda run: run.seconds)
    _report(console, "PLINK 2 --make-king-table from .pgen", len(people), len(sites), best)
    return best.seconds


def _compare(console: Console, warehouse: Warehouse, table: Path) -> str | None:
    """A sentence where the tables differ."""
    with table.open() as lines:
        theirs = {
            tuple(sorted((row["#IID1"] if "#IID1" in row else row["IID1"], row["IID2"]))): row
            for row in csv.DictReader(lines, delimiter="\t")
        }
    ours = {(row.sample_id_1, row.sample_id_2): row for row in warehouse.read(RELATED_PAIRS).collect()}
    shared = ours.keys() & theirs.keys()
    apart = max((abs(ours[pair].kinship - float(theirs[pair]["KINSHIP"])) for pair in shared), default=0.0)
    n_counts = sum(
        ours[pair][name] != int(theirs[pair][other]) for pair in shared for name, other in COUNTS.items()
    )
    console.print(
        f"{len(shared):,} pairs in both, {len(ours) - len(shared)} in ours alone, "
        f"{len(theirs) - len(shared)} in PLINK's alone; kinship differs by {apart:.1e} at most, "
        f"{n_counts} counts differ"
    )
    same = len(ours) == len(theirs) == len(shared) and apart <= TOLERANCE and not n_counts
    return None if same else "kinship is not that of PLINK 2"


def _report(console: Console, what: str, n_samples: int, n_sites: int, run: Measurement) -> None:
    rate = n_samples * (n_samples - 1) / 2 * n_sites / run.seconds
    peaks = run.peak_mib_by_program
    programs = ("plink",) if what.startswith("PLINK") else ("java", "python")
    memory = ", ".join(f"{name} {peaks[name]:,.0f} MiB" for name in programs if name in peaks)
    console.print(f"{what}: {run.seconds:.2f} s, {rate:.3g} pair-sites/s; peak {memory or 'not known'}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Kinship of 2,504 people beside PLINK 2.")
    parser.add_argument("--samples", type=int, default=0, help="simulate so many people instead")
    parser.add_argument("--sites", type=int, default=10_000, help="at so many sites (%(default)s)")
    parser.add_argument("--block-samples", type=int, default=1_024, help="(%(default)s)")
    parser.add_argument("--cores", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--memory-gib", type=int, default=4, help="Java heap (%(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (%(default)s)")
    return parser


if __name__ == "__main__":
    main()
