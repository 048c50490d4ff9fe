"""``make bench-scale``: the cost of each stage at three sizes in samples and three in variants.

Writes ``benchmarks/scale.json``, fits how cost grows, and puts what a biobank would cost into docs/scale.md,
between its markers. ``--document`` does the last step alone, from the JSON.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pyspark.sql import SparkSession
from rich.console import Console

from allofus_spark.association import Request, associate
from allofus_spark.export import export_genotypes
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_catalogue, ingest_genotypes, ingest_samples
from allofus_spark.novelty import flag_novelty
from allofus_spark.phenotypes import build_from_file
from allofus_spark.qc import compute_qc
from allofus_spark.relatedness import compute_relatedness
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse
from benchmarks.association_data import COVARIATES, ours, random_covariates, random_set, write_table
from benchmarks.growth import Cost, Measured, Size
from benchmarks.measure import measured
from benchmarks.scale_report import document
from benchmarks.wide_cohort import COMMON_EVERY, CONTIG, FIRST_POSITION, SPACING, write_wide_cohort
from tools.cohort_files import Cohort

DATA = Path("benchmarks/data")
RESULTS = Path("benchmarks/scale.json")
PARTS = (4, 2, 1)
PHENOTYPES = 10
WARM_UP = Size(400, 400, 40)
CALLSET, BUILD, CATALOGUE = "cohort", "GRCh38", "known"


@dataclass(frozen=True)
class Trial:
    """A cohort's files, and the warehouse that its stages fill, one after the other."""

    warehouse: Warehouse
    cohort: Cohort
    folder: Path


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True)
    if not options.document:
        costs = _measure(console, options)
        today = dt.datetime.now(dt.timezone.utc).date().isoformat()
        Measured(options.cores, options.memory_gib, today, costs).write(options.out)
    document(Measured.read(options.out), options.docs)
    console.print(f"{options.docs} tells the costs of {options.out}")


def sizes_of(samples: int, variants: int) -> list[Size]:
    """A quarter, a half and all of the samples with all variants, then of the variants with all samples."""
    pairs = [(samples // part, variants) for part in PARTS]
    pairs += [(samples, variants // part) for part in PARTS]
    return [Size(n, m, m // COMMON_EVERY) for n, m in dict.fromkeys(pairs)]


def _measure(console: Console, options: argparse.Namespace) -> list[Cost]:
    DATA.mkdir(parents=True, exist_ok=True)
    costs: list[Cost] = []
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        overrides = [
            f"spark.master=local[{options.cores}]",
            f"spark.driver_memory={options.memory_gib}g",
            "association.min_mac=1",
        ]
        spark = start_session(load_settings(warehouse=scratch, overrides=overrides), app_name="benchmark")
        for size in (WARM_UP, *sizes_of(options.samples, options.variants)):
            folder = Path(scratch) / f"{size.samples}_{size.variants}"
            folder.mkdir()
            trial = _trial(spark, folder, size, overrides, options.seed)
            found = list(_stage_costs(trial, size, options.cores))
            if size is not WARM_UP:
                costs += found
                for cost in found:
                    console.print(_said(cost))
            shutil.rmtree(folder)
        spark.stop()
    return costs


def _said(cost: Cost) -> str:
    size = cost.size
    return (
        f"{size.samples:,} samples × {size.variants:,} variants, {cost.stage}: {cost.core_seconds:.1f} "
        f"core-seconds, {cost.bytes_written / 1e6:,.1f} MB"
    )


def _trial(spark: SparkSession, folder: Path, size: Size, overrides: Sequence[str], seed: int) -> Trial:
    """The cohort, a catalogue of its sites, and phenotypes of its people, as files."""
    cohort, _ = write_wide_cohort(folder, samples=size.samples, variants=size.variants, seed=seed)
    people = [f"P{number:07d}" for number in range(size.samples)]
    covariates = random_covariates(size.samples, seed)
    write_table(ours(folder, "covariates"), "sample_id", people, list(COVARIATES), covariates)
    # Another seed than that of the covariates, which the phenotypes would repeat.
    chosen = random_set(
        "quantitative", covariates, PHENOTYPES, is_binary=False, with_missing=False, seed=seed + 1
    )
    chosen.write(folder, people)
    positions = FIRST_POSITION + SPACING * np.arange(size.variants)
    lines = [
        f"{CONTIG}\t{position}\t.\tA\t{'GT'[position // SPACING % 2]}\t.\t.\t.\n" for position in positions
    ]
    head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    (folder / "known.vcf").write_text(head + "".join(lines), encoding="utf-8")
    settings = load_settings(warehouse=str(folder / "warehouse"), overrides=overrides)
    return Trial(Warehouse(spark, settings), cohort, folder)


def _stage_costs(trial: Trial, size: Size, cores: int) -> Iterator[Cost]:
    """Run every stage once, and what comes before it untimed."""
    root = Path(trial.warehouse.root)
    for stage, run in STAGES.items():
        if stage in BEFORE:
            BEFORE[stage](trial)
        before = _bytes_below(root, trial.folder / "out")
        with measured() as measurement:
            run(trial)
        written = _bytes_below(root, trial.folder / "out") - before
        yield Cost(stage, size, measurement.seconds * cores, written, measurement.peak_mib)


def _bytes_below(*folders: Path) -> int:
    """Bytes of all files: of what a run writes, what is still there when it ends."""
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())


def _ingest(trial: Trial) -> None:
    source = [str(trial.cohort.vcf)]
    ingest_genotypes(trial.warehouse, source, callset_id=CALLSET, callset_date="2026-01-01", build=BUILD)


def _load_catalogue(trial: Trial) -> None:
    source = [str(trial.folder / "known.vcf")]
    ingest_catalogue(trial.warehouse, source, name=CATALOGUE, version="1", build=BUILD)


def _associate(trial: Trial) -> None:
    request = Request(
        covariates=COVARIATES,
        covariate_file=str(ours(trial.folder, "covariates")),
        ancestries=("all",),
        assume_unrelated=True,
        pictures=(),
    )
    associate(trial.warehouse, request)


def _export(trial: Trial) -> None:
    (trial.folder / "out").mkdir()
    export_genotypes(trial.warehouse, file_format="pgen", out=str(trial.folder / "out" / "cohort"))


STAGES: Mapping[str, Callable[[Trial], object]] = {
    "ingest-genotypes": _ingest,
    "qc": lambda trial: compute_qc(trial.warehouse, assume_unrelated=True),
    "frequencies": lambda trial: compute_frequencies(trial.warehouse, recompute=True),
    "relatedness": lambda trial: compute_relatedness(trial.warehouse),
    "ingest-catalogue": _load_catalogue,
    "flag-novelty": lambda trial: flag_novelty(trial.warehouse, catalogues={CATALOGUE: "1"}),
    "associate": _associate,
    "export (pgen)": _export,
}
BEFORE: Mapping[str, Callable[[Trial], object]] = {
    "ingest-genotypes": lambda trial: ingest_samples(
        trial.warehouse, str(trial.cohort.samples), callset_id=CALLSET, columns={}
    ),
    "associate": lambda trial: build_from_file(
        trial.warehouse, str(ours(trial.folder, "quantitative")), name="quantitative"
    ),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure how the cost of each stage grows.")
    parser.add_argument("--samples", type=int, default=16_000, help="people at most (%(default)s)")
    parser.add_argument("--variants", type=int, default=16_000, help="variants at most (%(default)s)")
    parser.add_argument("--cores", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--memory-gib", type=int, default=6, help="Java heap (%(default)s)")
    parser.add_argument("--seed", type=int, default=20260101, help="(%(default)s)")
    parser.add_argument("--document", action="store_true", help="measure nothing, write the section anew")
    parser.add_argument("--out", type=Path, default=RESULTS, help="results as JSON (%(default)s)")
    parser.add_argument("--docs", type=Path, default=Path("docs/scale.md"), help="(%(default)s)")
    return parser


if __name__ == "__main__":
    main()
