"""Who is a case of a phecode, who a control, and who neither: rules over dates of codes.

A case has codes of the phecode, all of them together, on ``min_dates`` distinct dates or more; on fewer, but
one, somebody is excluded, as is who has a code of another phecode in the exclusion range and none of this
one. A phecode of one sex excludes everybody else, whatever their codes. All others are controls, and have no
row. Denny et al., Nat Biotechnol 2013;31:1102; Wu et al., JMIR Med Inform 2019;7:e14325.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.phenotypes.phecode_map import Phecode
from allofus_spark.tables.phenotype_tables import (
    BOTH_SEXES,
    CASE,
    EXCLUDED,
    EXCLUSION_RANGE,
    OTHER_SEX,
    SEX_NOT_KNOWN,
    TOO_FEW_DATES,
)


def dates_by_phecode(coded: DataFrame, people: DataFrame) -> DataFrame:
    """(person_id, sex, phecode, n_dates, first_date) of everybody of ``people`` with a code of a phecode."""
    # Rows are moved once, by person: what follows groups by person and more.
    dated = coded.where(F.col("phecodes").isNotNull()).select("person_id", "date", "phecodes")
    spread = dated.repartition("person_id").select(
        "person_id", "date", F.explode("phecodes").alias("phecode")
    )
    counted = (
        spread.distinct()
        .groupBy("person_id", "phecode")
        .agg(F.count(F.lit(1)).cast("int").alias("n_dates"), F.min("date").alias("first_date"))
    )
    return counted.join(people, "person_id")


def case_counts(dates: DataFrame, sexes: DataFrame, *, min_dates: int) -> dict[int, int]:
    """Cases by phecode."""
    cases = dates.where(F.col("n_dates") >= min_dates).join(F.broadcast(sexes), "phecode")
    found = cases.where(_can_have(F.col("of_sex"), F.col("sex"))).groupBy("phecode").count().collect()
    return {row.phecode: row["count"] for row in found}


def statuses(
    dates: DataFrame,
    people: DataFrame,
    sexes: DataFrame,
    excluded: DataFrame,
    *,
    min_dates: int,
) -> DataFrame:
    """(phecode, person_id, status, reason, n_dates, first_date) of whoever is no control.

    ``people`` are (person_id, sex), ``sexes`` (phecode, of_sex) of the phecodes to be told, and ``excluded``
    (phecode, of_phecode): a code of ``phecode`` keeps from being a control of ``of_phecode``.
    """
    sexes = F.broadcast(sexes)
    own = dates.join(sexes, "phecode").select(
        "person_id", "sex", "phecode", "of_sex", "n_dates", "first_date"
    )
    others = (
        dates.select("person_id", "sex", "phecode")
        .join(F.broadcast(excluded), "phecode")
        .select("person_id", "sex", F.col("of_phecode").alias("phecode"))
        .join(sexes, "phecode")
        .select(
            "person_id",
            "sex",
            "phecode",
            "of_sex",
            F.lit(None).cast("int").alias("n_dates"),
            F.lit(None).cast("date").alias("first_date"),
        )
    )
    both = (
        own.unionByName(others)
        .where(_can_have(F.col("of_sex"), F.col("sex")))
        .groupBy("person_id", "phecode")
        .agg(F.max("n_dates").alias("n_dates"), F.min("first_date").alias("first_date"))
    )
    is_case = F.coalesce(F.col("n_dates") >= min_dates, F.lit(False))
    reason = F.when(F.col("n_dates").isNull(), EXCLUSION_RANGE).when(~is_case, TOO_FEW_DATES)
    told = both.select(
        "phecode",
        "person_id",
        F.when(is_case, CASE).otherwise(EXCLUDED).alias("status"),
        reason.alias("reason"),
        "n_dates",
        "first_date",
    )
    return told.unionByName(_of_another_sex(people, sexes))


def sex_frame(people_frame: DataFrame, phecodes: Sequence[str], about: Mapping[str, Phecode]) -> DataFrame:
    """(phecode, of_sex) of the numbers of ``phecodes``."""
    rows = [(number, about[name].sex) for number, name in enumerate(phecodes)]
    return people_frame.sparkSession.createDataFrame(rows, "phecode int, of_sex string")


def exclusion_rows(
    names: Sequence[str], told: Collection[str], excluded: Mapping[str, Collection[str]]
) -> list[tuple[int, int]]:
    """(phecode, of_phecode) in numbers, for the phecodes that are told."""
    places = {name: place for place, name in enumerate(names)}
    return sorted(
        (places[other], places[name]) for name in told for other in excluded.get(name, ()) if other in places
    )


def _can_have(of_sex: Column, sex: Column) -> Column:
    return (of_sex == BOTH_SEXES) | F.coalesce(of_sex == sex, F.lit(False))


def _of_another_sex(people: DataFrame, sexes: DataFrame) -> DataFrame:
    """A row for everybody whose sex is not that of a phecode of one sex."""
    pairs = people.crossJoin(sexes).where(~_can_have(F.col("of_sex"), F.col("sex")))
    return pairs.select(
        "phecode",
        "person_id",
        F.lit(EXCLUDED).alias("status"),
        F.when(F.col("sex").isNull(), SEX_NOT_KNOWN).otherwise(OTHER_SEX).alias("reason"),
        F.lit(None).cast("int").alias("n_dates"),
        F.lit(None).cast("date").alias("first_date"),
    )
