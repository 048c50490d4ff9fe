"""Which identities are one person: a passport's own, and those that trusted LinkedIdentities visas add.

An identity is the pair of issuer and subject. Source: GA4GH Passport 1.2, "LinkedIdentities".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from allofus_spark.access.reasons import Reason, Refused
from allofus_spark.settings import Issuer

Identity = tuple[str, str]
_ENTRY = re.compile(r"([^,;]+),([^,;]+)")
_WRONG_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MOST_ENTRIES = 100


def identity_of(issuer: str, subject: str, issuers: Mapping[str, Issuer]) -> Identity:
    """The identity, by the issuer whose subjects those of ``issuer`` are (``subjects_of``)."""
    known = issuers.get(issuer)
    return (known.subjects_of or issuer if known is not None else issuer, subject)


def read_links(value: str, issuers: Mapping[str, Issuer]) -> list[Identity]:
    """Identities of a LinkedIdentities visa's value: ``;`` between URI-encoded sub,iss. Raises Refused."""
    entries = value.split(";")
    found = [_ENTRY.fullmatch(entry) for entry in entries]
    if len(entries) > _MOST_ENTRIES or _WRONG_ESCAPE.search(value) or not all(found):
        raise Refused(Reason.VISA_MALFORMED, "the value is no list of sub,iss in URI encoding with ; between")
    try:
        pairs = [
            (unquote(item[1], errors="strict"), unquote(item[2], errors="strict"))
            for item in found
            if item is not None
        ]
    except UnicodeDecodeError as error:
        raise Refused(Reason.VISA_MALFORMED, "the value is not UTF-8 in URI encoding") from error
    return [identity_of(issuer, subject, issuers) for subject, issuer in pairs]


def linked_with(own: Identity, groups: Iterable[Iterable[Identity]]) -> set[Identity]:
    """Every identity that is the same person as ``own``, by groups of identities that are one person each."""
    same = {own}
    waiting = [set(group) for group in groups]
    while touching := [group for group in waiting if group & same]:
        waiting = [group for group in waiting if not group & same]
        same.update(*touching)
    return same
