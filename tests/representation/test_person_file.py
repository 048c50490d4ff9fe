"""Files of persons: which values are understood, and what is refused, naming line, person and value."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from allofus_spark.errors import BadSamples, BadSource
from allofus_spark.representation.person_file import Person, PersonFile, read_person_file
from allofus_spark.settings import RepresentationSettings
from allofus_spark.tables.person_tables import QUESTIONS

NOT_ANSWERED = RepresentationSettings().not_answered
LAST_DAY = dt.date(2026, 1, 2)


def read(tmp_path: Path, text: str, name: str = "p.tsv", **columns: str) -> PersonFile:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_person_file(path, columns, NOT_ANSWERED, last_day=LAST_DAY)


def answer(person: Person, question: str) -> list[str] | None:
    return person.answers[list(QUESTIONS).index(question)]


def test_several_answers_are_kept_as_written_and_what_is_none_is_null(tmp_path: Path) -> None:
    text = (
        "person_id\trace_ethnicity\tincome\n"
        "1\tBlack; WhatRaceEthnicity_White | black\tPMI: Skip\n"
        "2\t.\tAnnual Income: less 10k\n"
        "3\tPrefer not to answer;Asian\t\n"
    )
    given = read(tmp_path, text)
    raced = {name: answer(person, "race_ethnicity") for name, person in given.persons.items()}
    assert raced == {"1": ["black", "WhatRaceEthnicity_White"], "2": None, "3": ["Asian"]}
    assert [answer(person, "income") for person in given.persons.values()] == [
        None,
        ["Annual Income: less 10k"],
        None,
    ]
    assert "income" not in given.not_asked
    assert {"geography", "age", "disability"} <= set(given.not_asked)


@pytest.mark.parametrize(
    ("columns", "values", "expected"),
    [
        ("enrolled_on\tbirth_date", "2020-03-01\t1950-03-01", (70, 1950)),
        ("enrolled_on\tbirth_date", "2020-03-01\t1950-03-02", (69, 1950)),
        ("enrolled_on\tbirth_date", "2021-02-28\t2004-02-29", (16, 2004)),
        ("enrolled_on\tyear_of_birth", "2020-03-01\t1950", (70, 1950)),
        ("enrolled_on\tyear_of_birth\tage_at_enrolment_years", "2020-03-01\t1950\t69", (69, 1950)),
        ("age_at_enrolment_years", "64.9", (64, None)),
        ("birth_date", "1950-03-01", (None, 1950)),
        ("enrolled_on", "2020-03-01", (None, None)),
    ],
)
def test_age_is_in_completed_years(
    columns: str, values: str, expected: tuple[int | None, int | None], tmp_path: Path
) -> None:
    (person,) = read(tmp_path, f"person_id\t{columns}\n1\t{values}\n").persons.values()
    assert (person.age_at_enrolment_years, person.year_of_birth) == expected


@pytest.mark.parametrize(
    ("columns", "values", "message"),
    [
        (
            "enrolled_on",
            "2020-13-01",
            r"line 2, person 1: enrolled_on '2020-13-01' is not a date as YYYY-MM-DD",
        ),
        ("enrolled_on", "20200101", "is not a date as YYYY-MM-DD"),
        ("enrolled_on", "0020-01-01", "enrolled_on 0020-01-01 is not between 1850 and today"),
        ("enrolled_on", "2026-01-03", "enrolled_on 2026-01-03 is not between 1850 and today"),
        ("birth_date", "2026-01-03", "birth_date 2026-01-03 is not between 1850 and today"),
        ("enrolled_on", "2019-02-30", "enrolled_on '2019-02-30' is not a date as YYYY-MM-DD"),
        ("year_of_birth", "2027", "year_of_birth '2027' is not a number from 1850 to 2026"),
        ("year_of_birth", "50", "year_of_birth '50' is not a number from 1850 to 2026"),
        ("age_at_enrolment_years", "-3", "age_at_enrolment_years '-3' is not a number from 0 to 130"),
        (
            "enrolled_on\tbirth_date\tage_at_enrolment_years",
            "2020-03-01\t1950-03-02\t70",
            "age_at_enrolment_years 70 contradicts enrolled_on 2020-03-01 and birth_date 1950-03-02",
        ),
        (
            "enrolled_on\tyear_of_birth\tage_at_enrolment_years",
            "2020-03-01\t1950\t71",
            "age_at_enrolment_years 71 contradicts enrolled_on 2020-03-01 and year_of_birth 1950",
        ),
        ("birth_date\tyear_of_birth", "1950-03-02\t1951", "1951 is not that of birth_date 1950-03-02"),
        ("enrolled_on\tbirth_date", "2020-01-01\t2020-01-02", "enrolled_on 2020-01-01 at an age of -1 years"),
    ],
)
def test_a_bad_or_contradictory_value_is_named_with_its_line(
    columns: str, values: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(BadSamples, match="1 bad rows, nothing was written: line 2, person 1: ") as refused:
        read(tmp_path, f"person_id\t{columns}\n1\t{values}\n")
    assert message.removeprefix("line 2, person 1: ") in str(refused.value)


def test_several_samples_make_several_lines_of_one_person(tmp_path: Path) -> None:
    text = "person_id\tsample_id\tincome\n1\ts1\t<25000\n1\ts2\t<25000\n2\t\t\n3\tNA\t\n"
    given = read(tmp_path, text)
    assert given.person_of_sample == {"s1": "1", "s2": "1"}
    assert list(given.persons) == ["1", "2", "3"]


def test_a_further_line_may_leave_cells_empty(tmp_path: Path) -> None:
    text = (
        "person_id\tsample_id\tenrolled_on\tbirth_date\tincome\n"
        "1\ts1\t2020-03-01\t\t<25000\n"
        "1\ts2\t\t1950-03-02\t\n"
        "1\ts3\t\t\tSkip\n"
    )
    given = read(tmp_path, text)
    assert given.person_of_sample == {"s1": "1", "s2": "1", "s3": "1"}
    (person,) = given.persons.values()
    assert person[:3] == (dt.date(2020, 3, 1), 69, 1950)
    assert answer(person, "income") == ["<25000"]
    with pytest.raises(BadSamples, match="line 5, person 1: enrolled_on 2020-03-01 at an age of -1 years"):
        read(tmp_path, text.replace("1950-03-02", "").replace("\t\tSkip", "\t\t") + "1\ts4\t\t2020-03-02\t\n")


def test_persons_with_different_lines_and_samples_of_two_persons_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        BadSamples, match="1 persons have two different rows, nothing was written: 1; keep one"
    ):
        read(tmp_path, "person_id\tincome\n1\t<25000\n1\t>=25000\n2\t\n2\t\n")
    with pytest.raises(BadSamples, match="1 samples belong to two persons, nothing was written: s1"):
        read(tmp_path, "person_id\tsample_id\n1\ts1\n2\ts1\n")


def test_other_names_of_columns_and_csv(tmp_path: Path) -> None:
    text = 'participant,race\r\n"007","Black;White"\r\n'
    given = read(tmp_path, text, "p.csv", person_id="participant", race_ethnicity="race")
    assert {name: answer(person, "race_ethnicity") for name, person in given.persons.items()} == {
        "007": ["Black", "White"]
    }
    with pytest.raises(BadSamples, match=r"no column for person_id; the file has: participant, race\. Name"):
        read(tmp_path, text, "p.csv")
    with pytest.raises(BadSamples, match="--column race: the names are person_id, sample_id, enrolled_on"):
        read(tmp_path, text, "p.csv", race="race")
    with pytest.raises(BadSamples, match="several columns are called income; rename all but one"):
        read(tmp_path, "person_id\tincome\tincome\n1\t\t\n")


def test_a_file_without_persons_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="empty; it needs a header line with a column person_id"):
        read(tmp_path, "")
    with pytest.raises(BadSamples, match="a header and no persons"):
        read(tmp_path, "person_id\n\n")
    with pytest.raises(
        BadSamples,
        match=r"3 bad rows, .*: line 2 has 1 fields, not 2, line 3: ' ' is no person id, line 4: ",
    ):
        read(tmp_path, "person_id\tincome\n1\n \t\nNA\tx\n")


def test_a_date_is_a_date(tmp_path: Path) -> None:
    (person,) = read(tmp_path, "person_id\tenrolled_on\n1\t2018-05-06\n").persons.values()
    assert person.enrolled_on == dt.date(2018, 5, 6)


def test_blanks_around_ids_and_names_make_no_other_person_or_column(tmp_path: Path) -> None:
    given = read(tmp_path, "person_id , income,Race\n1,x,\n1 ,x,\n", "p.csv")
    assert list(given.persons) == ["1"]
    assert answer(given.persons["1"], "income") == ["x"]
    assert given.not_used == ("Race",)


def test_an_open_quotation_mark_swallows_no_person(tmp_path: Path) -> None:
    for end in ("", "3,x\n" * 50_000):
        with pytest.raises(BadSource, match=r"row that begins on line 3 cannot be read as CSV: .*not closed"):
            read(tmp_path, f'person_id,income\n1,x\n2,"y\n{end}', "p.csv")


def test_a_message_is_short_and_moves_no_cursor(tmp_path: Path) -> None:
    with pytest.raises(BadSamples) as refused:
        read(tmp_path, f"person_id\tenrolled_on\n\x1b[2J1\t{'z' * 100_000}\n")
    assert "person \\x1b[2J1" in str(refused.value)
    assert len(str(refused.value)) < 500
