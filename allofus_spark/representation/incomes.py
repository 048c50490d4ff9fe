"""Incomes that are written as numbers: amounts and ranges of US dollars a year.

Only what can hardly mean anything else is read. Amounts under 1,000 may be codes or thousands, and bare
numbers from 1,000,000 concept ids; both stay as they are written.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

_NUMBER = r"(\d{1,9})(?:\.\d\d)?"
_BELOW = rf"^(?:<=?|under|lessthan|below|upto){_NUMBER}$"
_FROM = rf"^(?:>=?|over|morethan|above|atleast){_NUMBER}$"
_OR_MORE = rf"^{_NUMBER}(?:\+|ormore|orover|orabove|andover|andabove)$"
_RANGE = rf"^(?:between|from)?{_NUMBER}(?:-|–|—|to|and){_NUMBER}$"
_LEAST_AMOUNT, _MOST_BARE_AMOUNT = 1_000, 999_999


def income_ranges(under_income_usd: int) -> tuple[str, str]:
    """The names of the two ranges that a limit makes.

    >>> income_ranges(25_000)
    ('under_25000_usd', '25000_usd_and_over')
    """
    return f"under_{under_income_usd}_usd", f"{under_income_usd}_usd_and_over"


def income_range(answer: Column, under_income_usd: int) -> Column:
    """The range that an answer in lower case lies in as a whole; null where it lies in both, or is no number.

    A range is under the limit where its upper end is not above it, and a bare amount where it is below.
    """
    # Through an array, so that the text is made once and not wherever it is used.
    return F.transform(F.array(_plain(answer)), lambda text: _range_of(text, under_income_usd))[0]


def _range_of(text: Column, under_income_usd: int) -> Column:
    bare = _amount(text, f"^{_NUMBER}$")
    bare = F.when(bare <= _MOST_BARE_AMOUNT, bare)
    least, most = _amount(text, _RANGE, 1, or_zero=True), _amount(text, _RANGE, 2)
    rises = least < most
    below, above = income_ranges(under_income_usd)
    limit = F.lit(under_income_usd)
    return (
        F.when((bare < limit) | (_amount(text, _BELOW) <= limit) | (rises & (most <= limit)), below)
        .when(bare >= limit, above)
        .when((_amount(text, _FROM) >= limit) | (_amount(text, _OR_MORE) >= limit), above)
        .when(rises & (least >= limit), above)
    )


def _plain(answer: Column) -> Column:
    """Without signs of money, blanks beside other signs and commas between thousands; 25k is 25000."""
    for pattern, by in (
        (r"us\$|usd|dollars|\$", ""),
        (r"(?<!\d)\s+|\s+(?!\d)", ""),
        (r"(?<=\d),(?=\d{3}(?!\d))", ""),
        (r"^(\d{1,3})(-|–|—|to)(\d{1,3}k)$", "$1k$2$3"),
        (r"(?<![.\d])(\d{1,4})k(?=$|[^a-z\d]|to|and|or)", "$1000"),
    ):
        answer = F.regexp_replace(answer, pattern, by)
    return answer


def _amount(text: Column, pattern: str, group: int = 1, *, or_zero: bool = False) -> Column:
    """The number of a pattern; null where the text is another, or the amount too small to be one."""
    number = F.nullif(F.regexp_extract(text, pattern, group), F.lit("")).cast("long")
    is_amount = number >= _LEAST_AMOUNT
    return F.when(is_amount | (number == 0) if or_zero else is_amount, number)
