"""Decide whether somebody may see what is not public, and write that down before anything is shown."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from allofus_spark.access.passports import Passport, check_controlled, check_registered, read_passport
from allofus_spark.access.reasons import Reason, Refused
from allofus_spark.access.registry import events_write, load_registry, process_user
from allofus_spark.access.remedies import remedy_of
from allofus_spark.access.standing import Event, Tier, failures, rules_of
from allofus_spark.access.trust import load_trust
from allofus_spark.errors import AccessRefused, SettingsError
from allofus_spark.tables import ACCESS_AUDIT, RowsWrite, Warehouse, writing_journals

FIRST_ACCESS = "first_data_access"


@dataclass(frozen=True)
class Request:
    """What is asked for: by which command, of which tables, and the tier that they need."""

    command: str
    tier: Tier
    tables: Sequence[str]


@dataclass(frozen=True)
class Decision:
    """The answer: ``detail`` says what failed, ``remedy`` what to do; a genuine ``passport``, and whose."""

    request: Request
    reason: Reason
    detail: str | None = None
    remedy: str = ""
    passport: Passport | None = None
    researcher_id: str | None = None

    @property
    def granted(self) -> bool:
        return self.reason is Reason.GRANTED


def demand_access(
    warehouse: Warehouse, request: Request, passport_file: str | None, *, now: dt.datetime | None = None
) -> Decision:
    """The decision, which grants access; it is in ``access_audit`` by then, and so is every refusal.

    Parameters
    ----------
    passport_file
        File with the passport of who asks; None: there is none, which is refused.
    now
        The time that tokens and rules are judged at; None: the clock's.

    Raises AccessRefused where a rule fails, and where the decision cannot be written down. The first access
    that a researcher is granted becomes an event of theirs.
    """
    at = now or dt.datetime.now(dt.timezone.utc)
    decision = judge(warehouse, request, passport_file, at)
    try:
        _write_down(warehouse, decision, at)
    except Exception as error:
        raise AccessRefused(
            f"{request.command} shows nothing, as the decision could not be written to access_audit: {error}"
        ) from error
    if not decision.granted:
        raise AccessRefused(
            f"{request.command} needs the {request.tier.value} tier and a passport: {decision.reason.value}: "
            f"{decision.detail}. {decision.remedy}"
        )
    return decision


def judge(warehouse: Warehouse, request: Request, passport_file: str | None, now: dt.datetime) -> Decision:
    """The decision alone: nothing is written, and nobody may be shown anything by it."""
    settings = warehouse.settings.access
    decision = Decision(request, Reason.GRANTED)
    try:
        _check_configured(warehouse, request.tier)
        content = _content(passport_file, settings.max_passport_bytes)
        passport = read_passport(content, load_trust(settings), settings, now.timestamp())
        decision = replace(decision, passport=passport)
        registry = load_registry(warehouse)
        researcher = registry.by_identity(passport.issuer, passport.subject)
        if researcher is None:
            raise Refused(
                Reason.NOT_REGISTERED, f"nobody is registered as {passport.subject} of {passport.issuer}"
            )
        decision = replace(decision, researcher_id=researcher.researcher_id)
        missing = failures(rules_of(researcher, registry.events, request.tier, settings, now))
        if missing:
            first = missing[0]
            assert first.reason is not None
            said = "; ".join(f"{rule.name}: {rule.said}" for rule in missing)
            todo = "Ask the data access team: " + "; ".join(rule.remedy for rule in missing)
            return replace(decision, reason=first.reason, detail=said, remedy=todo)
        check = check_controlled if request.tier is Tier.CONTROLLED else check_registered
        check(passport, settings)
    except Refused as error:
        remedy = remedy_of(error.reason)
        return replace(decision, reason=error.reason, detail=error.detail, remedy=remedy)
    except SettingsError as error:
        remedy = remedy_of(Reason.NOT_CONFIGURED)
        return replace(decision, reason=Reason.NOT_CONFIGURED, detail=str(error), remedy=remedy)
    return decision


def _check_configured(warehouse: Warehouse, tier: Tier) -> None:
    settings = warehouse.settings.access
    needed = {"access.audience": settings.audience, "access.issuers": settings.issuers}
    if tier is Tier.CONTROLLED:
        needed["access.dataset_url"] = settings.dataset_url
    if unset := [name for name, value in needed.items() if not value]:
        raise Refused(Reason.NOT_CONFIGURED, f"{', '.join(unset)} must be set first")


def _content(passport_file: str | None, most_bytes: int) -> bytes:
    """The start of the file, one byte more than a passport may have."""
    if not passport_file:
        raise Refused(Reason.PASSPORT_MISSING, "no passport was given")
    try:
        with Path(passport_file).open("rb") as stream:
            return stream.read(most_bytes + 1)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise Refused(Reason.PASSPORT_UNREADABLE, f"{passport_file}: {said}") from error


def _write_down(warehouse: Warehouse, decision: Decision, at: dt.datetime) -> None:
    request, passport, researcher = decision.request, decision.passport, decision.researcher_id
    row = (
        uuid.uuid4().hex,
        at,
        decision.granted,
        decision.reason.value,
        decision.detail,
        researcher,
        passport.issuer if passport else None,
        passport.subject if passport else None,
        passport.token_id if passport else None,
        request.tier.value,
        warehouse.settings.access.dataset_url,
        request.command,
        list(request.tables),
        [str(visa) for visa in passport.refused] if passport else [],
        process_user(),
    )
    with writing_journals(warehouse, f"audit of {request.command}") as append:
        append(RowsWrite(ACCESS_AUDIT, [row]))
        if decision.granted and researcher and not load_registry(warehouse).has(researcher, FIRST_ACCESS):
            append(events_write([Event(at, FIRST_ACCESS, researcher)]))
