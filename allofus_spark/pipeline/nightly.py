"""The run of a plan: each stale stage in order; what depends on one that failed waits for the next night."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum

from allofus_spark.errors import AllofusError
from allofus_spark.pipeline.actions import run_again
from allofus_spark.pipeline.plan import Plan, State, Step, make_plan
from allofus_spark.tables import Warehouse, hold_lease, record_run

STAGE = "nightly"

_log = logging.getLogger(__name__)


class Outcome(str, Enum):
    """What became of a step."""

    CURRENT = "current"
    DONE = "done"
    FAILED = "failed"
    HELD_BACK = "held back"  # reads what a failed one was to write
    BY_HAND = "stale, by hand"


@dataclass(frozen=True)
class Result:
    """One step and what became of it; ``message`` is the error of one that failed, or what it waits for."""

    step: Step
    outcome: Outcome
    seconds: float = 0.0
    message: str = ""


@dataclass
class Night:
    """Results in the order of the steps."""

    results: list[Result] = field(default_factory=list)

    def of(self, outcome: Outcome) -> list[Result]:
        """Results with one outcome."""
        return [result for result in self.results if result.outcome is outcome]

    @property
    def is_well(self) -> bool:
        """Whether no stage failed."""
        return not self.of(Outcome.FAILED)


def run_nightly(
    warehouse: Warehouse, *, only: Collection[str] = (), show: Callable[[Plan], None] = lambda _: None
) -> Night:
    """Run what is stale, and record the night in ``pipeline_runs``.

    Parameters
    ----------
    only
        Names of stages; none: all.
    show
        Is given the plan before the first stage is run.

    Raises WarehouseBusy where another run works in the warehouse. A stage that fails is in the results, and
    those that read what it writes are held back.
    """
    night = Night()
    with hold_lease(warehouse, STAGE):
        plan = make_plan(warehouse, only)
        show(plan)
        with record_run(warehouse, STAGE) as record:
            for step in plan.steps:
                night.results.append(_run(warehouse, step, night))
            record.counters.update({f"stages_{each.name.lower()}": len(night.of(each)) for each in Outcome})
            failed = [f"{each.step.name}: {each.message}" for each in night.of(Outcome.FAILED)]
            record.problem = "; ".join(failed) or None
    return night


def _run(warehouse: Warehouse, planned: Step, night: Night) -> Result:
    """Run a step, judged once more: a stage before it may have changed what it reads, or not."""
    if waits_for := _broken_before(warehouse, planned, night):
        return Result(planned, Outcome.HELD_BACK, message=f"reads what {waits_for} writes, which failed")
    step = _today(warehouse, planned)
    if step.state is State.BY_HAND:
        return Result(step, Outcome.BY_HAND, message="; ".join(step.why))
    if not step.is_due:
        return Result(step, Outcome.CURRENT)
    _log.info("%s: %s: %s", STAGE, step.name, "; ".join(step.why))
    begun = time.monotonic()
    try:
        run_again(warehouse, step.stage.name, step.recipe)
    except AllofusError as error:
        return Result(step, Outcome.FAILED, time.monotonic() - begun, str(error))
    except Exception as error:  # the others must not be lost with it
        _log.exception("%s: %s failed", STAGE, step.name)
        return Result(step, Outcome.FAILED, time.monotonic() - begun, f"{type(error).__name__}: {error}")
    return Result(step, Outcome.DONE, time.monotonic() - begun)


def _today(warehouse: Warehouse, planned: Step) -> Step:
    """The step as it stands now; as planned where it never ran."""
    for step in make_plan(warehouse, [planned.stage.name]).steps:
        if step.recipe.scope == planned.recipe.scope:
            return step
    return planned


def _broken_before(warehouse: Warehouse, step: Step, night: Night) -> str | None:
    """The first stage that failed or was held back and writes what this one reads; None: there is none."""
    reads = set(step.stage.reads_with(warehouse.settings))
    for result in night.results:
        is_broken = result.outcome in (Outcome.FAILED, Outcome.HELD_BACK) and result.step.stage != step.stage
        if is_broken and set(result.step.stage.writes) & reads:
            return result.step.name
    return None
