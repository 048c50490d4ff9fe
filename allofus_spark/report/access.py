"""How long researchers wait for access."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from allofus_spark.pages import decimal, interval, words
from allofus_spark.published import ALL
from allofus_spark.report.released import Released, Row

_MAIN = "registered_to_access"


@dataclass(frozen=True)
class Wait:
    """Hours of one step or month; the numbers are None where too few researchers are counted."""

    name: str
    n: int
    median: float | None
    lower: float | None
    upper: float | None
    bar: Markup


def waits(released: Released) -> tuple[list[Wait], list[Wait]]:
    """By step of all months, and by month from registration to access."""
    if not released.has("access_times"):
        return [], []
    rows = released.rows("SELECT * FROM access_times ORDER BY step <> ?, step, month", _MAIN)
    steps = [row for row in rows if row["month"] == ALL]
    months = [row for row in rows if row["month"] != ALL and row["step"] == _MAIN]
    return _waits(steps, "step"), _waits(months, "month")


def _waits(rows: list[Row], label: str) -> list[Wait]:
    longest = max((row["upper_quartile_hours"] or 0.0 for row in rows), default=0.0)
    return [_wait(row, words(row[label]), longest) for row in rows]


def _wait(row: Row, name: str, longest: float) -> Wait:
    lower, median, upper = (row[f"{part}_hours"] for part in ("lower_quartile", "median", "upper_quartile"))
    bar = Markup("")
    if median is not None and longest:
        bar = interval((lower or 0) / longest, median / longest, (upper or median) / longest)
    return Wait(name, row["n_researchers"], median, lower, upper, bar)


def access_sentence(steps: list[Wait]) -> str:
    """The median and quartiles of the whole way."""
    if not steps or steps[0].median is None:
        return "Too few researchers are counted for a median to be shown."
    first = steps[0]
    return (
        f"From {first.name}, half of researchers waited {decimal(first.median)} hours or less, and the "
        f"middle half {decimal(first.lower)} to {decimal(first.upper)} hours."
    )
