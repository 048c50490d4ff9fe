"""``representation`` and what ``allofus report-cohort`` prints, against counts made in plain Python."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from pyspark.sql import SparkSession

from allofus_spark.cli import main
from allofus_spark.errors import BadSamples, BadSource
from allofus_spark.representation import Report, ingest_persons, report_cohort
from allofus_spark.representation.definitions import own_definitions
from allofus_spark.settings import load_settings
from allofus_spark.tables import (
    PERSON_SAMPLES,
    PERSONS,
    REPRESENTATION,
    WHOLE_TABLE,
    Warehouse,
    Write,
    start_run,
)
from tests.representation.files import put_callset, write_table

pytestmark = pytest.mark.long

COUNTS = ("n_people", "n_under_represented", "n_not", "n_unknown", "n_not_asked")
# Few answers of each kind: under-represented, not, neither of them, and one that nobody defined.
ANSWERS: dict[str, dict[str, str]] = {
    "race_ethnicity": {"Black": "yes", "WhatRaceEthnicity_Hispanic": "yes", "White": "no"}
    | {"Not Hispanic or Latino": "neither", "Martian": ""},
    "sex_at_birth": {"Female": "no", "Male": "no", "Intersex": "yes"},
    "gender_identity": {"Woman": "no", "Man": "no", "Gender Identity: Transgender": "yes"},
    "sexual_orientation": {"Straight": "no", "Sexual Orientation: Gay": "yes"},
    "income": {"Annual Income: less 10k": "yes", "Annual Income: 25k 35k": "no", "plenty": ""},
    "education": {"Highest Grade: Nine Through Eleven": "yes", "Highest Grade: Twelve Or GED": "no"},
    "disability": {"Yes": "yes", "No": "no"},
    "access_to_care": {"Health Insurance: No": "yes", "Health Insurance: Yes": "no"},
}
NAMES_SEX = {"Female": "f", "Male": "m", "Woman": "f", "Man": "m"}
NONE = ("", "PMI: Skip", "Prefer not to answer", "No matching concept")
NOT_ASKED = ("geography",)
CATEGORIES = ("age", *ANSWERS, *NOT_ASKED)


def random_person(random: Random, number: int) -> dict[str, Any]:
    person: dict[str, Any] = {"person_id": f"p{number}"}
    for question, known in ANSWERS.items():
        told = random.sample(list(known), random.choice([0, 1, 1, 1, 2]))
        cased = [random.choice([text, text.upper(), text.lower()]) for text in told]
        person[question] = random.choice(["; ", "|"]).join(cased) or random.choice(NONE)
    person["age_at_enrolment_years"] = random.choice(["", 5, 17, 18, 40, 64, 65, 90])
    month = random.choice([None, "2018-05", "2018-05", "2018-07", "2020-12"])
    person["enrolled_on"] = f"{month}-{random.randrange(1, 28):02}" if month else ""
    if random.random() < 0.4:
        person["sample_id"] = f"s{number}"
    return person


def told(person: dict[str, Any], question: str) -> list[str]:
    """Answers in the spelling of ANSWERS."""
    known = {text.lower(): text for text in ANSWERS[question]}
    parts = person[question].replace("|", ";").split(";")
    return [known[part.strip().lower()] for part in parts if part.strip().lower() in known]


def plain_statuses(person: dict[str, Any]) -> dict[str, str]:
    statuses = {"geography": "unknown"}
    for question, meaning in ANSWERS.items():
        kinds = [meaning[text] for text in told(person, question)]
        if "yes" in kinds:
            statuses[question] = "under_represented"
        elif "" in kinds or "no" not in kinds:
            statuses[question] = "unknown"
        else:
            statuses[question] = "not"
    genders, sexes = told(person, "gender_identity"), told(person, "sex_at_birth")
    for gender in genders:
        if gender in NAMES_SEX and any(NAMES_SEX.get(sex) != NAMES_SEX[gender] for sex in sexes):
            statuses["gender_identity"] = "under_represented"
    if {"Woman", "Man"} <= set(genders):
        statuses["gender_identity"] = "under_represented"
    age = person["age_at_enrolment_years"]
    statuses["age"] = "unknown" if age == "" else "not" if 18 <= age < 65 else "under_represented"
    values = set(statuses.values())
    statuses["any"] = next(name for name in ("under_represented", "unknown", "not") if name in values)
    return statuses


def plain_answers(person: dict[str, Any], category: str) -> set[str]:
    if category in ("any", *NOT_ASKED):
        return set()
    if category == "age":
        age = person["age_at_enrolment_years"]
        if age == "":
            return set()
        return {"under_18" if age < 18 else "65_and_over" if age >= 65 else "18_to_64"}
    return {text.lower() if ANSWERS[category][text] else "unrecognised" for text in told(person, category)}


def plain_counts(
    persons: list[dict[str, Any]], with_genomes: set[str]
) -> dict[tuple[str, ...], Counter[str]]:
    counts: dict[tuple[str, ...], Counter[str]] = {}
    for person in persons:
        statuses = plain_statuses(person)
        people = "with_genomes" if person["person_id"] in with_genomes else "without_genomes"
        month = person["enrolled_on"][:7] or "unknown"
        only_not_asked = {name for name in CATEGORIES if statuses[name] == "unknown"} <= set(NOT_ASKED)
        for category, status in statuses.items():
            not_asked = category in NOT_ASKED or (
                category == "any" and status == "unknown" and only_not_asked
            )
            tally = {"n_people": 1, f"n_{status}": 1, "n_not_asked": int(not_asked)}
            for answer in ("all", *plain_answers(person, category)):
                for place in ((who, when) for who in ("all", people) for when in ("total", month)):
                    counts.setdefault((*place, category, answer), Counter()).update(tally)
    return counts


def counts_of(report: Report) -> dict[tuple[str, ...], Counter[str]]:
    rows = {tuple(row[:4]): Counter({name: getattr(row, name) for name in COUNTS}) for row in report.rows}
    assert len(rows) == len(report.rows)
    return {place: counts for place, counts in rows.items() if counts["n_people"]}


RANDOM = Random(11)
PERSONS_GIVEN = [random_person(RANDOM, number) for number in range(400)]
# Callset c is active, of old only the samples of people 0 to 99 and it is retired.
IN_GENOTYPES = {f"s{number}" for number in range(100, 400, 2)}


@pytest.fixture(scope="module")
def people(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("people")
    warehouse = Warehouse(spark, load_settings(warehouse=str(folder / "w")))
    put_callset(warehouse, "old", [f"s{number}" for number in range(100)], retired_by="c")
    put_callset(warehouse, "c", sorted(IN_GENOTYPES))
    counters = ingest_persons(warehouse, write_table(folder / "persons.tsv", PERSONS_GIVEN))
    linked = [person["sample_id"] for person in PERSONS_GIVEN if "sample_id" in person]
    assert counters["persons"] == len(PERSONS_GIVEN)
    assert counters["samples"] == len(linked)
    assert counters["samples_not_in_an_active_callset"] == len(set(linked) - IN_GENOTYPES) > 0
    assert counters["persons_without_sample"] == len(PERSONS_GIVEN) - len(linked)
    return warehouse


@pytest.fixture(scope="module")
def report(people: Warehouse) -> Report:
    return report_cohort(people)


def test_every_count_is_that_of_plain_python(report: Report) -> None:
    with_genomes = {
        person["person_id"] for person in PERSONS_GIVEN if person.get("sample_id") in IN_GENOTYPES
    }
    expected = plain_counts(PERSONS_GIVEN, with_genomes)
    assert counts_of(report) == expected
    assert 0 < report.of("any", "with_genomes").n_people < report.of("any").n_people == len(PERSONS_GIVEN)
    assert report.not_asked == ["geography"]
    for name in ("n_under_represented", "n_not", "n_unknown"):
        assert getattr(report.of("race_ethnicity"), name) > 0


def test_months_add_up_to_date_and_shares_are_of_all_people(report: Report) -> None:
    months = ["2018-05", "2018-07", "2020-12"]
    for people in ("all", "with_genomes", "without_genomes"):
        rows = {
            row.enrolment_month: row
            for row in report.rows
            if (row.people, row.category, row.answer) == (people, "any", "all")
        }
        assert list(rows) == ["total", *months, "unknown"]
        assert rows["total"].n_people == sum(row.n_people for name, row in rows.items() if name != "total")
        so_far = yes_so_far = 0
        for month in months:
            so_far += rows[month].n_people
            yes_so_far += rows[month].n_under_represented
            assert rows[month].n_people_to_date == so_far
            assert rows[month].n_under_represented_to_date == yes_so_far
            assert rows[month].share_under_represented_to_date == yes_so_far / so_far
        for name in ("total", "unknown"):
            assert rows[name].n_people_to_date is None
    for row in report.rows:
        if not row.n_people:
            assert (row.share_under_represented, row.share_not, row.share_unknown) == (None, None, None)
        else:
            assert row.share_unknown == row.n_unknown / row.n_people
            assert row.share_under_represented == row.n_under_represented / row.n_people


def test_the_table_holds_the_rows_and_no_text_that_the_definitions_do_not_know(
    people: Warehouse, report: Report
) -> None:
    held = people.read(REPRESENTATION).collect()
    assert sorted(tuple(row)[2:6] for row in held) == sorted(tuple(row[:4]) for row in report.rows)
    assert {(row.definitions_version, len(row.definitions_sha256)) for row in held} == {("all_of_us_1", 64)}
    assert not {"martian", "plenty"} & {row.answer for row in held}
    assert len(report.warnings) == 2
    martians = sum("Martian" in told(person, "race_ethnicity") for person in PERSONS_GIVEN)
    assert (
        f"race_ethnicity: {martians} people gave an answer that the definitions do not know"
        in report.warnings[0]
    )
    assert report.warnings[1].count("plenty") == 1
    assert f"copy {own_definitions()}, add a row" in report.advice
    assert own_definitions().is_file()


def test_counts_do_not_depend_on_the_order_of_rows(people: Warehouse, report: Report) -> None:
    with start_run(people, "test") as run:
        rows = run.read(PERSONS).repartition(5).orderBy("income", "person_id").localCheckpoint()
        run.write(Write(PERSONS, rows, WHOLE_TABLE))
    assert report_cohort(people).rows == report.rows


def test_the_screen_and_the_picture_say_that_they_are_internal(
    people: Warehouse, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def opened(*_: object) -> Iterator[Warehouse]:
        yield people

    monkeypatch.setattr("allofus_spark.cli.persons.open_warehouse", opened)
    answer = CliRunner().invoke(main, ["report-cohort"], catch_exceptions=False).stdout
    lines = [line.split() for line in answer.splitlines() if line.strip()]
    counts = [str(report.of("any", name).n_people) for name in ("all", "with_genomes", "without_genomes")]
    assert lines[2] == ["People", *counts]
    share = report.of("any").share_under_represented
    assert share is not None
    assert lines[3][:6] == ["Under-represented", "in", "any", "category", f"{100 * share:.1f}", "%"]
    assert "Internal: counts are not disclosure-controlled." in answer
    assert answer.count("that the definitions do not know") == len(report.warnings)
    assert answer.count(report.advice) == 1
    assert "Not asked, as the file of persons has no such column: geography." in answer
    picture = Path(report.picture).read_text()
    assert report.picture.endswith("registered/pictures/representation.html")
    assert "<title>Representation (internal: counts are not disclosure-controlled)</title>" in picture
    assert "People with genomes, n = " in picture
    assert "People without genomes, n = " in picture
    assert "Enrolment by month (internal" in picture
    undated = sum(not person["enrolled_on"] for person in PERSONS_GIVEN)
    assert f"People without a date of enrolment, who are not in the curve: {undated:,}" in picture
    assert "unknown, though asked" in picture
    geography = {name: values[-3] for name, values in drawn_shares(picture).items()}
    assert geography == {"under_represented": 0, "not": 0, "unknown": 0, "not_asked": 1}


def drawn_shares(picture: str) -> dict[str, list[float]]:
    """Of the first bars, everybody's, the shares of each category in order."""
    first = picture[picture.index('["category",') :]
    found = re.findall(r'\["(under_represented|not|unknown|not_asked)",\[([^\]]*)\]\]', first)[:4]
    return {name: [float(value) for value in values.split(",")] for name, values in found}


# 100 people, hand-made: 77 under-represented in some category, 46 racial and ethnic minorities.
def known_cohort() -> list[dict[str, Any]]:
    nothing = {
        "race_ethnicity": "White",
        "sex_at_birth": "Female",
        "gender_identity": "Woman",
        "sexual_orientation": "Straight",
        "income": "75000 to 99999",
        "education": "College graduate",
        "geography": "Urban",
        "disability": "No",
        "access_to_care": "Yes",
        "age_at_enrolment_years": 40,
    }
    changes = [
        *(25 * [{"race_ethnicity": "Black"}]),
        *(15 * [{"race_ethnicity": "Hispanic", "income": "less than 25000"}]),
        *(6 * [{"race_ethnicity": "White;Asian"}]),
        *(10 * [{"age_at_enrolment_years": 65}]),
        *(8 * [{"geography": "rural"}]),
        *(5 * [{"gender_identity": "man"}]),  # of female sex at birth
        *(4 * [{"sexual_orientation": "Gay"}]),
        *(3 * [{"disability": "yes"}]),
        {"access_to_care": "no"},
        *(20 * [{}]),
        *(3 * [{"race_ethnicity": "PMI: Skip"}]),
    ]
    return [{"person_id": str(number), **nothing, **change} for number, change in enumerate(changes)]


def test_the_headline_of_a_known_cohort(warehouse: Warehouse, tmp_path: Path) -> None:
    ingest_persons(warehouse, write_table(tmp_path / "p.csv", known_cohort(), ","))
    report = report_cohort(warehouse)
    total = report.of("any")
    assert (total.n_people, total.n_under_represented, total.n_not, total.n_unknown) == (100, 77, 20, 3)
    assert total.share_under_represented == 0.77
    assert report.of("race_ethnicity").share_under_represented == 0.46
    assert report.of("gender_identity").n_under_represented == 5
    answers = {
        row.answer: row.n_people
        for row in report.rows
        if (row.people, row.enrolment_month, row.category) == ("all", "total", "race_ethnicity")
    }
    assert answers == {"all": 100, "black": 25, "hispanic": 15, "asian": 6, "white": 57}
    assert report.of("any", "with_genomes").n_people == 0
    assert report.of("any", "with_genomes").share_under_represented is None
    assert report.warnings == []


def test_a_person_has_a_genome_while_one_sample_is_in_an_active_callset(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    rows = [
        {"person_id": "two", "sample_id": "a1"},
        {"person_id": "two", "sample_id": "a2"},
        {"person_id": "retired", "sample_id": "r"},
        {"person_id": "none"},
        {"person_id": "later", "sample_id": "z"},
    ]
    path = write_table(tmp_path / "p.tsv", rows)
    put_callset(warehouse, "old", ["a1", "r"], retired_by="new")
    put_callset(warehouse, "new", ["a1", "a2"])
    counters = ingest_persons(warehouse, path)
    assert counters["samples_not_in_an_active_callset"] == 2
    links = {row.sample_id: row.person_id for row in warehouse.read(PERSON_SAMPLES).collect()}
    assert links == {"a1": "two", "a2": "two", "r": "retired", "z": "later"}
    assert report_cohort(warehouse).of("any", "with_genomes").n_people == 1
    put_callset(warehouse, "more", ["z"])
    report = report_cohort(warehouse)
    assert report.of("any", "with_genomes").n_people == 2
    assert report.of("any").n_not_asked == 4
    assert report.of("age").n_unknown == report.of("age").n_not_asked == 4


def test_ids_of_persons_are_tried_as_samples_only_when_asked(
    warehouse: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="allofus_spark")
    put_callset(warehouse, "c", ["a", "b"])
    path = write_table(tmp_path / "p.tsv", [{"person_id": name} for name in "abc"])
    assert ingest_persons(warehouse, path)["persons_without_sample"] == 3
    counters = ingest_persons(warehouse, path, samples_are_persons=True)
    assert (counters["samples"], counters["persons_without_sample"]) == (2, 1)
    put_callset(warehouse, "c", ["a", "b"], retired_by="d")
    caplog.clear()
    assert ingest_persons(warehouse, path, samples_are_persons=True)["samples"] == 0
    assert "none of 3 persons has the id of a sample of an active callset; ingest genotypes" in caplog.text
    both = write_table(tmp_path / "both.tsv", [{"person_id": "a", "sample_id": "a"}])
    with pytest.raises(BadSamples, match="has sample ids of its own; leave --samples-are-persons out"):
        ingest_persons(warehouse, both, samples_are_persons=True)


def test_a_bad_file_leaves_what_was_held(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="run allofus ingest-persons first"):
        report_cohort(warehouse)
    ingest_persons(
        warehouse, write_table(tmp_path / "p.tsv", [{"person_id": "1", "enrolled_on": "2018-05-06"}])
    )
    bad = write_table(tmp_path / "bad.tsv", [{"person_id": "1", "enrolled_on": "6 May"}])
    with pytest.raises(BadSamples, match="line 2, person 1: enrolled_on '6 May' is not a date"):
        ingest_persons(warehouse, bad)
    (person,) = warehouse.read(PERSONS).collect()
    assert person.enrolled_on == dt.date(2018, 5, 6)
    assert person.income is None
    assert "income" in person.not_asked


def test_rows_of_other_definitions_stay(warehouse: Warehouse, tmp_path: Path) -> None:
    persons = [{"person_id": "1", "geography": "village", "age_at_enrolment_years": 62}]
    ingest_persons(warehouse, write_table(tmp_path / "p.tsv", persons))
    assert report_cohort(warehouse).of("any").n_under_represented == 0
    own = tmp_path / "own.tsv"
    own.write_text("category\tanswer\tunder_represented\tsex\tsource\ngeography\tVillage\tyes\t\tours\n")
    overrides = ["representation.definitions_version=ours", f"representation.definitions_file={own}"]
    other = Warehouse(warehouse.spark, load_settings(warehouse=warehouse.root, overrides=overrides))
    report = report_cohort(other)
    assert report.of("geography").n_under_represented == 1
    assert report.of("age").n_under_represented == 0
    versions = {row.definitions_version for row in warehouse.read(REPRESENTATION).collect()}
    assert versions == {"all_of_us_1", "ours"}


def test_incomes_as_numbers_are_counted_by_range_and_what_lies_in_both_is_unknown(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    incomes = ["$18,000", "<$25k", "50000-75000", "20000-30000", "Less than 25000", "250000"]
    rows = [{"person_id": str(number), "income": income} for number, income in enumerate(incomes)]
    ingest_persons(warehouse, write_table(tmp_path / "p.tsv", rows))
    report = report_cohort(warehouse)
    row = report.of("income")
    assert (row.n_under_represented, row.n_not, row.n_unknown) == (3, 2, 1)
    answers = {
        row.answer: row.n_people
        for row in report.rows
        if (row.category, row.people, row.enrolment_month) == ("income", "all", "total")
    }
    assert answers == {
        "all": 6,
        "less than 25000": 1,
        "under_25000_usd": 2,
        "25000_usd_and_over": 2,
        "unrecognised": 1,
    }
    (warning,) = report.warnings
    assert "'20000-30000' (1)" in warning
