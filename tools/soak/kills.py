"""The kills: an undisturbed run is measured, then each stage of another is killed and run again."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tools.soak.contents import contents
from tools.soak.inputs import make_inputs
from tools.soak.processes import Driver, Event
from tools.soak.stages import STAGES

DRIVER, WORKERS = "driver", "workers"
_ENDS = ("done", "failed")
_SLOWEST = 5.0  # how much longer than in the undisturbed run a stage is taken to last, at most

Say = Callable[[str], None]


class Step(NamedTuple):
    """A step of an undisturbed stage, in seconds after its beginning."""

    what: str
    after: float


@dataclass(frozen=True)
class Kill:
    """One kill: what was killed, after which step of the stage, and what came of it.

    ``was_inside``: the stage had begun and had not ended. ``processes`` killed; ``failed``: the run said so.
    """

    stage: str
    kind: str
    step: str
    was_inside: bool
    processes: int
    failed: bool


@dataclass
class Report:
    """All kills, the tables, and those that differ from the undisturbed run's."""

    kills: list[Kill] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    @property
    def share_inside(self) -> float:
        """Share of the kills that hit a process while the stage ran."""
        return sum(kill.was_inside for kill in self.kills) / max(len(self.kills), 1)


def soak(folder: Path, *, kills: int, seed: int, stages: Sequence[str] = tuple(STAGES), say: Say) -> Report:
    """Kill drivers and workers in turn, ``kills`` in all, spread evenly over the stages.

    ``folder`` gets the inputs, the two warehouses and the drivers' log. Raises RuntimeError where a stage
    does not run to its end when nobody disturbs it.
    """
    inputs = make_inputs(folder / "inputs")
    undisturbed, killed, log = folder / "undisturbed", folder / "killed", folder / "drivers.log"
    with Driver(undisturbed, inputs, log) as driver:
        steps = _measure(driver, stages, say)
    chance, report = random.Random(seed), Report()
    with ExitStack() as drivers:
        start = lambda: drivers.enter_context(Driver(killed, inputs, log))  # noqa: E731
        killer = _Killer(start, killed, steps, chance)
        for place, stage in enumerate(stages):
            killer.before()
            for number in range(len(range(place, kills, len(stages)))):
                report.kills.append(killer.kill(stage, (DRIVER, WORKERS)[number % 2]))
                say(_line(report.kills[-1]))
            killer.finish(stage)
        killer.driver().end()
    expected, found = contents(undisturbed), contents(killed)
    report.tables = sorted(expected)
    report.different = sorted(
        name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
    )
    return report


def _measure(driver: Driver, stages: Sequence[str], say: Say) -> dict[str, list[Step]]:
    """Run all stages undisturbed; the steps of each, the end last."""
    steps = {}
    for stage in stages:
        began = driver.begin(stage)
        events = driver.until(*_ENDS)
        _must_be_done(stage, events[-1])
        steps[stage] = [Step("begin", 0.0), *(Step(event.what, event.at - began.at) for event in events)]
        say(f"{stage}: {steps[stage][-1].after:.1f} s undisturbed, {len(events)} steps")
    driver.end()
    return steps


def _must_be_done(stage: str, event: Event) -> None:
    if event.kind != "done":
        raise RuntimeError(f"{stage} failed though nobody disturbed it: {event.what}")


class _Killer:
    """Runs stages and kills at moments drawn evenly from their time."""

    def __init__(
        self,
        start: Callable[[], Driver],
        root: Path,
        steps: dict[str, list[Step]],
        chance: random.Random,
    ) -> None:
        self._start, self._root, self._steps, self._chance = start, root, steps, chance
        self._copy = root.with_name("before_the_stage")
        self._driver: Driver | None = None
        self._slowness = 1.0
        self._is_done = False

    def before(self) -> None:
        """Keep the warehouse as it is before a stage, which then is not done."""
        shutil.rmtree(self._copy, ignore_errors=True)
        self._root.mkdir(exist_ok=True)
        shutil.copytree(self._root, self._copy)
        self._is_done = False

    def _bring_back(self) -> None:
        """Put the warehouse back as it was before the stage; for a new driver, which remembers nothing."""
        if self._driver is not None:
            self._driver.end()
        self._driver = None
        shutil.rmtree(self._root)
        shutil.copytree(self._copy, self._root)

    def driver(self) -> Driver:
        """The driver that lives, or a new one."""
        if self._driver is None:
            self._driver = self._start()
        return self._driver

    def kill(self, stage: str, kind: str) -> Kill:
        """Begin the stage, and kill at a random moment of it; one that had come to its end begins anew."""
        if self._is_done:
            self._bring_back()
        driver = self.driver()
        moment = self._chance.random() * self._steps[stage][-1].after
        began = driver.begin(stage)
        last = self._wait_for(driver, stage, began, moment)
        if kind == DRIVER:
            rest = driver.kill()
            self._driver, processes = None, 1
        else:
            processes = driver.kill_workers() if last.kind not in _ENDS else 0
            rest = [] if last.kind in _ENDS else driver.until(*_ENDS)
        seen = [last, *rest]
        end = next((event.kind for event in seen if event.kind in _ENDS), "")
        self._is_done = end == "done"
        was_inside = last.kind not in _ENDS and (kind == WORKERS or not end) and processes > 0
        return Kill(stage, kind, last.what, was_inside, processes, failed=end == "failed")

    def _wait_for(self, driver: Driver, stage: str, began: Event, moment: float) -> Event:
        """Wait for the step that came before the moment, and as long after it as the moment was.

        Steps are waited for as this process is slower or faster than the one that was measured.
        """
        before = [step for step in self._steps[stage] if step.after <= moment]
        last = began
        for _ in before[1:]:
            last = driver.until("step", *_ENDS)[-1]
            if last.kind in _ENDS:
                return last
        if before[-1].after > 0.1:
            ratio = (last.at - began.at) / before[-1].after
            self._slowness = min(max(ratio, 1 / _SLOWEST), _SLOWEST)
        until = last.at + (moment - before[-1].after) * self._slowness
        event = driver.next_event(until - time.monotonic())  # the next step ends the wait, if it comes early
        return event or last

    def finish(self, stage: str) -> None:
        """Run the stage to its end, unless it has come there."""
        if not self._is_done:
            driver = self.driver()
            driver.begin(stage)
            _must_be_done(stage, driver.until(*_ENDS)[-1])


def _line(kill: Kill) -> str:
    what = kill.kind if kill.kind == DRIVER else f"{kill.processes} workers"
    where = f"after: {kill.step}" if kill.was_inside else "outside of it"
    return f"{kill.stage}: killed {what}, {where}{'; the run failed' if kill.failed else ''}"
