"""Conditions of a visa: which other visas of the passport it needs.

An OR of ANDs of clauses; a clause is met by one visa of its type whose texts match. Source: GA4GH Passport
1.2, "conditions" and "Pattern Matching".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from allofus_spark.access.reasons import Reason, Refused

VisaObject = Mapping[str, Any]
# Texts of a visa object that a clause may ask for; not conditions, and no time.
_MATCHED = ("value", "source", "by")
_FORBIDDEN = ("conditions", "asserted")
# Bounds of the work that a clause can make: a pattern against a text takes their lengths' product at most.
_MOST_CLAUSES = 100
_MOST_CHARACTERS = 2_000


def check_conditions(conditions: object, others: Iterable[VisaObject]) -> None:
    """Raise Refused unless ``conditions`` are met by visa objects of ``others``, which all count themselves.

    Those of ``others`` with conditions of their own meet none, so that no loop can come about. An empty list
    asks for nothing.
    """
    alternatives = _well_formed(conditions)
    if not alternatives:
        return
    candidates = [item for item in others if "conditions" not in item]
    if any(all(_is_met(clause, candidates) for clause in clauses) for clauses in alternatives):
        return
    clauses = [clause for clauses in alternatives for clause in clauses]
    if any(not _is_supported(clause) for clause in clauses):
        raise Refused(
            Reason.CONDITIONS_NOT_SUPPORTED, "a clause asks for what is not const, pattern or split"
        )
    raise Refused(Reason.CONDITIONS_NOT_MET, "no other visa of the passport is as a clause asks")


def _well_formed(conditions: object) -> Sequence[Sequence[Mapping[str, str]]]:
    """The conditions, if every clause is one: this comes first, whatever would match."""
    if not isinstance(conditions, list) or not all(isinstance(part, list) and part for part in conditions):
        raise Refused(Reason.CONDITIONS_MALFORMED, "conditions are no list of lists of clauses")
    if sum(map(len, conditions)) > _MOST_CLAUSES:
        raise Refused(Reason.CONDITIONS_MALFORMED, f"conditions have more than {_MOST_CLAUSES} clauses")
    for clause in (clause for part in conditions for clause in part):
        if not isinstance(clause, dict) or not isinstance(clause.get("type"), str) or len(clause) < 2:
            raise Refused(Reason.CONDITIONS_MALFORMED, "a clause needs a type and one claim more")
        if odd := [name for name in _FORBIDDEN if name in clause]:
            raise Refused(Reason.CONDITIONS_MALFORMED, f"a clause is about {', '.join(odd)}")
        for name, asked in clause.items():
            if not isinstance(asked, str) or len(asked) > _MOST_CHARACTERS:
                raise Refused(Reason.CONDITIONS_MALFORMED, "a clause asks for no text, or for a long one")
            if name != "type" and ":" not in asked:
                raise Refused(
                    Reason.CONDITIONS_MALFORMED, "a clause has no const:, pattern: or split_pattern:"
                )
    return conditions


def _is_supported(clause: Mapping[str, str]) -> bool:
    return all(
        name in _MATCHED and asked.partition(":")[0] in _MATCHES
        for name, asked in clause.items()
        if name != "type"
    )


def _is_met(clause: Mapping[str, str], candidates: Iterable[VisaObject]) -> bool:
    """Whether one visa object has all that the clause asks for."""
    if not _is_supported(clause):
        return False
    asked = {name: text.partition(":") for name, text in clause.items() if name != "type"}
    return any(
        item["type"] == clause["type"]
        and all(
            isinstance(item.get(name), str)
            and len(item[name]) <= _MOST_CHARACTERS
            and _MATCHES[kind](text, item[name])
            for name, (kind, _, text) in asked.items()
        )
        for item in candidates
    )


def matches_pattern(pattern: str, text: str) -> bool:
    """Whether the whole of ``text`` matches: ``?`` is any character, ``*`` any number of them.

    >>> matches_pattern("faculty@*", "faculty@cam.ac.uk"), matches_pattern("a?c", "ac")
    (True, False)
    """
    at = place = 0
    star, resumed = -1, 0  # the last asterisk, and where what it stands for ends
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resumed, at = at, place, at + 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resumed += 1
            at, place = star + 1, resumed
        else:
            return False
    return not pattern[at:].strip("*")


def matches_split_pattern(pattern: str, text: str) -> bool:
    """Whether a part of ``text``, cut at semicolons, matches the pattern.

    >>> matches_split_pattern("123,https:%2F%2Fexample?.org", "001,a;123,https:%2F%2Fexample2.org;456,b")
    True
    """
    return any(matches_pattern(pattern, part) for part in text.split(";"))


_MATCHES = {"const": str.__eq__, "pattern": matches_pattern, "split_pattern": matches_split_pattern}
