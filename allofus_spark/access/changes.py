"""What can be entered about researchers and institutions; each is one event more, and none is changed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from allofus_spark.access.registry import Registry, events_write, load_registry, process_user
from allofus_spark.access.standing import Event, Rule, Tier, failures, rules_of
from allofus_spark.errors import AccessRefused, SettingsError, readable
from allofus_spark.tables import RESEARCHERS, RowsWrite, Warehouse, writing_journals

# What `record` enters.
RECORDED = (
    "module_completed",
    "module_expired",
    "code_of_conduct_signed",
    "account_enabled",
    "account_disabled",
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")


def register(
    warehouse: Warehouse,
    researcher_id: str,
    *,
    name: str,
    institution: str,
    identity: tuple[str, str] | None = None,
    enable: bool = True,
    at: dt.datetime | None = None,
) -> None:
    """Register a researcher, or enter anew who they are; what happened to them before stays.

    ``identity`` is iss and sub of their passports; None: without one, no passport is known as theirs. A new
    account is enabled unless ``enable`` is false; that of somebody registered before is left as it is.
    Raises AccessRefused where the identity is another's.
    """
    if not _ID.fullmatch(researcher_id):
        raise SettingsError(
            f"researcher id {readable(researcher_id)}: use up to 100 letters, digits, ., _, @ and -"
        )
    if not name.strip() or not institution.strip():
        raise SettingsError("a researcher needs a name and an institution")
    with writing_journals(warehouse, "access register") as append:
        registry, now = load_registry(warehouse), _time(at)
        holder = registry.by_identity(*identity) if identity is not None else None
        if holder is not None and holder.researcher_id != researcher_id:
            raise AccessRefused(
                f"passports of {readable(':'.join(identity or ()))} are those of {holder.researcher_id}; "
                "one identity is one researcher's"
            )
        issuer, subject = identity or (None, None)
        row = (researcher_id, now, name.strip(), institution.strip(), issuer, subject, process_user())
        events = [Event(now, "registered", researcher_id)]
        if enable and researcher_id not in registry.researchers:
            events.append(Event(now, "account_enabled", researcher_id))
        append(RowsWrite(RESEARCHERS, [row]))
        append(events_write(events))


def agree(
    warehouse: Warehouse,
    institution: str,
    tiers: Sequence[Tier],
    *,
    valid_from: dt.date | None = None,
    valid_until: dt.date | None = None,
    note: str | None = None,
    at: dt.datetime | None = None,
) -> None:
    """Enter an institution's agreement for tiers, from a day (today) until one, inclusive (None: no end).

    It takes the place of an earlier one for the same tier; one that has ended in the past ends it.
    """
    now = _time(at)
    begins = valid_from or min(now.date(), valid_until or now.date())
    if not institution.strip() or not tiers:
        raise SettingsError("an agreement needs an institution and a tier")
    if valid_until is not None and valid_until < begins:
        raise SettingsError(f"an agreement cannot end on {valid_until}, before it begins on {begins}")
    with writing_journals(warehouse, "access institution") as append:
        events = [
            Event(
                now,
                "institution_agreement",
                institution=institution.strip(),
                tier=tier.value,
                valid_from=begins,
                valid_until=valid_until,
            )
            for tier in dict.fromkeys(tiers)
        ]
        append(events_write(events, note))


def record(
    warehouse: Warehouse,
    researcher_id: str,
    event: str,
    *,
    item: str | None = None,
    note: str | None = None,
    at: dt.datetime | None = None,
) -> None:
    """Enter what happened to a researcher: a training, a signature, the account enabled or disabled.

    Raises NotFound where nobody has the id, SettingsError where no tier needs the training ``item``, or for
    an event that is not of `RECORDED`: `grant`, `revoke`, `agree` and `register` hold those to their rules.
    """
    if event not in RECORDED:
        raise SettingsError(f"event {readable(event)} is not entered as it is: {', '.join(RECORDED)} are")
    modules = (*warehouse.settings.access.registered_modules, *warehouse.settings.access.controlled_modules)
    if event.startswith("module_") and item not in modules:
        raise SettingsError(
            f"no tier needs the training {readable(item or '')}: those of access.registered_modules and "
            f"access.controlled_modules are {', '.join(modules)}"
        )
    with writing_journals(warehouse, "access") as append:
        load_registry(warehouse).researcher(researcher_id)
        append(events_write([Event(_time(at), event, researcher_id, item=item)], note))


def grant(
    warehouse: Warehouse,
    researcher_id: str,
    tier: Tier,
    *,
    note: str | None = None,
    at: dt.datetime | None = None,
) -> None:
    """Grant a tier; raises AccessRefused naming every rule of it that does not hold, and changes nothing."""
    with writing_journals(warehouse, "access grant") as append:
        now = _time(at)
        missing = failures(standing(warehouse, researcher_id, tier, at=now), but_grant_of=tier)
        if missing:
            raise AccessRefused(
                f"{researcher_id} cannot be granted the {tier.value} tier: {described(missing)}"
            )
        append(events_write([Event(now, "tier_granted", researcher_id, tier=tier.value)], note))


def revoke(
    warehouse: Warehouse,
    researcher_id: str,
    tier: Tier,
    *,
    note: str | None = None,
    at: dt.datetime | None = None,
) -> None:
    """Revoke a tier; without the Registered tier the Controlled one does not hold either."""
    with writing_journals(warehouse, "access revoke") as append:
        load_registry(warehouse).researcher(researcher_id)
        append(events_write([Event(_time(at), "tier_revoked", researcher_id, tier=tier.value)], note))


def standing(
    warehouse: Warehouse,
    researcher_id: str,
    tier: Tier,
    *,
    at: dt.datetime | None = None,
    registry: Registry | None = None,
) -> list[Rule]:
    """Every rule of a tier for a researcher, at a time (now); raises NotFound where nobody has the id."""
    registry = registry or load_registry(warehouse)
    researcher = registry.researcher(researcher_id)
    return rules_of(researcher, registry.events, tier, warehouse.settings.access, _time(at))


def described(rules: Sequence[Rule]) -> str:
    """Rules that fail and what to do, as lines of a message."""
    return "".join(f"\n  {rule.name}: {rule.said}. Then: {rule.remedy}" for rule in rules)


def _time(at: dt.datetime | None) -> dt.datetime:
    return at or dt.datetime.now(dt.timezone.utc)
