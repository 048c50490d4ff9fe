"""``make bench-association``: association scans beside PLINK 2 and Hail, on one simulated cohort.

Quantitative phenotypes: 100 together, 10, and 100 that each lack 5 % of the people; binary ones: 10 at
a prevalence of 10 %, Firth regression where the score test asks for it. Sessions are warm, and every row is
stored. PLINK's logistic modes and Hail's are so slow that they get a share of the variants and one phenotype;
what is compared is time by variant and phenotype. The exit status is 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from allofus_spark.association import Request, associate
from allofus_spark.cli.screen import grid
from allofus_spark.phenotypes import build_from_file
from allofus_spark.tables import Warehouse
from benchmarks.association_data import (
    COVARIATES,
    ours,
    random_covariates,
    random_set,
    theirs,
    write_table,
)
from benchmarks.engine_allofus import Allofus
from benchmarks.engines import Machine, Trial, missing_program, run_command
from benchmarks.measure import Measurement, measured
from benchmarks.run import DATA, simulated_input
from benchmarks.worker import Input
from tools.cohort_files import read_samples
from tools.simulate_cohort import add_size_options

LINEAR, MISSING, BINARY = "linear", "missing", "binary"
FEW = 10
OURS, PLINK, HAIL = "allofus", "PLINK 2", "Hail"


class Timed(NamedTuple):
    """How long an engine took over some variants and phenotypes."""

    work: str
    engine: str
    variants: int
    phenotypes: int
    seconds: float

    @property
    def microseconds_per_test(self) -> float:
        return 1e6 * self.seconds / (self.variants * self.phenotypes)


class Bar(NamedTuple):
    """Of a work of ours: by which factor another's test takes longer, at least."""

    work: str
    other: str
    engine: str
    least: float


BARS = (
    Bar("linear, 100", "linear, 100", PLINK, 1),
    Bar("linear, 10", "linear, 10", HAIL, 5),
    Bar("binary, 10", "binary, firth-fallback", PLINK, 50),
    Bar("binary, 10", "binary, firth-residualize", PLINK, 15),
    Bar("binary, 10", "binary, wald", HAIL, 50),
)


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True)
    given = simulated_input(options.samples, options.length, options.seed)
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        folder = Path(scratch)
        _write_data(folder, given)
        timed = _time_plink(folder, given, options)
        timed += _time_hail(folder, given, options)
        timed += _time_ours(console, folder, given, options)
    _report(console, given, timed)
    problems = _missed(timed)
    for problem in problems:
        console.print(problem)
    sys.exit(bool(problems))


def _write_data(folder: Path, given: Input) -> None:
    people = [person.sample_id for person in read_samples(Path(given.samples_file))]
    covariates = random_covariates(len(people), seed=1)
    for path, key in ((ours(folder, "covariates"), "sample_id"), (theirs(folder, "covariates"), "#IID")):
        write_table(path, key, people, list(COVARIATES), covariates)
    for seed, (name, n, is_binary, with_missing) in enumerate(
        ((LINEAR, 100, False, False), (MISSING, 100, False, True), (BINARY, FEW, True, False)), start=2
    ):
        random_set(name, covariates, n, is_binary=is_binary, with_missing=with_missing, seed=seed).write(
            folder, people
        )


def _time_ours(console: Console, folder: Path, given: Input, options: argparse.Namespace) -> list[Timed]:
    engine = Allofus(Machine(options.cores, options.memory_gib), folder)
    trial = Trial(given.cohort, folder)
    for work in ("ingest",):
        engine.works[work].prepare(trial)
        engine.works[work].run(trial)
    warehouse = engine.warehouse(trial)
    for name in (LINEAR, MISSING, BINARY):
        build_from_file(warehouse, str(ours(folder, name)), name=name)
    few = [f"{LINEAR}_{number}" for number in range(1, FEW + 1)]
    works: tuple[tuple[str, str, list[str]], ...] = (
        ("linear, 10", LINEAR, few),
        ("linear, 100", LINEAR, []),
        ("missing, 100", MISSING, []),
        ("binary, 10", BINARY, []),
    )
    timed = []
    for work, name, phenotype_ids in works:
        runs = [_scan(warehouse, folder, name, phenotype_ids) for _ in range(options.repeat + 1)]
        best = min(runs[1:], key=lambda run: run.seconds)
        n_phenotypes = len(phenotype_ids) or (FEW if name == BINARY else 100)
        timed.append(Timed(work, OURS, _variants(warehouse), n_phenotypes, best.seconds))
        peaks = ", ".join(f"{program} {mib:,.0f} MiB" for program, mib in best.peak_mib_by_program.items())
        seconds = ", ".join(f"{run.seconds:.2f}" for run in runs)
        console.print(f"{OURS}: {work}: {seconds} s (the first does not count); peak {peaks}")
    return timed


def _scan(warehouse: Warehouse, folder: Path, name: str, phenotype_ids: Sequence[str]) -> Measurement:
    request = Request(
        scan=name,
        phenotype_set=name,
        phenotype_ids=phenotype_ids,
        covariates=COVARIATES,
        covariate_file=str(ours(folder, "covariates")),
        ancestries=("all",),
        assume_unrelated=True,
        pictures=(),
    )
    with measured() as measurement:
        associate(warehouse, request)
    return measurement


def _variants(warehouse: Warehouse) -> int:
    return warehouse.read(warehouse.contract("variants")).count()


def _time_plink(folder: Path, given: Input, options: argparse.Namespace) -> list[Timed]:
    problem = missing_program("plink2", "plink2")
    if problem is not None:
        print(f"{PLINK}: skipped, {problem}", flush=True)
        return []
    limits = ["--threads", str(options.cores), "--memory", str(options.memory_gib * 1024)]
    pgen = str(folder / "cohort")
    run_command(
        ["plink2", *limits, "--vcf", given.vcf, "--set-all-var-ids", "@:#:$r:$a", "--max-alleles", "2",
         "--new-id-max-allele-len", "100", "missing", "--mac", "1", "--make-pgen", "--out", pgen]
    )  # fmt: skip
    n_all = _lines(Path(f"{pgen}.pvar"))
    every = _thinned(folder, Path(f"{pgen}.pvar"), options.thin)
    modes: list[tuple[str, str, int, list[str], list[str]]] = [
        ("linear, 100", LINEAR, 100, [], []),
        ("linear, 10", LINEAR, FEW, [], []),
        ("missing, 100", MISSING, 100, [], []),
        ("binary, firth-fallback", BINARY, 1, ["firth-fallback"], ["--extract", str(every)]),
        ("binary, firth-residualize", BINARY, 1, ["firth-fallback", "firth-residualize"],
         ["--extract", str(every)]),
    ]  # fmt: skip
    timed = []
    for work, name, n, mode, subset in modes:
        names = ",".join(f"{name}_{number}" for number in range(1, n + 1))
        command = [
            "plink2", *limits, "--pfile", pgen, *subset, "--glm", "omit-ref", "hide-covar", *mode,
            "--pheno", str(theirs(folder, name)), "--pheno-name", names, "--covar",
            str(theirs(folder, "covariates")), "--out", str(folder / "plink"),
        ]  # fmt: skip
        runs = []
        for _ in range(1 if subset else options.repeat):
            with measured(with_this_process=False) as measurement:
                run_command(command)
            runs.append(measurement.seconds)
        n_variants = _lines(every) if subset else n_all
        timed.append(Timed(work, PLINK, n_variants, n, min(runs)))
        print(f"{PLINK}: {work}: {', '.join(f'{seconds:.2f}' for seconds in runs)} s", flush=True)
        for file in folder.glob("plink.*"):
            file.unlink()
    return timed


def _lines(path: Path) -> int:
    """Lines that are no header."""
    with path.open() as lines:
        return sum(not line.startswith("#") for line in lines)


def _thinned(folder: Path, pvar: Path, every: int) -> Path:
    """The ids of every so many variants."""
    path = folder / "every.txt"
    with pvar.open() as lines:
        ids = [line.split("\t")[2] for line in lines if not line.startswith("#")]
    path.write_text("".join(f"{name}\n" for name in ids[::every]))
    return path


def _time_hail(folder: Path, given: Input, options: argparse.Namespace) -> list[Timed]:
    plan = {
        "folder": str(folder / "hail"),
        "tables": str(folder),
        "vcf": given.vcf,
        "cores": options.cores,
        "memory_gib": options.memory_gib,
        "sets": {"linear": LINEAR, "binary": BINARY},
        "n_linear": FEW,
        "thin": options.thin,
        "repeat": options.repeat,
    }
    (folder / "hail").mkdir()
    (folder / "hail.json").write_text(json.dumps(plan))
    command = [sys.executable, "-m", "benchmarks.association_hail", str(folder / "hail.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{HAIL} failed:\n{done.stderr[-4000:]}")
    seconds = json.loads(done.stdout.splitlines()[-1])
    print(f"{HAIL}: {seconds}", flush=True)
    return [
        Timed("linear, 10", HAIL, int(seconds["variants"]), FEW, seconds["linear"]),
        Timed("binary, wald", HAIL, int(seconds["wald_variants"]), 1, seconds["wald"]),
    ]


def _report(console: Console, given: Input, timed: Sequence[Timed]) -> None:
    numbers = ("variants", "phenotypes", "seconds", "µs/test", "s/10⁹")
    table = grid(f"{given}, {len(COVARIATES)} covariates", "work", "engine", *numbers, numbers=numbers)
    for own in sorted(timed):
        table.add_row(
            own.work,
            own.engine,
            f"{own.variants:,}",
            str(own.phenotypes),
            f"{own.seconds:.2f}",
            f"{own.microseconds_per_test:.3g}",
            f"{1e9 * own.seconds / (own.variants * own.phenotypes * given.samples):.3g}",
        )
    console.print(table)
    console.print("s/10⁹: seconds a billion tests of one sample each")
    for bar in BARS:
        ratio = _ratio(timed, bar)
        if ratio is not None:
            console.print(f"{bar.engine}, {bar.other}: {ratio:.1f} × our time by test; bar {bar.least:g}")
    ratio = _ratio(timed, Bar("missing, 100", "missing, 100", PLINK, 0))
    if ratio is not None:
        console.print(f"{PLINK}, 100 phenotypes that each lack other people: {ratio:.1f} × our time")


def _ratio(timed: Sequence[Timed], bar: Bar) -> float | None:
    """How many times as long the other's test takes; None where it was not timed."""
    found = {(own.work, own.engine): own for own in timed}
    own, other = found.get((bar.work, OURS)), found.get((bar.other, bar.engine))
    if own is None or other is None:
        return None
    return other.microseconds_per_test / own.microseconds_per_test


def _missed(timed: Sequence[Timed]) -> list[str]:
    return [
        f"{bar.engine}, {bar.other}: {ratio:.1f} times our time; its bar is {bar.least:g}"
        for bar in BARS
        if (ratio := _ratio(timed, bar)) is not None and ratio < bar.least
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Association scans beside PLINK 2 and Hail.")
    add_size_options(parser, samples=2_400, length=10_000_000)
    parser.add_argument("--repeat", type=int, default=3, help="runs, of which the quickest counts")
    parser.add_argument("--thin", type=int, default=20, help="slow modes get one variant of so many")
    parser.add_argument("--cores", type=int, default=2, help="for every engine (%(default)s)")
    parser.add_argument("--memory-gib", type=int, default=6, help="Java heap or workspace (%(default)s)")
    return parser


if __name__ == "__main__":
    main()
