"""Researchers and events as the journals have them."""

from __future__ import annotations

import datetime as dt
import getpass
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from allofus_spark.access.standing import Event, Researcher
from allofus_spark.errors import NotFound, shown
from allofus_spark.tables import ACCESS_EVENTS, RESEARCHERS, RowsWrite, Warehouse


@dataclass(frozen=True)
class Registry:
    """Researchers by id, each by their last registration, and everything that has happened."""

    researchers: Mapping[str, Researcher]
    events: Sequence[Event]

    def researcher(self, researcher_id: str) -> Researcher:
        """Raises NotFound where nobody has the id."""
        if researcher_id not in self.researchers:
            known = shown(sorted(self.researchers)) or "none yet"
            raise NotFound(
                f"there is no researcher {researcher_id}; registered are {known}. "
                "To register somebody: allofus access register"
            )
        return self.researchers[researcher_id]

    def by_identity(self, issuer: str, subject: str) -> Researcher | None:
        """Whose passports have this iss and sub; None: nobody's."""
        for researcher in self.researchers.values():
            if (researcher.passport_issuer, researcher.passport_subject) == (issuer, subject):
                return researcher
        return None

    def has(self, researcher_id: str, event: str) -> bool:
        """Whether it has happened to the researcher."""
        return any(item.researcher_id == researcher_id and item.event == event for item in self.events)


def load_registry(warehouse: Warehouse) -> Registry:
    """The journals as last committed; empty where nobody was ever registered."""
    rows = sorted(warehouse.rows(RESEARCHERS), key=lambda row: in_utc(row.registered_at))
    researchers = {
        row.researcher_id: Researcher(
            row.researcher_id,
            in_utc(row.registered_at),
            row.name,
            row.institution,
            row.passport_issuer,
            row.passport_subject,
        )
        for row in rows
    }
    names = ("researcher_id", "institution", "tier", "item", "valid_from", "valid_until")
    events = [
        Event(in_utc(row.happened_at), row.event, *(row[name] for name in names))
        for row in warehouse.rows(ACCESS_EVENTS)
    ]
    return Registry(researchers, sorted(events, key=lambda item: item.order))


def events_write(events: Sequence[Event], note: str | None = None) -> RowsWrite:
    """The events as rows to be added."""
    rows = [
        (
            uuid.uuid4().hex,
            item.happened_at,
            item.event,
            item.researcher_id,
            item.institution,
            item.tier,
            item.item,
            item.valid_from,
            item.valid_until,
            process_user(),
            note,
        )
        for item in events
    ]
    return RowsWrite(ACCESS_EVENTS, rows)


def in_utc(time: dt.datetime) -> dt.datetime:
    """A time of a table as UTC: Spark gives the local time of this process without a zone."""
    return time.astimezone(dt.timezone.utc)


def process_user() -> str:
    """User of this system that the process runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
