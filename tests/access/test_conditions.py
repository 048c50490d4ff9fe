"""Conditions of visas, by the rules and examples of GA4GH Passport 1.2."""

from __future__ import annotations

import fnmatch
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.access.conditions import check_conditions, matches_pattern, matches_split_pattern
from allofus_spark.access.reasons import Reason, Refused

ROLE = {
    "type": "AffiliationAndRole",
    "value": "faculty@uni-heidelberg.de",
    "source": "https://visas.elixir.org",
}
STATUS = {"type": "ResearcherStatus", "value": "https://doi.org/10.1038/s41431-018-0219-y", "by": "so"}
# The non-normative example of "conditions".
EXAMPLE = [
    [
        {"type": "AffiliationAndRole", "value": "const:faculty@uni-heidelberg.de", "by": "const:so"},
        {"type": "ResearcherStatus", "value": "const:https://doi.org/10.1038/s41431-018-0219-y"},
    ],
    [
        {
            "type": "AffiliationAndRole",
            "value": "pattern:faculty@*",
            "source": "const:https://visas.elixir.org",
            "by": "const:system",
        }
    ],
]


def met(conditions: Any, *others: dict[str, Any]) -> Reason | None:
    try:
        check_conditions(conditions, others)
    except Refused as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    ("others", "is_met"),
    [
        ([{**ROLE, "by": "so"}, STATUS], True),  # "Visa match 1" and another
        ([{**ROLE, "by": "so"}], False),
        ([STATUS], False),
        ([{**ROLE, "by": "system"}], True),  # the alternative
        ([{**ROLE, "by": "system", "value": "faculty@"}], True),  # an asterisk is the empty string too
        ([{**ROLE, "by": "system", "value": "student@cam.ac.uk"}], False),
        ([{**ROLE, "by": "system", "source": "https://visas.elixir.org/"}], False),
        ([{**ROLE, "by": "system", "type": "affiliationandrole"}], False),
        ([{**ROLE, "by": "system", "conditions": []}], False),  # conditions are not nested
        ([ROLE, {"type": "AffiliationAndRole", "value": "x@y", "source": "z", "by": "so"}, STATUS], False),
    ],
)
def test_the_example_of_the_specification(others: list[dict[str, Any]], is_met: bool) -> None:
    assert met(EXAMPLE, *others) is (None if is_met else Reason.CONDITIONS_NOT_MET)


def test_no_conditions_ask_for_nothing() -> None:
    assert met([]) is None


CLAUSE = {"type": "AffiliationAndRole", "value": "const:x"}


@pytest.mark.parametrize(
    "conditions",
    [
        None,
        "const:x",
        {},
        {"type": "AffiliationAndRole"},
        CLAUSE,
        [CLAUSE],
        [[]],  # an AND of nothing would hold always
        [[CLAUSE], []],
        [[[CLAUSE]]],
        [["x"]],
        [[{"value": "const:x"}]],
        [[{"type": "AffiliationAndRole"}]],
        [[{"type": 1, "value": "const:x"}]],
        [[{**CLAUSE, "value": 1}]],
        [[{**CLAUSE, "value": "x"}]],
        [[{**CLAUSE, "conditions": "const:x"}]],
        [[{**CLAUSE, "asserted": "const:1"}]],
        [[{**CLAUSE, "value": "pattern:" + "*" * 2_000}]],
        [[CLAUSE] * 101],
        [[CLAUSE], [{**CLAUSE, "asserted": "const:1"}]],  # though the first would do
    ],
)
def test_malformed_conditions_are_refused_whatever_would_match(conditions: Any) -> None:
    other = {"type": "AffiliationAndRole", "value": "x", "asserted": 1}
    assert met(conditions, other) is Reason.CONDITIONS_MALFORMED


@pytest.mark.parametrize(
    "clause",
    [
        {**CLAUSE, "value": "regex:.*"},
        {**CLAUSE, "value": "Const:x"},
        {**CLAUSE, "value": ":x"},
        {**CLAUSE, "note": "const:x"},
    ],
)
def test_what_is_not_supported_fails_to_match(clause: Any) -> None:
    other = {"type": "AffiliationAndRole", "value": "x", "note": "x"}
    assert met([[clause]], other) is Reason.CONDITIONS_NOT_SUPPORTED
    assert met([[clause], [CLAUSE]], other) is None  # the alternative holds


def test_the_example_of_split_pattern() -> None:
    value = "001,https::%2F%2Fexample1.org;123,https::%2F%2Fexample2.org;456,https::%2F%2Fexample3.org"
    assert matches_split_pattern("123,https::%2F%2Fexample?.org", value)
    assert not matches_split_pattern("123,https::%2F%2Fexample3.org", value)
    assert not matches_pattern("123,https::%2F%2Fexample?.org", value)
    clause = {"type": "LinkedIdentities", "value": "split_pattern:123,*"}
    assert met([[clause]], {"type": "LinkedIdentities", "value": value}) is None


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=10))
def test_patterns_are_those_of_a_shell(pattern: str, text: str) -> None:
    assert matches_pattern(pattern, text) is bool(re.match(fnmatch.translate(pattern), text))


@given(st.text(max_size=12))
def test_no_other_character_is_special(text: str) -> None:
    assert matches_pattern(text, text)
    if "*" not in text and "?" not in text:
        assert not matches_pattern(text, text + "x")


def test_the_worst_pattern_takes_no_time() -> None:
    begun = time.perf_counter()
    clause = {**CLAUSE, "value": "pattern:" + "*a" * 900 + "*b"}
    assert met([[clause] * 1], {**CLAUSE, "value": "a" * 2_000}) is Reason.CONDITIONS_NOT_MET
    assert time.perf_counter() - begun < 5
