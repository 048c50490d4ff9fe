"""Which stages would be run, in which order, and why: what was made and is not what it would be today."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from allofus_spark.settings import Settings
from allofus_spark.tables import Freshness, Recipe, Warehouse
from allofus_spark.tables.freshness import Made
from allofus_spark.tables.recipes import setting_of
from allofus_spark.tables.stages import STAGES, Stage

_DEFAULT = "default"


class State(str, Enum):
    """What becomes of a stage tonight."""

    CURRENT = "current"
    STALE = "stale"
    FIRST = "first time"
    WAITS = "may change"  # nothing changed yet, and a stage before it is to be run
    BY_HAND = "stale, by hand"  # its last run was given what the warehouse does not keep


@dataclass(frozen=True)
class Step:
    """One stage and scope. ``why`` are a few words each; ``seconds`` what its last run took, if it ever ran.

    ``partitions`` are those of the tables it reads that changed, as TABLE/column=value.
    """

    stage: Stage
    recipe: Recipe
    state: State
    why: Sequence[str] = ()
    partitions: Sequence[str] = ()
    seconds: float | None = None

    @property
    def name(self) -> str:
        """Stage and scope, for people."""
        return f"{self.stage.name} {self.recipe.scope}".strip()

    @property
    def is_due(self) -> bool:
        """Whether it is to be run, as far as can be told before the others have."""
        return self.state in (State.STALE, State.FIRST)


@dataclass(frozen=True)
class Plan:
    """Steps in the order in which they are run."""

    steps: Sequence[Step] = field(default_factory=list)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be run."""
        return not any(step.is_due for step in self.steps)


def make_plan(warehouse: Warehouse, only: Collection[str] = ()) -> Plan:
    """The plan as of the newest snapshot; ``only``: names of stages, the others are left out."""
    fresh = Freshness(warehouse)
    steps = [_judged(made) for made in fresh.made()]
    steps += _first_times(warehouse.settings, fresh, {step.stage.name for step in steps})
    order = list(STAGES)
    steps.sort(key=lambda step: (order.index(step.stage.name), step.recipe.scope))
    chosen = [step for step in steps if not only or step.stage.name in only]
    return Plan(_with_waiting(warehouse.settings, chosen))


def _judged(made: Made) -> Step:
    state = State.CURRENT
    if made.changes:
        state = State.STALE if made.recipe.parameters is not None else State.BY_HAND
    return Step(made.stage, made.recipe, state, made.changes, made.partitions, made.seconds)


def _first_times(settings: Settings, fresh: Freshness, ran: Collection[str]) -> list[Step]:
    """Stages of the settings that never ran, where tables are there, or will be, that they need."""
    steps: list[Step] = []
    to_come: set[str] = set()
    for name in settings.nightly.stages:
        stage = STAGES[name]
        if name in ran:
            to_come.update(stage.writes)
            continue
        has_settings = all(setting_of(settings, key) is not None for key in stage.needs_settings)
        if has_settings and all(fresh.holds(table) or table in to_come for table in stage.needs):
            to_come.update(stage.writes)
            scope = _DEFAULT if stage.has_scopes else ""
            steps.append(Step(stage, Recipe(scope), State.FIRST, ["it never ran"]))
    return steps


def _with_waiting(settings: Settings, steps: Sequence[Step]) -> list[Step]:
    """The steps, with those marked that read what a step before them is to write."""
    due: dict[str, set[str]] = {}
    marked = []
    for step in steps:
        before = [name for name, writes in due.items() if writes & set(step.stage.reads_with(settings))]
        if step.state is State.CURRENT and before:
            step = replace(step, state=State.WAITS, why=[f"after {', '.join(before)}"])
        if step.is_due or step.state is State.WAITS:
            due[step.name] = set(step.stage.writes)
        marked.append(step)
    return marked
