"""Decisions are written down before anything is shown: granted or refused, beside a run, or not at all."""

from __future__ import annotations

import datetime as dt
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from allofus_spark.access import Request, Tier, demand_access, load_registry, record, revoke
from allofus_spark.errors import AccessRefused
from allofus_spark.settings import Settings
from allofus_spark.tables import ACCESS_AUDIT, ACCESS_EVENTS, RESEARCHERS, Warehouse, start_run
from tests.access.conftest import AT, let_in, make_warehouse
from tests.access.minting import BROKER, access_settings, broker, grant, linker, registered_visas

EXPORT = Request("export", Tier.CONTROLLED, ["genotypes"])
LOOK = Request("variant", Tier.REGISTERED, ["allele_frequencies"])


def saved(folder: Path, token: str | bytes, name: str = "passport.jwt") -> str:
    file = folder / name
    file.write_bytes(token if isinstance(token, bytes) else token.encode())
    return str(file)


def audit(warehouse: Warehouse) -> list[Row]:
    rows = warehouse.rows(ACCESS_AUDIT)
    return sorted(rows, key=lambda row: (row.decided_at, row.decision_id))


def refused(warehouse: Warehouse, request: Request, file: str | None, at: dt.datetime = AT) -> str:
    """The reason of the audit, whose row is new, beside the message to who asked."""
    before = len(audit(warehouse))
    with pytest.raises(AccessRefused) as refusal:
        demand_access(warehouse, request, file, now=at)
    rows = audit(warehouse)
    assert len(rows) == before + 1
    last = max(rows, key=lambda row: row.decided_at)
    assert not last.granted
    assert last.reason in str(refusal.value)
    return str(last.reason)


def test_access_is_granted_and_written_down(gated: Warehouse, tmp_path: Path) -> None:
    let_in(gated)
    file = saved(tmp_path, broker.passport([grant(), *registered_visas(), "rubbish"]))
    demand_access(gated, EXPORT, file, now=AT)
    demand_access(gated, LOOK, file, now=AT + dt.timedelta(seconds=1))
    first, second = audit(gated)
    assert first.granted
    assert (first.reason, first.detail, first.researcher_id) == ("granted", None, "ada")
    assert (first.passport_issuer, first.passport_subject, first.passport_id) == (BROKER, "ada", "passport-1")
    assert (first.tier, first.command, first.tables) == ("controlled", "export", ["genotypes"])
    assert first.refused_visas == ["visa: token_malformed"]
    assert first.decided_at.astimezone(dt.timezone.utc) == AT
    assert (second.tier, second.command) == ("registered", "variant")
    happened = [
        event.happened_at for event in load_registry(gated).events if event.event == "first_data_access"
    ]
    assert happened == [AT]


def test_every_rule_that_fails_has_its_reason_in_the_audit(gated: Warehouse, tmp_path: Path) -> None:
    file = saved(tmp_path, broker.passport([grant(), *registered_visas()]))
    assert refused(gated, EXPORT, file, AT - dt.timedelta(minutes=9)) == "not_registered"
    let_in(gated)
    assert refused(gated, EXPORT, None, AT - dt.timedelta(minutes=8)) == "passport_missing"
    absent = str(tmp_path / "absent.jwt")
    assert refused(gated, EXPORT, absent, AT - dt.timedelta(minutes=7)) == "passport_unreadable"
    huge = saved(tmp_path, b"a" * 10**6, "huge.jwt")
    assert refused(gated, EXPORT, huge, AT - dt.timedelta(minutes=6)) == "token_too_large"
    bare = saved(tmp_path, broker.passport([]), "bare.jwt")
    assert refused(gated, EXPORT, bare, AT - dt.timedelta(minutes=5)) == "dataset_not_granted"
    assert refused(gated, LOOK, bare, AT - dt.timedelta(minutes=4)) == "terms_not_accepted"
    revoke(gated, "ada", Tier.CONTROLLED, at=AT - dt.timedelta(minutes=3))
    assert refused(gated, EXPORT, file, AT - dt.timedelta(minutes=2)) == "tier_revoked"
    demand_access(gated, LOOK, file, now=AT - dt.timedelta(minutes=1))  # of the other tier
    record(gated, "ada", "account_disabled", at=AT - dt.timedelta(seconds=30))
    assert refused(gated, LOOK, file, AT) == "account_disabled"
    assert [row.passport_subject for row in audit(gated) if row.researcher_id is None][:2] == ["ada", None]


def test_a_forged_passport_names_nobody_in_the_audit(gated: Warehouse, tmp_path: Path) -> None:
    let_in(gated)
    head, claims, _ = broker.passport([grant()]).split(".")
    forged = saved(tmp_path, f"{head}.{claims}.{broker.passport([]).split('.')[2]}")
    assert refused(gated, EXPORT, forged) == "signature_wrong"
    (row,) = audit(gated)
    assert (row.researcher_id, row.passport_issuer, row.passport_subject) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"audience": None}, "access.audience"),
        ({"issuers": ()}, "access.issuers"),
        ({"dataset_url": None}, "access.dataset_url"),
    ],
)
def test_what_is_not_set_up_lets_nobody_in(
    change: dict[str, Any], named: str, spark: SparkSession, tmp_path: Path
) -> None:
    access = access_settings(tmp_path, **change)
    warehouse = Warehouse(spark, Settings(warehouse=str(tmp_path / "w"), access=access))
    file = saved(tmp_path, broker.passport([grant()]))
    assert refused(warehouse, EXPORT, file) == "not_configured"
    (row,) = audit(warehouse)
    assert named in row.detail


def test_keys_that_cannot_be_read_let_nobody_in(gated: Warehouse, tmp_path: Path) -> None:
    let_in(gated)
    (tmp_path / "issuer_1.jwks").write_text("{}")
    assert refused(gated, EXPORT, saved(tmp_path, broker.passport([grant()]))) == "not_configured"


def test_decisions_are_written_while_a_run_works_and_survive_its_failure(
    gated: Warehouse, tmp_path: Path
) -> None:
    let_in(gated)
    file = saved(tmp_path, broker.passport([grant()]))

    def night() -> None:
        with start_run(gated, "long_night"):
            demand_access(gated, EXPORT, file, now=AT)
            assert refused(gated, LOOK, file, AT + dt.timedelta(seconds=1)) == "terms_not_accepted"
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        night()
    with start_run(gated, "next_night"):  # undoes what the failed run left
        pass
    assert [row.reason for row in audit(gated)] == ["granted", "terms_not_accepted"]
    assert "access_audit" not in gated.snapshot()


def test_decisions_at_one_time_are_all_kept(gated: Warehouse, tmp_path: Path) -> None:
    let_in(gated)
    file = saved(tmp_path, broker.passport([grant()]))
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(demand_access, gated, EXPORT, file, now=AT) for _ in range(6)]
    assert all(future.result().granted for future in asked)
    assert [row.reason for row in audit(gated)] == ["granted"] * 6
    first = [event for event in load_registry(gated).events if event.event == "first_data_access"]
    assert len(first) == 1


def test_without_the_audit_nothing_is_shown(gated: Warehouse, tmp_path: Path) -> None:
    let_in(gated)
    file = saved(tmp_path, broker.passport([grant()]))
    demand_access(gated, EXPORT, file, now=AT)
    log = Path(gated.path(ACCESS_AUDIT)) / "_delta_log"
    aside = log.rename(log.with_name("aside"))
    log.write_text("a file where the log should be")
    with pytest.raises(AccessRefused, match="could not be written to access_audit"):
        demand_access(gated, EXPORT, file, now=AT)
    log.unlink()
    aside.rename(log)
    assert len(audit(gated)) == 1


def test_a_journal_held_by_another_for_too_long_refuses(spark: SparkSession, tmp_path: Path) -> None:
    access = access_settings(tmp_path, audit_wait_seconds=0.0)
    warehouse = Warehouse(spark, Settings(warehouse=str(tmp_path / "w"), access=access))
    let_in(warehouse)
    file = saved(tmp_path, broker.passport([grant()]))
    claim = tmp_path / "w/controlled/_journal_lease/other.json"
    claim.write_text(f'{{"state": "holding", "host": "elsewhere", "pid": {os.getpid()}, "stage": "audit"}}')
    with pytest.raises(AccessRefused, match=r"could not be written .*host elsewhere"):
        demand_access(warehouse, EXPORT, file, now=AT)
    claim.unlink()
    demand_access(warehouse, EXPORT, file, now=AT)


@pytest.mark.long
def test_a_warehouse_whose_files_only_spark_opens(spark: SparkSession, tmp_path: Path) -> None:
    """As on an object store: rows go through Spark's writer and come back through its reader."""
    warehouse = make_warehouse(spark, tmp_path, "50%25 é")
    assert warehouse.local_root is None
    let_in(warehouse)
    file = saved(tmp_path, broker.passport([grant()]))
    demand_access(warehouse, EXPORT, file, now=AT)
    assert refused(warehouse, LOOK, file, AT + dt.timedelta(seconds=1)) == "terms_not_accepted"
    granted = [row for row in audit(warehouse) if row.granted]
    assert [row.decided_at.astimezone(dt.timezone.utc) for row in granted] == [AT]
    assert {row.researcher_id for row in warehouse.rows(RESEARCHERS)} == {"ada"}
    times = {
        event.happened_at for event in load_registry(warehouse).events if event.event == "first_data_access"
    }
    assert times == {AT}


def test_rows_of_events_are_only_added(gated: Warehouse) -> None:
    let_in(gated)
    entries = [file.read_text() for file in Path(gated.path(ACCESS_EVENTS)).glob("_delta_log/*.json")]
    assert len(entries) > 3
    assert not any('"remove"' in entry for entry in entries)


def test_a_key_that_signs_for_another_identity_does_not_open_the_account(
    gated: Warehouse, tmp_path: Path
) -> None:
    let_in(gated)
    passport = broker.passport([grant(sub="eve")], sub="eve")
    assert refused(gated, EXPORT, saved(tmp_path, passport)) == "not_registered"
    assert (
        refused(gated, EXPORT, saved(tmp_path, linker.passport([grant()])), AT + dt.timedelta(seconds=1))
        == "issuer_may_not"
    )
