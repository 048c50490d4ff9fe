"""``make bench``: a simulated cohort, every engine that is installed, warm sessions, equal cores and memory.

Prints seconds, genotypes per second, peak memory and ratios, and writes ``benchmarks/results.json``. With
``--scaling`` this package is timed at three numbers of samples and of records too, to show linear cost.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.engines import WORKS
from benchmarks.results import OURS, Result, print_comparison, print_scaling, write_json
from benchmarks.worker import ENGINES, Input, Plan, engine_class, run_worker
from tools.cohort_files import count_records
from tools.simulate_cohort import add_size_options, simulate_cohort

DATA = Path("benchmarks/data")
RESULTS = Path("benchmarks/results.json")
WARM_UP_SAMPLES, WARM_UP_LENGTH = 400, 1_000_000
SCALING_PARTS = (4, 2, 1)


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    console = Console(highlight=False)
    sizes = [(options.samples, options.length)]
    if options.scaling:
        sizes += scaling_sizes(options.samples, options.length)
    inputs = {size: simulated_input(*size, options.seed) for size in dict.fromkeys(sizes)}
    warm_up = simulated_input(WARM_UP_SAMPLES, WARM_UP_LENGTH, options.seed)
    results, failed = [], False
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        for engine in options.engines:
            plan = Plan(
                engine=engine,
                cores=options.cores,
                memory_gib=options.memory_gib,
                repeat=options.repeat,
                warm_up=warm_up,
                inputs=tuple(inputs.values()) if engine == OURS else (inputs[sizes[0]],),
                folder=f"{scratch}/{engine}",
            )
            try:
                results += _run_engine(console, plan)
            except RuntimeError as error:
                console.print(str(error), markup=False)
                failed = True
    print_comparison(console, str(inputs[sizes[0]]), _of_inputs(results, [inputs[sizes[0]]]))
    if options.scaling:
        _report_scaling(console, results, [inputs[size] for size in sizes[1:]])
    write_json(options.out, results)
    sys.exit(failed)


def scaling_sizes(samples: int, length: int) -> list[tuple[int, int]]:
    """A quarter, a half and the whole of the samples at full length, then of the length for all samples."""
    by_samples = [(samples // part, length) for part in SCALING_PARTS]
    return by_samples + [(samples, length // part) for part in SCALING_PARTS]


def simulated_input(samples: int, length: int, seed: int) -> Input:
    """A simulated cohort and its size, made when it is not in `DATA` yet."""
    print(f"cohort: {samples:,} samples, {length:,} bases", flush=True)
    cohort = simulate_cohort(DATA, samples=samples, length=length, seed=seed)
    return Input(str(cohort.vcf), str(cohort.samples), samples, count_records(cohort.vcf))


def _run_engine(console: Console, plan: Plan) -> list[Result]:
    missing = engine_class(plan.engine).missing()
    if missing is None:
        return run_worker(plan)
    console.print(f"{plan.engine}: skipped, {missing}", markup=False)
    return []


def _report_scaling(console: Console, results: Sequence[Result], inputs: Sequence[Input]) -> None:
    ours = [result for result in results if result.engine == OURS]
    half = len(SCALING_PARTS)
    print_scaling(console, "Growth with samples", _of_inputs(ours, inputs[:half]))
    print_scaling(console, "Growth with records", _of_inputs(ours, inputs[half:]))


def _of_inputs(results: Sequence[Result], inputs: Sequence[Input]) -> list[Result]:
    """The results on these inputs, by work, then in the order of the inputs."""
    return [
        result
        for work in WORKS
        for given in inputs
        for result in results
        if (result.work, result.samples, result.records) == (work, given.samples, given.records)
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Time this package beside Hail, PLINK 2 and bcftools.")
    add_size_options(parser, samples=2_400, length=10_000_000)
    parser.add_argument(
        "--repeat", type=int, default=3, help="runs, of which the median counts (%(default)s)"
    )
    parser.add_argument("--cores", type=int, default=2, help="for every engine (%(default)s)")
    parser.add_argument("--memory-gib", type=int, default=6, help="Java heap or workspace (%(default)s)")
    parser.add_argument("--scaling", action="store_true", help="add a half and a quarter of each size")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES), help="(all)")
    parser.add_argument("--out", type=Path, default=RESULTS, help="results as JSON (%(default)s)")
    return parser


if __name__ == "__main__":
    main()
