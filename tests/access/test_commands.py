"""The commands as people type them: letting somebody in, what is asked for at the gate, and the screens."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from allofus_spark.access import Tier, load_registry, revoke
from allofus_spark.cli import main
from allofus_spark.errors import AllofusError
from allofus_spark.tables import ACCESS_AUDIT, Warehouse
from tests.access.conftest import SCHOOL, let_in
from tests.access.minting import BROKER, DATASET, NOW, REGISTERED, broker, dac

pytestmark = pytest.mark.long

MODULES = ("access", "access_screen", "look", "export", "phenotypes", "variant", "relatedness", "frequencies")
YESTERDAY = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)


@pytest.fixture
def typed(gated: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """The warehouse that every command opens, in the session of the tests."""

    @contextmanager
    def open_warehouse(*_: object) -> Iterator[Warehouse]:
        from allofus_spark.cli.options import clear_errors

        with clear_errors():
            yield gated

    for module in MODULES:
        monkeypatch.setattr(f"allofus_spark.cli.{module}.open_warehouse", open_warehouse)
    monkeypatch.delenv("ALLOFUS_PASSPORT", raising=False)
    return gated


def allofus(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environment, catch_exceptions=False)


def fresh(folder: Path, *, controlled: bool = True, registered: bool = True, **claims: Any) -> str:
    """A file with a passport of ada's, made now."""
    now = int(time.time())
    times = {"iat": now - 60, "exp": now + 3600}
    says = {"asserted": now - 60}
    visas = [dac.visa("ControlledAccessGrants", DATASET, says=says, **times)] if controlled else []
    kinds = ("AcceptedTermsAndPolicies", "ResearcherStatus") if registered else ()
    visas += [broker.visa(kind, REGISTERED, says=says, **times) for kind in kinds]
    file = folder / f"{controlled}{registered}.jwt"
    file.write_text(broker.passport(visas, **{**times, **claims}))
    return str(file)


def reasons(warehouse: Warehouse) -> list[str]:
    return [row.reason for row in sorted(warehouse.rows(ACCESS_AUDIT), key=lambda row: row.decided_at)]


def test_the_sequence_of_the_help_lets_somebody_in(typed: Warehouse, tmp_path: Path) -> None:
    passport = fresh(tmp_path)
    tiers = ["--tier", "registered", "--tier", "controlled"]
    who = ["--name", "Ada Lovelace", "--institution", SCHOOL, "--passport-issuer", BROKER]
    steps = [
        ["institution", SCHOOL, *tiers, "--until", "2999-12-31"],
        ["register", "ada", *who, "--passport-subject", "ada"],
        ["module", "ada", "responsible_conduct"],
        ["sign", "ada"],
        ["grant", "ada", "--tier", "registered"],
        ["module", "ada", "controlled_data"],
        ["grant", "ada", "--tier", "controlled"],
    ]
    before = allofus("access", "list")
    assert "ada" not in before.output
    for step in steps:
        answer = allofus("access", *step)
        assert answer.exit_code == 0, answer.output
    checked = allofus("access", "check", "ada", "--tier", "controlled", "--passport", passport)
    assert checked.exit_code == 0, checked.output
    assert "Passport: counts for this tier" in checked.output
    assert typed.rows(ACCESS_AUDIT) == []  # a check shows nothing of the data
    assert "registered, controlled" in allofus("access", "list").output
    events = [event.event for event in load_registry(typed).events]
    assert events == [
        "institution_agreement",
        "institution_agreement",
        "registered",
        "account_enabled",
        "module_completed",
        "code_of_conduct_signed",
        "tier_granted",
        "module_completed",
        "tier_granted",
    ]


def test_a_tier_is_not_granted_before_its_rules_hold(typed: Warehouse) -> None:
    allofus("access", "register", "ada", "--name", "Ada", "--institution", SCHOOL)
    answer = allofus("access", "grant", "ada", "--tier", "controlled")
    assert answer.exit_code == 1
    for said in (
        f"agreement of {SCHOOL}: none for the registered tier. Then: allofus access institution",
        "training controlled_data: not completed. Then: allofus access module ada controlled_data",
        "code of conduct signed: never. Then: allofus access sign ada",
        "tier granted: not granted. Then: allofus access grant ada --tier registered",
    ):
        assert said in answer.stderr
    assert "--tier controlled\n" not in answer.stderr.partition("tier granted")[2]
    checked = allofus("access", "check", "ada")
    assert checked.exit_code == 1
    assert "allofus access sign ada" in checked.output
    assert not load_registry(typed).has("ada", "tier_granted")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sign", "nobody"], "there is no researcher nobody; registered are ada"),
        (["check", "nobody"], "there is no researcher nobody"),
        (["module", "ada", "cooking"], "no tier needs the training cooking: .*responsible_conduct"),
        (["module", "ada", "controlled_data", "--on", "2999-01-01"], "in the future"),
        (["register", "a b", "--name", "A", "--institution", "X"], "use up to 100 letters"),
        (["register", "eve", "--name", " ", "--institution", "X"], "needs a name"),
        (
            ["register", "eve", "--name", "E", "--institution", "X", "--passport-issuer", BROKER],
            "go together",
        ),
        (
            [
                "register",
                "eve",
                "--name",
                "E",
                "--institution",
                "X",
                "--passport-issuer",
                BROKER,
                "--passport-subject",
                "ada",
            ],
            "are those of ada; one identity is one researcher's",
        ),
        (
            ["institution", "X", "--tier", "registered", "--from", "2026-02-01", "--until", "2026-01-01"],
            "cannot end on 2026-01-01, before it begins",
        ),
    ],
)
def test_what_cannot_be_entered_is_said(arguments: list[str], message: str, typed: Warehouse) -> None:
    let_in(typed, at=YESTERDAY)
    n_events = len(load_registry(typed).events)
    answer = allofus("access", *arguments)
    assert answer.exit_code != 0
    assert re.search(message, answer.stderr), answer.stderr
    assert len(load_registry(typed).events) == n_events


CONTROLLED = [
    ["query", "SELECT * FROM samples"],
    ["query", "SELECT 1 FROM allele_counts UNION SELECT 1 FROM GENOTYPES"],
    ["query", "WITH a AS (SELECT * FROM phenotypes) SELECT count(*) FROM a"],
    ["query", "WITH samples AS (SELECT 1) SELECT * FROM samples"],
    ["query", "SELECT 1 WHERE EXISTS (SELECT * FROM related_pairs)"],
    ["query", "SELECT * FROM sample_labels"],
    ["query", "SELECT * FROM frequencies_of_one"],
    ["query", "SELECT * FROM access_audit"],
    ["export", "--format", "vcf", "--out", "OUT"],
    ["export-phenotypes", "--out", "OUT"],
    ["relatedness", "--out", "OUT"],
    ["frequencies", "--samples", "FILE", "--out", "OUT.tsv"],
]
REGISTERED_ONLY = [
    ["query", "SELECT * FROM allele_frequencies"],
    ["query", "SELECT * FROM vat"],
    ["query", "SELECT * FROM allele_counts_long"],
    ["query", "SELECT * FROM pipeline_runs"],
    ["variant", "1-2-A-C"],
]


def placed(arguments: list[str], folder: Path) -> list[str]:
    (folder / "ids.txt").write_text("ada\n")
    places = {"OUT": str(folder / "out"), "OUT.tsv": str(folder / "out.tsv"), "FILE": str(folder / "ids.txt")}
    return [places.get(argument, argument) for argument in arguments]


@pytest.mark.parametrize("arguments", CONTROLLED + REGISTERED_ONLY, ids=" ".join)
def test_the_gate_of_each_command(arguments: list[str], typed: Warehouse, tmp_path: Path) -> None:
    let_in(typed, at=YESTERDAY)
    command = placed(arguments, tmp_path)
    without = allofus(*command)
    assert without.exit_code == 1
    assert not without.stdout
    assert "passport_missing" in without.stderr
    assert "ALLOFUS_PASSPORT" in without.stderr
    is_controlled = arguments in CONTROLLED
    other = fresh(tmp_path, controlled=not is_controlled, registered=is_controlled)
    of_other_tier = allofus(*command, ALLOFUS_PASSPORT=other)
    missing = "dataset_not_granted" if is_controlled else "terms_not_accepted"
    assert of_other_tier.exit_code == 1
    assert missing in of_other_tier.stderr
    assert reasons(typed) == ["passport_missing", missing]
    assert not list(tmp_path.glob("out*"))
    for row in typed.rows(ACCESS_AUDIT):
        assert row.tier == ("controlled" if is_controlled else "registered")
        assert row.command.split()[0] == arguments[0]
        assert row.tables
    try:  # the gate opens; behind it there is no data
        behind = allofus(*command, "--passport", fresh(tmp_path)).stderr
    except AllofusError as error:
        behind = str(error)
    assert "passport" not in behind
    assert reasons(typed)[2:] == ["granted"]


def test_what_is_public_asks_for_nothing(typed: Warehouse) -> None:
    answer = allofus("query", "--format", "tsv", "SELECT 1 AS one")
    assert answer.stdout == "one\n1\n"
    assert "passport" not in allofus("query", "SELECT * FROM known_variants").stderr
    assert typed.rows(ACCESS_AUDIT) == []


def test_what_is_granted_is_shown(typed: Warehouse, tmp_path: Path) -> None:
    let_in(typed, at=YESTERDAY)
    question = "SELECT researcher_id, institution FROM researchers"
    answer = allofus("query", "--format", "json", question, "--passport", fresh(tmp_path))
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout) == {"researcher_id": "ada", "institution": SCHOOL}
    revoke(typed, "ada", Tier.REGISTERED)
    again = allofus("query", question, "--passport", fresh(tmp_path))
    assert "tier_revoked" in again.stderr
    shown = allofus("access", "audit", "--refused")
    assert "tier_revoked" in shown.output
    assert "granted " not in shown.output.replace("tier granted", "")


def test_check_tells_whose_passport_it_is_and_which_visas_fail(typed: Warehouse, tmp_path: Path) -> None:
    let_in(typed, at=YESTERDAY)
    let_in(typed, "bob", at=YESTERDAY)
    answer = allofus("access", "check", "bob", "--passport", fresh(tmp_path))
    assert answer.exit_code == 1
    assert "it is ada's, not bob's" in answer.output
    stale = allofus("access", "check", "ada", "--passport", fresh(tmp_path, exp=NOW))
    assert "Passport: expired" in stale.output
    assert stale.exit_code == 1


def test_the_report_says_why_it_shows_nothing(typed: Warehouse) -> None:
    assert "Nobody is registered yet" in allofus("access", "report").output
    let_in(typed, at=YESTERDAY)
    assert "by more than 20 researchers" in allofus("access", "report").output
