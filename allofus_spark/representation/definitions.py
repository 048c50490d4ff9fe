"""Which answers make a person under-represented in biomedical research: read from a table, not from code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from allofus_spark.delimited import read_text, split_rows
from allofus_spark.errors import BadSource, shown
from allofus_spark.representation.incomes import income_ranges
from allofus_spark.settings import RepresentationSettings
from allofus_spark.tables.person_tables import ALL_ANSWERS, BETWEEN_ANSWERS, QUESTIONS, UNRECOGNISED

YES, NO, NEITHER = "yes", "no", "neither"
SEXES = ("female", "male")
_COLUMNS = ["category", "answer", "under_represented", "sex", "source"]


@dataclass(frozen=True)
class Definition:
    """What one answer means. ``answer`` is in lower case; ``sex`` the one of SEXES that it names, if any."""

    category: str
    answer: str
    under_represented: str
    sex: str


@dataclass(frozen=True)
class Definitions:
    """All definitions with the limits; ``sha256`` is over both.

    ``answers`` end with the ranges of incomes that are written as numbers.
    """

    version: str
    sha256: str
    answers: tuple[Definition, ...]
    under_age_years: int
    from_age_years: int
    under_income_usd: int

    def texts(self, category: str, under_represented: str | None = None, sex: str | None = None) -> list[str]:
        """Answers of a category, all of them or those that mean this."""
        return [
            item.answer
            for item in self.answers
            if item.category == category
            if under_represented is None or item.under_represented == under_represented
            if sex is None or item.sex == sex
        ]


def own_definitions() -> Path:
    """The file of the package's definitions."""
    return Path(str(files(__package__).joinpath("data", "definitions.tsv")))


def read_definitions(settings: RepresentationSettings) -> Definitions:
    """The definitions of the settings; raises BadSource naming every line that cannot be understood."""
    path = settings.definitions_file
    if path is None:
        path = "definitions.tsv"
        text = own_definitions().read_text(encoding="utf-8")
    else:
        text = read_text(path)
    answers = tuple(_understood(path, text, settings.not_answered))
    if not answers:
        raise BadSource(f"{path}: a header and no definitions; add a line for each answer")
    limits = (settings.under_age_years, settings.from_age_years, settings.under_income_usd)
    answers += _of_income_ranges(settings.under_income_usd)
    said = [[item.category, item.answer, item.under_represented, item.sex] for item in answers]
    digest = hashlib.sha256(json.dumps([sorted(said), limits]).encode()).hexdigest()
    return Definitions(settings.definitions_version, digest, answers, *limits)


def _of_income_ranges(under_income_usd: int) -> tuple[Definition, ...]:
    below, above = income_ranges(under_income_usd)
    return Definition("income", below, YES, ""), Definition("income", above, NO, "")


def _understood(path: str, text: str, not_answered: Collection[str]) -> Iterator[Definition]:
    rows = [
        (number, row)
        for number, row in split_rows(path, text, "\t")
        if any(row) and not row[0].startswith("#")  # a comment can hold anything
    ]
    if not rows or rows[0][1] != _COLUMNS:
        raise BadSource(f"{path}: its header must be {', '.join(_COLUMNS)}, with tabs between")
    seen: dict[tuple[str, str], int] = {}
    problems = []
    for number, row in rows[1:]:
        problem = _problem(row, not_answered)
        if problem is None:
            definition = Definition(row[0], row[1].strip().lower(), *row[2:4])
            place = (definition.category, definition.answer)
            if place not in seen:
                seen[place] = number
                yield definition
                continue
            problem = f"{row[0]} {row[1]} is on line {seen[place]} too"
        problems.append(f"line {number}: {problem}")
    if problems:
        raise BadSource(f"{path}: {len(problems)} lines are not understood: {shown(problems)}")


def _problem(row: list[str], not_answered: Collection[str]) -> str | None:
    """What is wrong with a line, if anything."""
    if len(row) != len(_COLUMNS):
        return f"{len(row)} fields, not {len(_COLUMNS)}"
    category, answer, under_represented, sex, _ = row
    if category not in QUESTIONS:
        return f"category {category!r} is not one of {', '.join(QUESTIONS)}"
    if answer.strip().lower() in ("", ALL_ANSWERS, UNRECOGNISED):
        return f"answer {answer!r} cannot be defined"
    if answer.strip().lower() in not_answered:
        return f"answer {answer!r} is none, by representation.not_answered"
    if BETWEEN_ANSWERS.search(answer):
        return f"answer {answer!r} is read as several: it has a ; or |"
    if under_represented not in (YES, NO, NEITHER):
        return f"under_represented {under_represented!r} is not {YES}, {NO} or {NEITHER}"
    if sex not in ("", *SEXES):
        return f"sex {sex!r} is not {', '.join(SEXES)} or empty"
    return None
