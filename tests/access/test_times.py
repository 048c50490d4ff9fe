"""Hours from registration to each step, by hand; and what is left out."""

from __future__ import annotations

import datetime as dt

import numpy as np

from allofus_spark.access.registry import Registry
from allofus_spark.access.standing import Event, Researcher
from allofus_spark.access.times import STEPS, access_times, hours_by_step, summarise
from allofus_spark.published import products
from allofus_spark.settings import AccessSettings
from allofus_spark.tables import Warehouse
from tests.access.conftest import let_in

UTC = dt.timezone.utc
SETTINGS = AccessSettings()


def at(day: int, hour: float, month: int = 1) -> dt.datetime:
    return dt.datetime(2026, month, day, tzinfo=UTC) + dt.timedelta(hours=hour)


def someone(name: str, begun: dt.datetime, *events: Event) -> tuple[Researcher, list[Event]]:
    return Researcher(name, begun, name, "X", None, None), [Event(begun, "registered", name), *events]


def registry_of(*people: tuple[Researcher, list[Event]], events: tuple[Event, ...] = ()) -> Registry:
    everything = [*events, *(event for _, own in people for event in own)]
    researchers = {researcher.researcher_id: researcher for researcher, _ in people}
    return Registry(researchers, sorted(everything, key=lambda event: event.order))


def test_hours_are_counted_to_the_first_time_of_each_step() -> None:
    ada = someone(
        "ada",
        at(1, 0),
        Event(at(1, 5), "module_completed", "ada", item="responsible_conduct"),
        Event(at(1, 6), "module_completed", "ada", item="controlled_data"),
        Event(at(2, 0), "tier_granted", "ada", tier="controlled"),
        Event(at(2, 2), "tier_granted", "ada", tier="registered"),
        Event(at(2, 5), "first_data_access", "ada"),
        Event(at(3, 0), "first_data_access", "ada"),
        Event(at(9, 0), "module_completed", "ada", item="responsible_conduct"),
        Event(at(9, 0), "registered", "ada"),
    )
    bob = someone("bob", at(31, 23), Event(at(31, 20), "module_completed", "bob", item="responsible_conduct"))
    agreed = Event(at(1, 1.5), "institution_agreement", institution="X", tier="registered")
    waits = hours_by_step(registry_of(ada, bob, events=(agreed,)), SETTINGS)
    assert waits == {
        "registered_to_agreement": {"2026-01": [1.5, 0.0]},  # it was there before bob
        "registered_to_modules": {"2026-01": [5.0, 0.0]},  # bob's too
        "registered_to_grant": {"2026-01": [26.0]},
        "registered_to_access": {"2026-01": [29.0]},
    }


def test_every_training_of_the_registered_tier_must_be_there() -> None:
    settings = AccessSettings(registered_modules=("a", "b"))
    ada = someone("ada", at(1, 0), Event(at(1, 5), "module_completed", "ada", item="a"))
    assert hours_by_step(registry_of(ada), settings)["registered_to_modules"] == {}
    none = hours_by_step(registry_of(ada), AccessSettings(registered_modules=()))
    assert none["registered_to_modules"] == {}


def test_rows_are_those_of_the_product() -> None:
    waits = {"2026-01": [float(n) for n in range(25)], "2026-02": [1.0] * 20, "2026-03": [2.0] * 30}
    rows = list(summarise("registered_to_access", waits, floor=20, round_to=40))
    (product,) = (table for table in products(()) if table.name == "access_times")
    names = [column.name for column in product.columns]
    assert [row._asdict().keys() for row in rows] == [dict.fromkeys(names).keys()] * len(rows)
    # 20 in February would be all − January − March: January, the smaller, goes too.
    assert [(row.month, row.n_researchers, row.median_hours) for row in rows] == [
        ("all", 80, 2.0),
        ("2026-03", 40, 2.0),
    ]
    quartiles = np.percentile([hours for month in waits.values() for hours in month], (25, 75))
    assert [rows[0].lower_quartile_hours, rows[0].upper_quartile_hours] == list(np.round(quartiles, 1))


def test_a_floor_or_fewer_show_nothing() -> None:
    assert list(summarise("x", {"2026-01": [1.0] * 20}, floor=20, round_to=40)) == []
    assert len(list(summarise("x", {"2026-01": [1.0] * 21}, floor=20, round_to=40))) == 2
    assert list(summarise("x", {}, floor=20, round_to=40)) == []


def test_a_warehouse_s_own(gated: Warehouse) -> None:
    assert access_times(gated, 1, 2) == []
    let_in(gated, "ada")
    let_in(gated, "bob")
    rows = access_times(gated, 1, 2)
    assert {row.step for row in rows} == set(STEPS) - {"registered_to_access"}  # nobody has looked yet
    assert {(row.month, row.n_researchers, row.median_hours) for row in rows} == {
        ("all", 2, 0.0),
        ("2026-05", 2, 0.0),
    }
