"""Files of persons: one line a person, or one for each of a person's samples."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from allofus_spark.delimited import places_of, read_table
from allofus_spark.errors import BadSamples, shown
from allofus_spark.tables.person_tables import (
    AGE,
    BETWEEN_ANSWERS,
    CATEGORIES,
    FIRST_YEAR,
    MOST_YEARS,
    QUESTIONS,
)

_BIRTH = ("age_at_enrolment_years", "birth_date", "year_of_birth")
COLUMNS = ("person_id", "sample_id", "enrolled_on", *_BIRTH, *QUESTIONS)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")

Answers = list[str] | None


class Person(NamedTuple):
    """What a file says about a person; ``answers`` in the order of QUESTIONS."""

    enrolled_on: dt.date | None
    age_at_enrolment_years: int | None
    year_of_birth: int | None
    answers: tuple[Answers, ...]


class _Line(NamedTuple):
    """The cells of one line about its person; null: empty, or no such column."""

    enrolled_on: dt.date | None
    birth_date: dt.date | None
    year_of_birth: int | None
    age_at_enrolment_years: int | None
    answers: tuple[Answers, ...]


@dataclass(frozen=True)
class PersonFile:
    """Persons by id, and the person of each sample.

    ``not_asked`` are categories that the file has no column for, ``not_used`` names of columns of the file.
    """

    persons: Mapping[str, Person]
    person_of_sample: Mapping[str, str]
    has_samples: bool
    not_asked: tuple[str, ...]
    not_used: tuple[str, ...]


def read_person_file(
    path: str | Path, columns: Mapping[str, str], not_answered: Collection[str], *, last_day: dt.date
) -> PersonFile:
    """Read a TSV or CSV with a header; ``columns`` are the file's names of COLUMNS where they differ.

    A further line of a person may leave cells empty. Nobody is born or enrolled after ``last_day``. Raises
    BadSamples naming lines with bad values, persons with different lines, and samples of two persons.
    """
    header, rows = read_table(path, "person_id")
    place = places_of(path, header, COLUMNS, columns, ("person_id",))
    reader = _Reader(place, frozenset(not_answered), last_day)
    persons: dict[str, Person] = {}
    samples: dict[str, str] = {}
    problems: list[str] = []
    lines: dict[str, _Line] = {}
    different: dict[str, None] = {}
    shared: dict[str, None] = {}
    for number, row in rows:
        if len(row) != len(header):
            problems.append(f"line {number} has {len(row)} fields, not {len(header)}")
            continue
        person_id, sample_id = reader.text(row, "person_id"), reader.text(row, "sample_id")
        if person_id is None:
            problems.append(f"line {number}: {row[place['person_id']]!r} is no person id")
            continue
        try:
            line = reader.line(row)
            known = lines.setdefault(person_id, line)
            both = _joined(known, line)
            if both is None:
                different[person_id] = None
            elif person_id not in persons or both != known:
                persons[person_id] = reader.person(both)
                lines[person_id] = both
        except ValueError as error:
            problems.append(f"line {number}, person {person_id}: {error}")
            continue
        if sample_id is not None and samples.setdefault(sample_id, person_id) != person_id:
            shared[sample_id] = None
    _refuse(path, problems, list(different), list(shared))
    if not persons:
        raise BadSamples(f"{path}: a header and no persons, nothing was written; add a line for each person")
    not_used = tuple(name for number, name in enumerate(header) if name and number not in place.values())
    return PersonFile(persons, samples, "sample_id" in place, _not_asked(place), not_used)


def _joined(one: _Line, other: _Line) -> _Line | None:
    """What two lines of a person say together: an empty cell says nothing. None where they differ."""
    pairs: list[tuple[Any, Any]] = list(
        zip((*one[:-1], *one.answers), (*other[:-1], *other.answers), strict=True)
    )
    if any(left != right for left, right in pairs if left is not None and right is not None):
        return None
    enrolled_on, birth_date, year, age, *answers = (right if left is None else left for left, right in pairs)
    return _Line(enrolled_on, birth_date, year, age, tuple(answers))


def _not_asked(place: Collection[str]) -> tuple[str, ...]:
    asked = {AGE} if set(_BIRTH) & set(place) else set()
    return tuple(name for name in CATEGORIES if name not in place and name not in asked)


def _refuse(
    path: str | Path, problems: Sequence[str], different: Sequence[str], shared: Sequence[str]
) -> None:
    if problems:
        raise BadSamples(f"{path}: {len(problems)} bad rows, nothing was written: {shown(problems)}")
    if different:
        raise BadSamples(
            f"{path}: {len(different)} persons have two different rows, nothing was written: "
            f"{shown(different)}; keep one of each, or rows that differ in sample_id and empty cells alone"
        )
    if shared:
        raise BadSamples(
            f"{path}: {len(shared)} samples belong to two persons, nothing was written: {shown(shared)}; "
            "a sample has one person"
        )


class _Reader:
    """Cells to values. Equal texts share a value, as a million people give few different answers."""

    def __init__(self, place: Mapping[str, int], not_answered: frozenset[str], last_day: dt.date) -> None:
        self._place = place
        self._not_answered = not_answered
        self._last_day = last_day
        self._known: dict[str, Answers] = {}

    def text(self, row: Sequence[str], name: str) -> str | None:
        """The cell of a column; None where the file lacks it, or it is no answer."""
        if name not in self._place:
            return None
        value = row[self._place[name]].strip()
        return None if value.lower() in self._not_answered else value

    def line(self, row: Sequence[str]) -> _Line:
        """What a row says; raises ValueError saying which value is bad."""
        return _Line(
            self._date(row, "enrolled_on"),
            self._date(row, "birth_date"),
            self._number(row, "year_of_birth", FIRST_YEAR, self._last_day.year),
            self._number(row, "age_at_enrolment_years", 0, MOST_YEARS),
            tuple(self._answers(row, name) for name in QUESTIONS),
        )

    @staticmethod
    def person(line: _Line) -> Person:
        """The person of a line; raises ValueError saying which value contradicts another."""
        enrolled_on, birth_date, year, age, answers = line
        if birth_date is not None and year not in (None, birth_date.year):
            raise ValueError(f"year_of_birth {year} is not that of birth_date {birth_date}")
        ages = _possible_ages(enrolled_on, birth_date, year)
        if ages and age is not None and age not in ages:
            raise ValueError(
                f"age_at_enrolment_years {age} contradicts enrolled_on {enrolled_on} and "
                f"{f'birth_date {birth_date}' if birth_date else f'year_of_birth {year}'}"
            )
        if ages and not 0 <= ages[-1] <= MOST_YEARS:
            raise ValueError(f"enrolled_on {enrolled_on} at an age of {ages[-1]} years")
        return Person(
            enrolled_on,
            ages[-1] if age is None and ages else age,
            birth_date.year if birth_date else year,
            answers,
        )

    def _date(self, row: Sequence[str], name: str) -> dt.date | None:
        return _read_date(name, self.text(row, name), self._last_day)

    def _number(self, row: Sequence[str], name: str, least: int, most: int) -> int | None:
        return _read_number(name, self.text(row, name), least, most)

    def _answers(self, row: Sequence[str], name: str) -> Answers:
        if name not in self._place:
            return None
        text = row[self._place[name]]
        if text not in self._known:
            parts = [part.strip() for part in BETWEEN_ANSWERS.split(text)]
            told = {part.lower(): part for part in parts if part.lower() not in self._not_answered}
            self._known[text] = list(told.values()) or None
        return self._known[text]


def _possible_ages(
    enrolled_on: dt.date | None, birth_date: dt.date | None, year_of_birth: int | None
) -> tuple[int, ...]:
    """Completed years at enrolment, rising: one from a birth date, two from a year; none where not known."""
    if enrolled_on is None:
        return ()
    if birth_date is not None:
        before_birthday = (enrolled_on.month, enrolled_on.day) < (birth_date.month, birth_date.day)
        return (enrolled_on.year - birth_date.year - before_birthday,)
    if year_of_birth is None:
        return ()
    years = enrolled_on.year - year_of_birth
    return (years - 1, years)


@cache
def _read_date(name: str, text: str | None, last_day: dt.date) -> dt.date | None:
    if text is None:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        date = dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name} {text!r} is not a date as YYYY-MM-DD") from None
    if date.year < FIRST_YEAR or date > last_day:
        raise ValueError(f"{name} {text} is not between {FIRST_YEAR} and today")
    return date


@cache
def _read_number(name: str, text: str | None, least: int, most: int) -> int | None:
    """A number without its decimals, as an age of 45.9 years is 45 completed ones."""
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]+)?", text) or not least <= int(float(text)) <= most:
        raise ValueError(f"{name} {text!r} is not a number from {least} to {most}")
    return int(float(text))
