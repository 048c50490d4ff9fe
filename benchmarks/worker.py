"""One engine in a process of its own, so that no engine's Java or memory disturbs another's.

``python -m benchmarks.worker PLAN.json`` warms the engine up, mostly on a small cohort, times each work on
each cohort of the plan, and leaves the results beside the plan. `run_worker` is its other end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from benchmarks.engines import WORKS, Engine, Machine, Step, Trial
from benchmarks.measure import Measurement, measured
from benchmarks.results import Result, summarise, write_json
from tools.cohort_files import Cohort

# In the order of the table. Loaded by name, as one engine's process has no need of another's libraries.
ENGINES = {
    "allofus": "benchmarks.engine_allofus:Allofus",
    "hail": "benchmarks.engine_hail:Hail",
    "plink2": "benchmarks.engine_plink2:Plink2",
    "bcftools": "benchmarks.engine_bcftools:Bcftools",
}


# Java compiles what runs often; of the time of a first and second round in a session, most goes into that.
# The last round is on the cohort to be timed: some code is compiled only where it runs long.
SMALL_ROUNDS = 2


@dataclass(frozen=True)
class Input:
    """A cohort and its size."""

    vcf: str
    samples_file: str
    samples: int
    records: int

    @property
    def cohort(self) -> Cohort:
        """Its files."""
        return Cohort(Path(self.vcf), Path(self.samples_file))

    def __str__(self) -> str:
        return f"{self.samples:,} samples × {self.records:,} records"


@dataclass(frozen=True)
class Plan:
    """What one engine has to do."""

    engine: str
    cores: int
    memory_gib: int
    repeat: int
    warm_up: Input
    inputs: tuple[Input, ...]
    folder: str

    @property
    def results_file(self) -> Path:
        """Where the worker leaves its results."""
        return Path(self.folder) / "results.json"

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """The plan that `asdict` and JSON made of one."""
        fields = json.loads(text)
        fields["warm_up"] = Input(**fields["warm_up"])
        fields["inputs"] = tuple(Input(**item) for item in fields["inputs"])
        return cls(**fields)


def engine_class(name: str) -> type[Engine]:
    """The class of an engine in `ENGINES`."""
    module, _, attribute = ENGINES[name].partition(":")
    found: type[Engine] = getattr(import_module(module), attribute)
    return found


def run_worker(plan: Plan) -> list[Result]:
    """Carry the plan out in a new process; its progress goes to standard output.

    Raises
    ------
    RuntimeError
        The engine failed; the message ends with what it said.
    """
    folder = Path(plan.folder)
    folder.mkdir(parents=True)
    plan_file, log = folder / "plan.json", folder / "stderr.log"
    plan_file.write_text(json.dumps(asdict(plan)), encoding="utf-8")
    with log.open("wb") as errors:
        done = subprocess.run([sys.executable, "-m", "benchmarks.worker", str(plan_file)], stderr=errors)
    if done.returncode != 0:
        raise RuntimeError(f"{plan.engine} failed:\n{log.read_text(errors='replace')[-4000:]}")
    return [Result(**fields) for fields in json.loads(plan.results_file.read_text(encoding="utf-8"))]


def carry_out(plan: Plan) -> list[Result]:
    """Warm up, then time every work on every input of the plan."""
    engine = engine_class(plan.engine)(Machine(plan.cores, plan.memory_gib), Path(plan.folder))
    steps = {work: step for work in WORKS if (step := engine.works.get(work))}
    trials = [_trial(plan, given, number) for number, given in enumerate((plan.warm_up, *plan.inputs))]
    rounds = [*trials[:1] * SMALL_ROUNDS, *trials[1:2]]
    for number, trial in enumerate(rounds, start=1):
        _say(plan, f"warm-up {number} of {len(rounds)}")
        for step in steps.values():
            step.prepare(trial)
            step.run(trial)
    results = []
    for given, trial in zip(plan.inputs, trials[1:], strict=True):
        results += _time_input(plan, engine, steps, given, trial)
    return results


def _time_input(
    plan: Plan, engine: Engine, steps: Mapping[str, Step], given: Input, trial: Trial
) -> list[Result]:
    results = []
    for work, step in steps.items():
        runs: list[Measurement] = []
        for _ in range(plan.repeat):
            step.prepare(trial)
            with measured(with_this_process=engine.in_process) as measurement:
                step.run(trial)
            runs.append(measurement)
        _say(plan, f"{given}, {work}: " + ", ".join(f"{run.seconds:.2f} s" for run in runs))
        results.append(summarise(work, plan.engine, runs, samples=given.samples, records=given.records))
    return results


def _trial(plan: Plan, given: Input, number: int) -> Trial:
    folder = Path(plan.folder) / str(number)
    folder.mkdir()
    return Trial(given.cohort, folder)


def _say(plan: Plan, text: str) -> None:
    print(f"{plan.engine}: {text}", flush=True)


def use_cores(cores: int) -> None:
    """Bind this process and all that it starts to the first `cores` CPUs it may use, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def _keep_output_clean() -> None:
    """Send what Java prints on standard output to the log, and leave the terminal to our own lines."""
    sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)


def main() -> None:
    """Command line."""
    _keep_output_clean()
    plan = Plan.from_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    use_cores(plan.cores)
    write_json(plan.results_file, carry_out(plan))


if __name__ == "__main__":
    main()
