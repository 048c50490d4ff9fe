"""What a researcher may do, from hand-made events."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.access.reasons import Reason
from allofus_spark.access.standing import Event, Researcher, Tier, failures, rules_of
from allofus_spark.settings import AccessSettings

UTC = dt.timezone.utc
START = dt.datetime(2026, 1, 1, tzinfo=UTC)
FIRST_DAY = START.date()
ADA = Researcher("ada", START, "Ada", "X", None, None)
SETTINGS = AccessSettings()


def event(day: int, kind: str, **more: Any) -> Event:
    own = {} if "institution" in more else {"researcher_id": "ada"}
    return Event(START + dt.timedelta(days=day), kind, **own, **more)


def agreement(day: int, tier: str, until: dt.date | None = None, since: dt.date = FIRST_DAY) -> Event:
    kind = "institution_agreement"
    return event(day, kind, institution="X", tier=tier, valid_from=since, valid_until=until)


GOOD = (
    event(0, "registered"),
    event(0, "account_enabled"),
    agreement(0, "registered"),
    agreement(0, "controlled"),
    event(1, "module_completed", item="responsible_conduct"),
    event(1, "module_completed", item="controlled_data"),
    event(1, "code_of_conduct_signed", item="1"),
    event(2, "tier_granted", tier="registered"),
    event(2, "tier_granted", tier="controlled"),
)


def reasons(
    *events: Event, tier: Tier = Tier.CONTROLLED, day: float = 3, settings: AccessSettings = SETTINGS
) -> list[Reason | None]:
    at = START + dt.timedelta(days=day)
    return [rule.reason for rule in failures(rules_of(ADA, events, tier, settings, at))]


@pytest.mark.parametrize("tier", Tier)
def test_who_has_met_every_rule_holds_the_tier(tier: Tier) -> None:
    assert reasons(*GOOD, tier=tier) == []


def test_nothing_is_held_at_first() -> None:
    assert reasons(tier=Tier.REGISTERED) == [
        Reason.ACCOUNT_DISABLED,
        Reason.CODE_OF_CONDUCT_MISSING,
        Reason.AGREEMENT_MISSING,
        Reason.MODULE_MISSING,
        Reason.TIER_NOT_GRANTED,
    ]


@pytest.mark.parametrize("left_out", range(1, len(GOOD)))
def test_every_step_is_needed(left_out: int) -> None:
    without = [item for place, item in enumerate(GOOD) if place != left_out]
    assert len(reasons(*without)) == 1


@pytest.mark.parametrize("left_out", [3, 5, 8])
def test_the_registered_tier_needs_one_training_less(left_out: int) -> None:
    without = [item for place, item in enumerate(GOOD) if place != left_out]
    assert reasons(*without, tier=Tier.REGISTERED) == []


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (event(3, "account_disabled"), Reason.ACCOUNT_DISABLED),
        (event(3, "module_expired", item="controlled_data"), Reason.MODULE_EXPIRED),
        (event(3, "tier_revoked", tier="controlled"), Reason.TIER_REVOKED),
        (event(3, "tier_revoked", tier="registered"), Reason.TIER_REVOKED),
        (agreement(3, "controlled", dt.date(2026, 1, 3)), Reason.AGREEMENT_NOT_VALID),
        (agreement(3, "registered", since=dt.date(2026, 1, 5)), Reason.AGREEMENT_NOT_VALID),
    ],
)
def test_what_is_taken_away_is_gone_at_once_and_not_before(more: Event, reason: Reason) -> None:
    assert reasons(*GOOD, more) == [reason]
    assert reasons(*GOOD, more, day=2.9) == []


def test_what_was_taken_away_can_be_given_again() -> None:
    taken = [event(3, "account_disabled"), event(3, "tier_revoked", tier="controlled")]
    assert reasons(*GOOD, *taken) == [Reason.ACCOUNT_DISABLED, Reason.TIER_REVOKED]
    given = [event(4, "account_enabled"), event(4, "tier_granted", tier="controlled")]
    assert reasons(*GOOD, *taken, *given, day=5) == []


def test_of_two_at_one_time_the_one_that_takes_away_counts() -> None:
    assert reasons(*GOOD, event(3, "account_disabled"), event(3, "account_enabled")) == [
        Reason.ACCOUNT_DISABLED
    ]


def test_a_training_counts_for_365_days() -> None:
    renewed = event(300, "module_completed", item="responsible_conduct")
    assert reasons(*GOOD, day=1 + 365 - 1e-6) == []
    assert reasons(*GOOD, day=1 + 365) == [Reason.MODULE_EXPIRED, Reason.MODULE_EXPIRED]
    assert reasons(*GOOD, renewed, day=1 + 365) == [Reason.MODULE_EXPIRED]
    assert reasons(*GOOD, renewed, tier=Tier.REGISTERED, day=400) == []
    assert reasons(*GOOD, settings=AccessSettings(module_days=2), day=3)[:1] == [Reason.MODULE_EXPIRED]


def test_an_agreement_holds_through_its_last_day() -> None:
    last = agreement(2, "registered", dt.date(2026, 1, 10))
    assert reasons(*GOOD, last, day=9.99) == []
    assert reasons(*GOOD, last, day=10) == [Reason.AGREEMENT_NOT_VALID]


def test_another_version_of_the_code_must_be_signed_anew() -> None:
    settings = AccessSettings(code_of_conduct="2")
    assert reasons(*GOOD, settings=settings) == [Reason.CODE_OF_CONDUCT_OUTDATED]
    assert reasons(*GOOD, event(3, "code_of_conduct_signed", item="2"), settings=settings) == []


def test_what_happens_to_others_is_theirs() -> None:
    others = [
        Event(START, item.event, "eve", None, item.tier, item.item) for item in GOOD if item.researcher_id
    ]
    elsewhere = [Event(START, "institution_agreement", institution="Y", tier="registered")]
    assert len(reasons(*others, *elsewhere)) == len(reasons())


def test_every_rule_that_fails_says_what_to_do() -> None:
    rules = rules_of(ADA, [], Tier.CONTROLLED, SETTINGS, START)
    assert all(rule.remedy.startswith("allofus access ") for rule in rules)
    assert {rule.tier for rule in rules} == set(Tier)


@given(st.permutations(GOOD))
def test_the_order_of_rows_does_not_matter(events: list[Event]) -> None:
    assert reasons(*events) == []


@given(st.lists(st.sampled_from(GOOD), max_size=12))
def test_fewer_events_never_give_more(events: list[Event]) -> None:
    """None of the good events takes anything away."""
    assert set(reasons(*GOOD)) <= set(reasons(*events))
    assert len(reasons(*events, tier=Tier.REGISTERED)) <= len(reasons(*events))
