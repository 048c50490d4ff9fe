"""Journals beside what else happens to a warehouse: maintenance, withdrawal, status."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import threading
from pathlib import Path

import pytest

from allofus_spark.access import Tier, load_registry, record
from allofus_spark.errors import ContractViolation, SettingsError, WarehouseBusy
from allofus_spark.maintenance import maintain
from allofus_spark.query import warehouse_status
from allofus_spark.tables import ACCESS_EVENTS, RESEARCHERS, RowsWrite, Warehouse, writing_journals
from allofus_spark.tables.journals import undisturbed
from tests.access.conftest import AT, BEFORE, let_in

pytestmark = pytest.mark.long


def live_files(warehouse: Warehouse) -> int:
    status = {item.name: item for item in warehouse_status(warehouse)}["access_events"]
    assert status.rows == len(load_registry(warehouse).events)
    return sum(1 for _ in Path(warehouse.path(ACCESS_EVENTS)).glob("*.parquet"))


def test_maintenance_lays_small_files_together_and_loses_nothing(gated: Warehouse) -> None:
    let_in(gated)
    before = load_registry(gated)
    n_files = live_files(gated)
    assert n_files == 7  # a file each commit
    plans = {plan.table.name: plan for plan in maintain(gated)}
    assert plans["access_events"].n_files_after == 1
    after = load_registry(gated)
    assert (after.researchers, after.events) == (before.researchers, before.events)
    record(gated, "ada", "account_disabled")
    assert len(load_registry(gated).events) == len(before.events) + 1
    state = gated.state(ACCESS_EVENTS)
    maintain(gated, now=AT + dt.timedelta(days=400))
    assert state is not None
    assert len(load_registry(gated).events) == len(before.events) + 1


def test_maintenance_and_entries_wait_for_each_other(gated: Warehouse) -> None:
    let_in(gated)
    entered = threading.Thread(target=record, args=(gated, "ada", "account_disabled"))
    with undisturbed(gated, ACCESS_EVENTS, "maintain"):
        entered.start()
        entered.join(1)
        assert entered.is_alive()
    entered.join(30)
    assert load_registry(gated).has("ada", "account_disabled")


def test_a_row_that_breaks_the_contract_is_not_entered(gated: Warehouse) -> None:
    let_in(gated)
    before = load_registry(gated)
    row = ("1", BEFORE, "crowned", "ada", None, None, None, None, None, "me", None)
    with pytest.raises(ContractViolation, match="is_an_event"), writing_journals(gated, "test") as append:
        append(RowsWrite(ACCESS_EVENTS, [row]))
    half = ("eve", BEFORE, "Eve", "X", "https://a.org", None, "me")
    with (
        pytest.raises(ContractViolation, match="identity_is_whole"),
        writing_journals(gated, "test") as append,
    ):
        append(RowsWrite(RESEARCHERS, [half]))
    after = load_registry(gated)
    assert (after.researchers, after.events) == (before.researchers, before.events)


def test_who_registers_again_keeps_what_they_have(gated: Warehouse) -> None:
    from allofus_spark.access import agree, failures, register, standing

    let_in(gated)
    register(gated, "ada", name="Ada King", institution="Y", identity=("https://a.org", "7"), at=AT)
    registry = load_registry(gated)
    assert registry.researcher("ada").name == "Ada King"
    assert registry.by_identity("https://a.org", "7") == registry.researcher("ada")
    failed = failures(standing(gated, "ada", Tier.CONTROLLED, at=AT))
    assert [rule.name for rule in failed] == ["agreement of Y", "agreement of Y"]
    agree(gated, "Y", list(Tier), at=AT)
    assert failures(standing(gated, "ada", Tier.CONTROLLED, at=AT)) == []
    record(gated, "ada", "account_disabled", at=AT)
    register(gated, "ada", name="Ada", institution="Y", at=AT + dt.timedelta(seconds=1))
    failed = failures(standing(gated, "ada", Tier.CONTROLLED, at=AT + dt.timedelta(seconds=2)))
    assert [rule.name for rule in failed] == ["account enabled"]  # registering does not enable again


def claims_of_another_process(folder: Path) -> None:
    (folder / "other.json").write_text(json.dumps({"state": "holding", "host": "elsewhere", "pid": 1}))


def test_a_claim_that_another_process_left_is_taken_over(gated: Warehouse) -> None:
    """Of a process of this host that has ended: at once, without waiting for the claim to expire."""
    from allofus_spark.tables.holder import this_process

    let_in(gated)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        gone = pool.apply(this_process)
    folder = Path(gated.root) / "controlled" / "_journal_lease"
    (folder / "gone.json").write_text(json.dumps({"state": "holding", "expiry_seconds": 3600, **gone}))
    record(gated, "ada", "account_disabled")
    assert load_registry(gated).has("ada", "account_disabled")
    assert list(folder.iterdir()) == []


def test_a_living_claim_is_waited_for(gated: Warehouse) -> None:
    let_in(gated)
    settings = gated.settings.model_copy(
        update={"access": gated.settings.access.model_copy(update={"audit_wait_seconds": 0.2})}
    )
    impatient = Warehouse(gated.spark, settings)
    claims_of_another_process(Path(gated.root) / "controlled" / "_journal_lease")
    with pytest.raises(WarehouseBusy, match="host elsewhere"):
        record(impatient, "ada", "account_disabled")


@pytest.mark.parametrize(
    "event", ["tier_granted", "tier_revoked", "registered", "first_data_access", "crowned"]
)
def test_only_what_no_rule_stands_before_is_recorded(gated: Warehouse, event: str) -> None:
    let_in(gated)
    before = load_registry(gated).events
    with pytest.raises(SettingsError, match=f"event {event} is not entered as it is"):
        record(gated, "ada", event)
    assert load_registry(gated).events == before
