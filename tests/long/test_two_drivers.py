"""Two drivers in one warehouse, each a process with a Spark session: one is refused, waits, or takes over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tools.soak.contents import contents
from tools.soak.inputs import make_inputs
from tools.soak.processes import Driver, Event


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_inputs(tmp_path_factory.mktemp("inputs"))


def held_up_in(driver: Driver, stage: str) -> None:
    """Begin a stage, and stop the driver for a while when it begins to write."""
    driver.begin(stage)
    told(driver, f"{stage}: writing")
    driver.hold_up()


def told(driver: Driver, text: str) -> Event:
    """Wait for a step that says this."""
    while text not in (event := driver.until("step")[-1]).what:
        pass
    return event


def ended(driver: Driver) -> Event:
    return driver.until("done", "failed")[-1]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "warehouse"


@pytest.fixture
def start(root: Path, inputs: Path) -> Iterator[Callable[..., Driver]]:
    """Start a driver with settings; none outlives the test."""
    with ExitStack() as drivers:
        log = root.with_name("drivers.log")
        yield lambda *settings: drivers.enter_context(Driver(root, inputs, log, *settings))


def test_a_second_driver_is_refused_or_waits_and_takes_over_from_a_dead_one(
    root: Path, start: Callable[..., Driver]
) -> None:
    first, hasty = start(), start()
    held_up_in(first, "ingest_samples")
    hasty.begin("ingest_persons")
    refusal = ended(hasty)
    first.go_on()
    assert refusal.kind == "failed"
    assert "WarehouseBusy: another run works in this warehouse: ingest_samples, run " in refusal.what
    assert ended(first).kind == "done"
    hasty.begin("ingest_persons")
    assert ended(hasty).kind == "done"
    hasty.end()
    both = {"samples", "persons", "person_samples"}
    assert both <= contents(root).keys()

    patient = start("lease.wait_seconds=300")
    held_up_in(first, "ingest_genotypes")
    patient.begin("ingest_omop")
    told(patient, "ingest_omop: waiting for ingest_genotypes, run ")
    first.go_on()
    assert ended(first).kind == "done"
    assert ended(patient).kind == "done"
    assert both | {"genotypes", "omop_person"} <= contents(root).keys()

    before = contents(root)
    held_up_in(first, "compute_frequencies")
    first.kill()
    assert contents(root) == before
    patient.begin("build_traits")
    told(patient, "taking over from compute_frequencies, run ")
    assert ended(patient).kind == "done"
    after = contents(root)
    assert {name: after[name] for name in before} == before
    assert "phenotypes" in after
    patient.end()
