"""Answers to what they say: under-represented in a category, not, or unknown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.representation.definitions import NO, SEXES, YES, Definitions
from allofus_spark.representation.incomes import income_range
from allofus_spark.tables.person_tables import AGE, ALL_ANSWERS, ANY, QUESTIONS, UNKNOWN_MONTH, UNRECOGNISED

UNDER_REPRESENTED, NOT, UNKNOWN = "under_represented", "not", "unknown"


def judge(persons: DataFrame, definitions: Definitions) -> DataFrame:
    """One row for each person, category and answer, and one for each person and category with the answer all.

    ``persons`` have ``with_genomes`` besides their own columns. Rows have ``with_genomes``,
    ``enrolment_month``, ``category``, ``answer``, ``status`` and ``was_asked``.
    """
    told = {name: F.col(name) for name in QUESTIONS}
    statuses = {name: _status(told[name], definitions, name) for name in QUESTIONS}
    differs = _names_another_sex(told["gender_identity"], told["sex_at_birth"], definitions)
    statuses["gender_identity"] = F.when(differs, UNDER_REPRESENTED).otherwise(statuses["gender_identity"])
    age = F.col("age_at_enrolment_years")
    statuses[AGE] = age_status(age, definitions)
    answers = {name: _recognised(told[name], definitions.texts(name)) for name in QUESTIONS}
    answers[AGE] = F.array_compact(F.array(age_range(age, definitions)))
    month = F.coalesce(F.date_format("enrolled_on", "yyyy-MM"), F.lit(UNKNOWN_MONTH))
    # In steps, so that a status is worked out once and not wherever it is used.
    judged = _told(persons, definitions).select(
        "with_genomes",
        month.alias("enrolment_month"),
        "not_asked",
        *(status.alias(f"{name}_status") for name, status in statuses.items()),
        *(given.alias(f"{name}_answers") for name, given in answers.items()),
    )
    places = F.flatten(F.array(*(_places(name) for name in statuses), F.array(_any(list(statuses)))))
    return judged.select("with_genomes", "enrolment_month", F.inline(places))


def unrecognised_answers(persons: DataFrame, definitions: Definitions) -> DataFrame:
    """(category, answer, n): answers that the definitions do not know, in lower case, and how often given."""
    others = [
        F.transform(F.array_except(name, _texts(definitions.texts(name))), _with_category(name))
        for name in QUESTIONS
    ]
    given = _told(persons, definitions).select(F.inline(F.flatten(F.array(*others))))
    return given.groupBy("category", "answer").agg(F.count(F.lit(1)).alias("n"))


def age_status(age: Column, definitions: Definitions) -> Column:
    """Whether people of an age in years are under-represented."""
    outside = (age < definitions.under_age_years) | (age >= definitions.from_age_years)
    return F.when(age.isNull(), UNKNOWN).when(outside, UNDER_REPRESENTED).otherwise(NOT)


def age_range(age: Column, definitions: Definitions) -> Column:
    """The range of years that the limits make, such as ``18_to_64``; null where the age is."""
    under, least = definitions.under_age_years, definitions.from_age_years
    return (
        F.when(age < under, f"under_{under}")
        .when(age >= least, f"{least}_and_over")
        .when(age.isNotNull(), f"{under}_to_{least - 1}")
    )


def _status(told: Column, definitions: Definitions, category: str) -> Column:
    """One answer that is under-represented is enough; one that is not known leaves the others undecided."""
    return (
        F.when(_any_of(told, definitions.texts(category, YES)), UNDER_REPRESENTED)
        .when(_has_others(told, definitions.texts(category)), UNKNOWN)
        .when(_any_of(told, definitions.texts(category, NO)), NOT)
        .otherwise(UNKNOWN)
    )


def _names_another_sex(gender: Column, sex: Column, definitions: Definitions) -> Column:
    """Whether the gender identity names a sex that is not the one at birth, or both sexes."""
    known = definitions.texts("sex_at_birth")
    named, differs = [], []
    for name in SEXES:
        own = definitions.texts("sex_at_birth", sex=name)
        named.append(_any_of(gender, definitions.texts("gender_identity", sex=name)))
        differs.append(named[-1] & _any_of(sex, [answer for answer in known if answer not in own]))
    return reduce(lambda one, other: one & other, named) | reduce(lambda one, other: one | other, differs)


def _any_of(told: Column, texts: Sequence[str]) -> Column:
    return F.arrays_overlap(told, _texts(texts))


def _has_others(told: Column, texts: Sequence[str]) -> Column:
    return F.size(F.array_except(told, _texts(texts))) > 0


def _recognised(told: Column, known: Sequence[str]) -> Column:
    """Answers once each; those that are not known as one: their text stays with the person."""
    others = F.when(_has_others(told, known), _texts([UNRECOGNISED])).otherwise(_texts([]))
    return F.concat(F.array_intersect(told, _texts(known)), others)


def _texts(texts: Sequence[str]) -> Column:
    return F.array(*map(F.lit, texts)).cast("array<string>")


def _told(persons: DataFrame, definitions: Definitions) -> DataFrame:
    """Answers in lower case, an income that is a number as its range; an empty list where there is none."""
    told = {name: F.coalesce(F.transform(name, F.lower), _texts([])) for name in QUESTIONS}
    known, limit = definitions.texts("income"), definitions.under_income_usd

    def in_a_range(answer: Column) -> Column:
        return F.coalesce(F.when(~answer.isin(known), income_range(answer, limit)), answer)

    told["income"] = F.transform(told["income"], in_a_range)
    return persons.withColumns(told)


def _with_category(name: str) -> Callable[[Column], Column]:
    return lambda answer: F.struct(F.lit(name).alias("category"), answer.alias("answer"))


def _places(category: str) -> Column:
    """Structs of a person's rows in a category: one for all, and one for each answer."""
    status = F.col(f"{category}_status")
    was_asked = ~F.array_contains("not_asked", category)

    def place(answer: Column) -> Column:
        return F.struct(
            F.lit(category).alias("category"),
            answer.alias("answer"),
            status.alias("status"),
            was_asked.alias("was_asked"),
        )

    return F.concat(F.array(place(F.lit(ALL_ANSWERS))), F.transform(f"{category}_answers", place))


def _any(categories: Sequence[str]) -> Column:
    """A person's row in any category: unknown where none says yes and at least one is unknown."""
    statuses = F.array(*(F.col(f"{name}_status") for name in categories))
    status = (
        F.when(F.array_contains(statuses, UNDER_REPRESENTED), UNDER_REPRESENTED)
        .when(F.array_contains(statuses, UNKNOWN), UNKNOWN)
        .otherwise(NOT)
    )
    asked_and_unknown = [
        (F.col(f"{name}_status") == UNKNOWN) & ~F.array_contains("not_asked", name) for name in categories
    ]
    was_asked = (status != UNKNOWN) | reduce(lambda one, other: one | other, asked_and_unknown)
    return F.struct(
        F.lit(ANY).alias("category"),
        F.lit(ALL_ANSWERS).alias("answer"),
        status.alias("status"),
        was_asked.alias("was_asked"),
    )
