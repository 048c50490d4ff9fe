"""Rows of ``representation`` from cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from allofus_spark.representation.statuses import NOT, UNDER_REPRESENTED, UNKNOWN
from allofus_spark.tables.person_tables import (
    ALL_ANSWERS,
    ANY,
    CATEGORIES,
    EVERYBODY,
    PEOPLE,
    TOTAL,
    UNKNOWN_MONTH,
    WITH_GENOMES,
    WITHOUT_GENOMES,
)

_NOT_ASKED = "not_asked"

Tally = Counter[str]
Place = tuple[str, str, str, str]
"""People, month, category and answer."""


class Cell(NamedTuple):
    """How many people there are of one combination."""

    with_genomes: bool
    enrolment_month: str
    category: str
    answer: str
    status: str
    was_asked: bool
    n: int


class RepresentationRow(NamedTuple):
    """A row of ``representation`` without its definitions; columns are described there."""

    people: str
    enrolment_month: str
    category: str
    answer: str
    n_people: int
    n_under_represented: int
    n_not: int
    n_unknown: int
    n_not_asked: int
    share_under_represented: float | None
    share_not: float | None
    share_unknown: float | None
    n_people_to_date: int | None
    n_under_represented_to_date: int | None
    share_under_represented_to_date: float | None


def representation_rows(cells: Iterable[Cell]) -> list[RepresentationRow]:
    """Rows of all people, months, categories and answers that anybody gave; zeros included, in order."""
    tallies: dict[Place, Tally] = {}
    answers: set[tuple[str, str]] = set()
    months: set[str] = set()
    for cell in cells:
        months.add(cell.enrolment_month)
        answers.add((cell.category, cell.answer))
        for people in (EVERYBODY, WITH_GENOMES if cell.with_genomes else WITHOUT_GENOMES):
            for month in (cell.enrolment_month, TOTAL):
                tally = tallies.setdefault((people, month, cell.category, cell.answer), Counter())
                tally[cell.status] += cell.n
                tally[_NOT_ASKED] += 0 if cell.was_asked else cell.n
    in_order = [month for month in sorted(months) if month != UNKNOWN_MONTH]
    rows = []
    for people in PEOPLE:
        for category in (ANY, *CATEGORIES):
            given = sorted(answer for name, answer in answers if name == category and answer != ALL_ANSWERS)
            for answer in (ALL_ANSWERS, *given):
                whole = tallies.get((people, TOTAL, category, answer), Counter())
                rows.append(_row((people, TOTAL, category, answer), whole, None))
                rows += _by_month(tallies, people, category, answer, in_order)
                if UNKNOWN_MONTH in months:
                    place = (people, UNKNOWN_MONTH, category, answer)
                    rows.append(_row(place, tallies.get(place, Counter()), None))
    return rows


def _by_month(
    tallies: dict[Place, Tally],
    people: str,
    category: str,
    answer: str,
    months: Iterable[str],
) -> Iterator[RepresentationRow]:
    to_date: Tally = Counter()
    for month in months:
        place = (people, month, category, answer)
        tally = tallies.get(place, Counter())
        to_date = to_date + tally
        yield _row(place, tally, to_date)


def _row(place: Place, tally: Tally, to_date: Tally | None) -> RepresentationRow:
    """``to_date`` counts the month and all before; None: not of a month."""
    n_people = _people(tally)
    n_to_date = None if to_date is None else _people(to_date)
    yes_to_date = None if to_date is None else to_date[UNDER_REPRESENTED]
    return RepresentationRow(
        *place,
        n_people=n_people,
        n_under_represented=tally[UNDER_REPRESENTED],
        n_not=tally[NOT],
        n_unknown=tally[UNKNOWN],
        n_not_asked=tally[_NOT_ASKED],
        share_under_represented=_share(tally[UNDER_REPRESENTED], n_people),
        share_not=_share(tally[NOT], n_people),
        share_unknown=_share(tally[UNKNOWN], n_people),
        n_people_to_date=n_to_date,
        n_under_represented_to_date=yes_to_date,
        share_under_represented_to_date=_share(yes_to_date, n_to_date),
    )


def _people(tally: Tally) -> int:
    return tally[UNDER_REPRESENTED] + tally[NOT] + tally[UNKNOWN]


def _share(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None
