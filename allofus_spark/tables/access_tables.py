"""Tables of who may see what is not public: researchers, what happened to them, and every decision."""

from __future__ import annotations

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import BOOLEAN, DATE, STRING, STRINGS, TIMESTAMP

# What can happen, in the order of a researcher's way.
EVENTS = (
    "registered",
    "institution_agreement",
    "module_completed",
    "module_expired",
    "code_of_conduct_signed",
    "account_enabled",
    "account_disabled",
    "tier_granted",
    "tier_revoked",
    "first_data_access",
)

RESEARCHERS = Table(
    name="researchers",
    zone=Zone.CONTROLLED,
    grain="one registration of a researcher; the last one says who they are now",
    key=("researcher_id", "registered_at"),
    columns=(
        Column("researcher_id", STRING, "Id of the researcher, given when they register"),
        Column("registered_at", TIMESTAMP, "When this was entered, UTC"),
        Column("name", STRING, "Name of the person"),
        Column("institution", STRING, "Institution, as access_events names it in its agreements"),
        Column("passport_issuer", STRING, "Issuer of their passports: iss; null: none is known", True),
        Column("passport_subject", STRING, "Subject of their passports: sub; null: none is known", True),
        Column("recorded_by", STRING, "User of this system who entered it"),
    ),
    checks={"identity_is_whole": "(passport_issuer IS NULL) = (passport_subject IS NULL)"},
)

ACCESS_EVENTS = Table(
    name="access_events",
    zone=Zone.CONTROLLED,
    grain="one thing that happened to a researcher or to an institution; rows are added and never changed",
    key=("event_id",),
    columns=(
        Column("event_id", STRING, "Unique id of the event"),
        Column("happened_at", TIMESTAMP, "When it happened, UTC"),
        Column("event", STRING, ", ".join(EVENTS)),
        Column("researcher_id", STRING, "Researcher of researchers; null: it is of an institution", True),
        Column("institution", STRING, "Institution of an institution_agreement; null: other events", True),
        Column("tier", STRING, "registered or controlled, of agreements and grants; null: others", True),
        Column("item", STRING, "Training, or version of the code of conduct; null: other events", True),
        Column("valid_from", DATE, "First day of an agreement, UTC; null: other events", True),
        Column("valid_until", DATE, "Last day of an agreement, UTC; null: no end, or other events", True),
        Column("recorded_by", STRING, "User of this system who entered it"),
        Column("note", STRING, "Why, as told; null: not told", True),
    ),
    checks={
        "is_an_event": f"event IN ({', '.join(repr(name) for name in EVENTS)})",
        "is_of_somebody": "(researcher_id IS NULL) <> (institution IS NULL)",
    },
)

ACCESS_AUDIT = Table(
    name="access_audit",
    zone=Zone.CONTROLLED,
    grain="one decision about access to what is not public, granted or refused",
    key=("decision_id",),
    columns=(
        Column("decision_id", STRING, "Unique id of the decision"),
        Column("decided_at", TIMESTAMP, "When, UTC; nothing was shown before"),
        Column("granted", BOOLEAN, "Whether access was granted"),
        Column("reason", STRING, "granted, or the first rule that failed: a Reason of allofus_spark.access"),
        Column("detail", STRING, "What of the rule failed, in words; null: granted", True),
        Column("researcher_id", STRING, "Researcher whose passport it is; null: not known", True),
        Column("passport_issuer", STRING, "iss of the passport; null: it could not be verified", True),
        Column("passport_subject", STRING, "sub of the passport; null likewise", True),
        Column("passport_id", STRING, "jti of the passport; null likewise, or it has none", True),
        Column("tier", STRING, "Tier that was needed: registered or controlled"),
        Column("dataset", STRING, "access.dataset_url at the time; null: not set", True),
        Column("command", STRING, "Command that asked"),
        Column(
            "tables", STRINGS, "Tables asked for, by name: a query's text may name people and is not kept"
        ),
        Column("refused_visas", STRINGS, "Visas of the passport that did not count, as TYPE: reason"),
        Column("process_user", STRING, "User of this system whose process asked"),
    ),
    checks={"granted_without_reason_against": "granted = (reason = 'granted')"},
)

# Written beside the runs, without their lease: a decision cannot wait for a night's work.
JOURNALS = (RESEARCHERS, ACCESS_EVENTS, ACCESS_AUDIT)
