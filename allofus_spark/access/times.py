"""How long researchers wait from registration to each step, and to the first data that they see.

A step is reached when it is first done, whether or not it still holds; agreements that were there before a
researcher registered took them no time. Hours are summed up by month of registration (UTC), and of all.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from allofus_spark.access.decisions import FIRST_ACCESS
from allofus_spark.access.registry import Registry, load_registry
from allofus_spark.access.standing import Event, Researcher, Tier
from allofus_spark.published import ALL, hide_small, rounded_up
from allofus_spark.settings import AccessSettings
from allofus_spark.tables import Warehouse

STEPS = ("registered_to_agreement", "registered_to_modules", "registered_to_grant", "registered_to_access")
_SECONDS_PER_HOUR = 3600
_DECIMALS = 1  # of hours: six minutes, finer than anybody waits


class AccessTime(NamedTuple):
    """A row of the released product ``access_times``; ``n_researchers`` is rounded up."""

    step: str
    month: str
    n_researchers: int
    median_hours: float
    lower_quartile_hours: float
    upper_quartile_hours: float


def access_times(warehouse: Warehouse, floor: int, round_to: int) -> list[AccessTime]:
    """Median and quartiles of the hours to each step, of all and by month of registration, as is released.

    Parameters
    ----------
    floor
        A group of 1 to ``floor`` researchers is left out. Where the months left out hold so few together, the
        smallest month shown goes too: else the rest of ``all`` would tell of them.
    round_to
        Numbers of researchers are rounded up to multiples of it; at twice the floor no difference between two
        of them tells of 1 to ``floor``.
    """
    waits = hours_by_step(load_registry(warehouse), warehouse.settings.access)
    return [row for step in STEPS for row in summarise(step, waits[step], floor=floor, round_to=round_to)]


def hours_by_step(registry: Registry, settings: AccessSettings) -> dict[str, dict[str, list[float]]]:
    """Hours from registration by step and month of registration (YYYY-MM), of all who reached the step."""
    own: dict[str, list[Event]] = defaultdict(list)
    agreed: dict[str, dt.datetime] = {}
    for event in registry.events:  # in order of time
        if event.researcher_id is not None:
            own[event.researcher_id].append(event)
        elif event.tier == Tier.REGISTERED.value and event.institution is not None:
            agreed.setdefault(event.institution, event.happened_at)
    waits: dict[str, dict[str, list[float]]] = {step: defaultdict(list) for step in STEPS}
    for researcher in registry.researchers.values():
        begun = _first(own[researcher.researcher_id], "registered") or researcher.registered_at
        reached = _reached(researcher, own[researcher.researcher_id], agreed, settings)
        for step, at in zip(STEPS, reached, strict=True):
            if at is not None:
                hours = max((at - begun).total_seconds(), 0.0) / _SECONDS_PER_HOUR
                waits[step][f"{begun:%Y-%m}"].append(hours)
    return waits


def _reached(
    researcher: Researcher,
    own: Sequence[Event],
    agreed: Mapping[str, dt.datetime],
    settings: AccessSettings,
) -> tuple[dt.datetime | None, ...]:
    """When each of `STEPS` was first reached; None: not yet."""
    completed = [_first(own, "module_completed", item=module) for module in settings.registered_modules]
    times = [at for at in completed if at is not None]
    trained = max(times, default=None) if len(times) == len(completed) else None
    granted = [item for item in own if item.tier == Tier.REGISTERED.value]
    return (
        agreed.get(researcher.institution),
        trained,
        _first(granted, "tier_granted"),
        _first(own, FIRST_ACCESS),
    )


def _first(events: Sequence[Event], kind: str, *, item: str | None = None) -> dt.datetime | None:
    return next(
        (each.happened_at for each in events if each.event == kind and item in (None, each.item)), None
    )


def summarise(
    step: str, by_month: Mapping[str, Sequence[float]], *, floor: int, round_to: int
) -> Iterator[AccessTime]:
    """Rows of one step that may be shown, ``all`` first."""
    everybody = [hours for month in by_month.values() for hours in month]
    if len(everybody) > floor:
        yield _row(step, ALL, everybody, round_to)
    for month in sorted(hide_small({month: len(hours) for month, hours in by_month.items()}, floor)):
        yield _row(step, month, by_month[month], round_to)


def _row(step: str, month: str, hours: Sequence[float], round_to: int) -> AccessTime:
    lower, median, upper = np.round(np.percentile(hours, (25, 50, 75)), _DECIMALS)
    n_researchers = rounded_up(len(hours), round_to)
    return AccessTime(step, month, n_researchers, float(median), float(lower), float(upper))
