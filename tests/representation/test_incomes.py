"""Incomes that are written as numbers, and what is no such number."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from allofus_spark.representation.incomes import income_range, income_ranges

UNDER, OVER = income_ranges(25_000)
ANSWERS = {
    UNDER: (
        *("18000", "$18,000", "18k", "18,000.50 usd", "24999", "$10,000-$25,000", "10000 - 24999", "0-25000"),
        *("10-25k", "$10k to $25k", "10000–20000", "<$25k", "under 25,000", "less than $10,000", "<= 20000"),
    ),
    OVER: (
        *("25000", "$25,000", "250k", "999999", "$50,000-$75,000", "50000-75000", "25000 to 34999"),
        *("between 50,000 and 75,000", "$200,000+", "200k or more", ">$200,000", "more than 25k", ">= 25000"),
    ),
    None: (
        *("20000-30000", "under 30000", "<50k", "over 20000", "20000+", "75000-50000", "plenty"),
        # Codes, concept ids, other decimal points, and numbers that were run together.
        *("7", "18", "1585376", "25.000", "1,5000", "20 30", "10 20000", "-20000", "18000 eur", "5-7", "0"),
        *("1000000000000", ""),
    ),
}


@pytest.mark.parametrize("expected", ANSWERS)
def test_an_amount_is_on_one_side_of_the_limit_or_stays_as_it_is(
    expected: str | None, spark: SparkSession
) -> None:
    frame = spark.createDataFrame([(answer,) for answer in ANSWERS[expected]], "answer string")
    found = {
        row.answer: row.found
        for row in frame.select("answer", income_range(F.col("answer"), 25_000).alias("found")).collect()
    }
    assert found == dict.fromkeys(ANSWERS[expected], expected)
