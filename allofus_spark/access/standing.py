"""What a researcher may do at a moment, computed from what has happened. No state is kept.

A tier is held by rules: an enabled account, an agreement of the institution for the tier, every training of
the tier complete and not expired, the current code of conduct signed, and the tier granted and not revoked.
The Controlled tier needs all that the Registered one does, its own agreement, and one training more.

Source: All of Us Research Program, Researcher Workbench: Registered and Controlled tiers, annual renewal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from allofus_spark.access.reasons import Reason
from allofus_spark.settings import AccessSettings
from allofus_spark.tables import EVENTS


class Tier(str, Enum):
    """What may be seen: counts that are not disclosure-controlled, or rows of single people too."""

    REGISTERED = "registered"
    CONTROLLED = "controlled"

    @property
    def needs(self) -> tuple[Tier, ...]:
        """The tiers whose rules must hold, this one last."""
        return (Tier.REGISTERED,) if self is Tier.REGISTERED else (Tier.REGISTERED, Tier.CONTROLLED)


@dataclass(frozen=True)
class Event:
    """A row of ``access_events``; times are UTC."""

    happened_at: dt.datetime
    event: str
    researcher_id: str | None = None
    institution: str | None = None
    tier: str | None = None
    item: str | None = None
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None

    @property
    def order(self) -> tuple[object, ...]:
        """Of two at one time, the one that takes away counts last, or the agreement that ends first."""
        named = (self.researcher_id or "", self.institution or "", self.tier or "", self.item or "")
        ends = (self.valid_until or dt.date.max).toordinal()
        return self.happened_at, EVENTS.index(self.event), -ends, *named


@dataclass(frozen=True)
class Researcher:
    """Who somebody is, by their last registration."""

    researcher_id: str
    registered_at: dt.datetime
    name: str
    institution: str
    passport_issuer: str | None
    passport_subject: str | None


@dataclass(frozen=True)
class Rule:
    """One rule, whether it holds, and if not what to do; ``reason`` is the one that it fails for."""

    tier: Tier
    name: str
    said: str
    reason: Reason | None = None
    remedy: str = ""

    @property
    def holds(self) -> bool:
        return self.reason is None


def rules_of(
    researcher: Researcher, events: Sequence[Event], tier: Tier, settings: AccessSettings, at: dt.datetime
) -> list[Rule]:
    """Every rule of ``tier`` for a researcher at a moment, in the order in which they are to be met."""
    past = sorted((item for item in events if item.happened_at <= at), key=lambda item: item.order)
    own = [item for item in past if item.researcher_id == researcher.researcher_id]
    rules = [_account(researcher, own), _conduct(researcher, own, settings)]
    modules = {Tier.REGISTERED: settings.registered_modules, Tier.CONTROLLED: settings.controlled_modules}
    for part in tier.needs:
        rules.append(_agreement(researcher, past, part, at.date()))
        rules += _modules(researcher, own, part, modules[part], settings.module_days, at)
        rules.append(_grant(researcher, own, part))
    return rules


def failures(rules: Sequence[Rule], *, but_grant_of: Tier | None = None) -> list[Rule]:
    """Rules that do not hold; without that ``but_grant_of`` is granted, for who is about to grant it."""
    return [
        rule for rule in rules if not rule.holds and not (rule.name == _GRANT and rule.tier is but_grant_of)
    ]


_GRANT = "tier granted"


def _account(researcher: Researcher, own: Sequence[Event]) -> Rule:
    last = _last(own, "account_enabled", "account_disabled")
    name, who = "account enabled", researcher.researcher_id
    if last is not None and last.event == "account_enabled":
        return Rule(Tier.REGISTERED, name, f"since {_day(last)}")
    said = "never" if last is None else f"disabled on {_day(last)}"
    return Rule(Tier.REGISTERED, name, said, Reason.ACCOUNT_DISABLED, f"allofus access enable {who}")


def _conduct(researcher: Researcher, own: Sequence[Event], settings: AccessSettings) -> Rule:
    name, remedy = "code of conduct signed", f"allofus access sign {researcher.researcher_id}"
    signed = [item for item in own if item.event == "code_of_conduct_signed"]
    current = [item for item in signed if item.item == settings.code_of_conduct]
    if current:
        return Rule(Tier.REGISTERED, name, f"version {settings.code_of_conduct} on {_day(current[-1])}")
    if signed:
        said = f"version {signed[-1].item}; version {settings.code_of_conduct} is current"
        return Rule(Tier.REGISTERED, name, said, Reason.CODE_OF_CONDUCT_OUTDATED, remedy)
    return Rule(Tier.REGISTERED, name, "never", Reason.CODE_OF_CONDUCT_MISSING, remedy)


def _agreement(researcher: Researcher, past: Sequence[Event], tier: Tier, today: dt.date) -> Rule:
    name, institution = f"agreement of {researcher.institution}", researcher.institution
    remedy = f"allofus access institution '{institution}' --tier {tier.value} --until YYYY-MM-DD"
    of_tier = [item for item in past if item.institution == institution and item.tier == tier.value]
    if not of_tier:
        return Rule(tier, name, f"none for the {tier.value} tier", Reason.AGREEMENT_MISSING, remedy)
    last = of_tier[-1]
    begins, ends = last.valid_from or dt.date.min, last.valid_until or dt.date.max
    until = "without end" if last.valid_until is None else f"until {last.valid_until}"
    if begins <= today <= ends:
        return Rule(tier, name, until)
    said = f"from {begins}" if today < begins else until
    return Rule(tier, name, f"valid {said}", Reason.AGREEMENT_NOT_VALID, remedy)


def _modules(
    researcher: Researcher,
    own: Sequence[Event],
    tier: Tier,
    modules: Sequence[str],
    days: int,
    at: dt.datetime,
) -> Iterator[Rule]:
    for module in modules:
        name, remedy = f"training {module}", f"allofus access module {researcher.researcher_id} {module}"
        last = _last([item for item in own if item.item == module], "module_completed", "module_expired")
        if last is None:
            yield Rule(tier, name, "not completed", Reason.MODULE_MISSING, remedy)
            continue
        ends = last.happened_at + dt.timedelta(days=days)
        if last.event == "module_expired" or at >= ends:
            ended = last.happened_at if last.event == "module_expired" else ends
            yield Rule(tier, name, f"expired on {ended:%Y-%m-%d}", Reason.MODULE_EXPIRED, remedy)
        else:
            yield Rule(tier, name, f"on {_day(last)}, until {ends:%Y-%m-%d}")


def _grant(researcher: Researcher, own: Sequence[Event], tier: Tier) -> Rule:
    last = _last([item for item in own if item.tier == tier.value], "tier_granted", "tier_revoked")
    remedy = f"allofus access grant {researcher.researcher_id} --tier {tier.value}"
    if last is None:
        return Rule(tier, _GRANT, "not granted", Reason.TIER_NOT_GRANTED, remedy)
    if last.event == "tier_revoked":
        return Rule(tier, _GRANT, f"revoked on {_day(last)}", Reason.TIER_REVOKED, remedy)
    return Rule(tier, _GRANT, f"on {_day(last)}")


def _last(events: Sequence[Event], *kinds: str) -> Event | None:
    """The last of the events that is of one of the kinds; they are in order."""
    return next((item for item in reversed(events) if item.event in kinds), None)


def _day(event: Event) -> str:
    return f"{event.happened_at:%Y-%m-%d}"
