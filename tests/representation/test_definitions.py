"""The definitions as they come, and files in their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from allofus_spark.errors import BadSource, SettingsError
from allofus_spark.representation.definitions import read_definitions
from allofus_spark.settings import RepresentationSettings, load_settings
from allofus_spark.tables.person_tables import QUESTIONS

HEADER = "category\tanswer\tunder_represented\tsex\tsource\n"


def test_the_definitions_know_both_sides_of_every_question() -> None:
    definitions = read_definitions(RepresentationSettings())
    for category in QUESTIONS:
        assert definitions.texts(category, "yes")
        assert definitions.texts(category, "no")
    assert not {text for name in QUESTIONS for text in definitions.texts(name)} & set(
        RepresentationSettings().not_answered
    )
    assert definitions.texts("gender_identity", sex="male")


@pytest.mark.parametrize(
    ("category", "answer", "expected"),
    [
        ("income", "Annual Income: 10k 25k", "yes"),
        ("income", "Annual Income: 25k 35k", "no"),
        ("education", "Highest Grade: Nine Through Eleven", "yes"),
        ("education", "Highest Grade: Twelve Or GED", "no"),
        ("race_ethnicity", "WhatRaceEthnicity_MENA", "yes"),
        ("race_ethnicity", "White", "no"),
        ("race_ethnicity", "Not Hispanic or Latino", "neither"),
        ("sexual_orientation", "Sexual Orientation: Gay", "yes"),
        ("gender_identity", "Gender Identity: Transgender", "yes"),
        ("access_to_care", "No", "yes"),
        ("disability", "No", "no"),
    ],
)
def test_answers_of_the_surveys_are_known(category: str, answer: str, expected: str) -> None:
    assert answer.lower() in read_definitions(RepresentationSettings()).texts(category, expected)


def test_the_fingerprint_is_of_what_answers_mean_and_not_of_their_order(tmp_path: Path) -> None:
    lines = ["geography\trural\tyes\t\tx\n", "geography\turban\tno\t\tx\n"]
    made = {}
    for name, text in {"a": lines, "b": [*lines[::-1], "# more\n"], "c": [lines[0]]}.items():
        path = tmp_path / f"{name}.tsv"
        path.write_text(HEADER + "".join(text).replace("\tx\n", f"\t{name}\n"))
        settings = RepresentationSettings(definitions_version="v2", definitions_file=str(path))
        made[name] = read_definitions(settings).sha256
    assert made["a"] == made["b"] != made["c"]
    older = RepresentationSettings(
        definitions_version="v2", definitions_file=str(tmp_path / "a.tsv"), from_age_years=60
    )
    assert read_definitions(older).sha256 != made["a"]


def test_lines_that_are_not_understood_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "d.tsv"
    bad = ["race\tx\tyes\t\t\n", "income\t \tyes\t\t\n", "income\tx\tmaybe\t\t\n", "income\tx\tyes\txx\t\n"]
    path.write_text(HEADER + "income\tA\tyes\t\t\nincome\ta\tno\t\t\n" + "".join(bad) + "income\n")
    settings = RepresentationSettings(definitions_version="v2", definitions_file=str(path))
    with pytest.raises(BadSource) as refused:
        read_definitions(settings)
    message = str(refused.value)
    assert "6 lines are not understood: line 3: income a is on line 2 too, line 4: category 'race'" in message
    assert "line 5: answer ' ' cannot be defined, line 6: under_represented 'maybe' is not yes" in message
    assert "line 7: sex 'xx' is not female, male or empty and 1 more" in message
    path.write_text(HEADER + "income\ta; b\tyes\t\t\nincome\tSkip\tyes\t\t\n")
    with pytest.raises(BadSource, match=r"'a; b' is read as several: .*, line 3: answer 'Skip' is none"):
        read_definitions(settings)
    path.write_text(HEADER)
    with pytest.raises(BadSource, match="a header and no definitions; add a line for each answer"):
        read_definitions(settings)
    path.write_text("category\n")
    with pytest.raises(
        BadSource, match="its header must be category, answer, under_represented, sex, source"
    ):
        read_definitions(settings)


def test_other_definitions_need_another_name() -> None:
    with pytest.raises(SettingsError, match="needs a definitions_version other than all_of_us_1"):
        load_settings(overrides=["representation.definitions_file=mine.tsv"])
    with pytest.raises(SettingsError, match="under_age_years 70 must not be above from_age_years 65"):
        load_settings(overrides=["representation.under_age_years=70"])
