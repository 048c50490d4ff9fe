"""The harness around an engine, with an engine that only takes notes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar

import pytest

from benchmarks import worker
from benchmarks.engines import WORKS, Engine, Machine, Step, Trial, missing_program, run_command
from benchmarks.run import scaling_sizes
from benchmarks.worker import ENGINES, Input, Plan, carry_out, engine_class

pytestmark = pytest.mark.long


SMALL = Input("small.vcf.gz", "small.tsv", 4, 10)
LARGE = Input("large.vcf.gz", "large.tsv", 40, 100)


class Notes(Engine):
    """Writes down what it is asked to do."""

    name = "notes"
    last: ClassVar[Notes]

    def __init__(self, machine: Machine, _scratch: Path) -> None:
        self.notes = [f"start {machine.cores}"]
        Notes.last = self

    @staticmethod
    def missing() -> None:
        return None

    @property
    def works(self) -> Mapping[str, Step]:
        # In another order than WORKS, and with a work that no one asked for.
        return {
            "frequencies": Step(lambda trial: self._note("count", trial)),
            "ingest": Step(lambda trial: self._note("read", trial), lambda trial: self._note("clear", trial)),
            "unheard of": Step(lambda trial: self._note("never", trial)),
        }

    def _note(self, what: str, trial: Trial) -> None:
        assert trial.folder.is_dir()
        self.notes.append(f"{what} {trial.cohort.vcf}")


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setitem(worker.ENGINES, "notes", f"{__name__}:Notes")
    return Plan("notes", 2, 4, 2, SMALL, (LARGE,), str(tmp_path))


def test_warm_up_comes_first_and_preparation_before_each_run(plan: Plan) -> None:
    results = carry_out(plan)
    assert Notes.last.notes == [
        "start 2",
        *["clear small.vcf.gz", "read small.vcf.gz", "count small.vcf.gz"] * 2,
        *["clear large.vcf.gz", "read large.vcf.gz", "count large.vcf.gz"],
        *["clear large.vcf.gz", "read large.vcf.gz"] * 2,
        *["count large.vcf.gz"] * 2,
    ]
    assert [(result.work, result.engine, result.samples, result.records) for result in results] == [
        ("ingest", "notes", 40, 100),
        ("frequencies", "notes", 40, 100),
    ]


def test_a_plan_survives_json(plan: Plan) -> None:
    assert Plan.from_json(json.dumps(asdict(plan))) == plan


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_does_known_works_under_its_own_name(name: str) -> None:
    engine = engine_class(name)
    assert engine.name == name
    assert issubclass(engine, Engine)
    reason = engine.missing()
    assert reason is None or "is not installed" in reason


def test_command_line_engines_do_the_works_that_start_from_a_vcf(tmp_path: Path) -> None:
    for name in ("plink2", "bcftools"):
        works = list(engine_class(name)(Machine(2, 4), tmp_path).works)
        assert works == [work for work in WORKS if work != "from_matrix_table"]


def test_a_program_that_is_not_there_is_named_with_what_to_install() -> None:
    note = missing_program("no-such-program", "some-package")
    assert note == "no-such-program is not installed (Debian: apt-get install some-package)"


def test_a_failing_program_is_quoted() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)sh -c .* failed:.*disk full"):
        run_command(["sh", "-c", "echo disk full >&2; exit 3"])


def test_an_engine_that_fails_in_its_process_is_reported_with_its_words(tmp_path: Path) -> None:
    plan = Plan(
        "bcftools", 1, 1, 1, Input(str(tmp_path / "none.vcf"), "none.tsv", 1, 1), (), str(tmp_path / "b")
    )
    if engine_class("bcftools").missing():
        pytest.skip("bcftools is not installed (Debian: apt-get install bcftools)")
    with pytest.raises(RuntimeError, match=r"(?s)bcftools failed:.*none\.vcf"):
        worker.run_worker(plan)


def test_scaling_has_three_sizes_each_and_the_whole_in_both() -> None:
    sizes = scaling_sizes(2_400, 10_000)
    assert sizes == [
        (600, 10_000),
        (1_200, 10_000),
        (2_400, 10_000),
        (2_400, 2_500),
        (2_400, 5_000),
        (2_400, 10_000),
    ]
