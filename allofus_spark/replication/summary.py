"""Rows of ``replication_summary`` from rows of ``replications``."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.tables import REPLICATION_SUMMARY
from allofus_spark.tables.replication_tables import ALL_CATEGORIES, ANY, SAME, TESTED

NO_CATEGORY = "none"


def summarise(replications: DataFrame) -> DataFrame:
    """Counts and rates by ancestry, by where associations were found, and by category.

    Each association counts with all of the map, and once more with those found in the ancestry it is tested
    in; in its category, and in all of them.
    """
    is_own = F.col("known_ancestry") == F.col("ancestry")
    counted = replications.withColumn(
        "known_in", F.explode(F.when(is_own, F.array(F.lit(ANY), F.lit(SAME))).otherwise(F.array(F.lit(ANY))))
    ).withColumn(
        "category",
        F.explode(F.array(F.lit(ALL_CATEGORIES), F.coalesce("category", F.lit(NO_CATEGORY)))),
    )
    is_tested = F.col("status") == TESTED
    variant = F.struct("contig", "position", "ref", "alt")
    keys = ("scan", "map_name", "map_version", "ancestry", "known_in", "category")
    sums = counted.groupBy(*keys).agg(
        F.count(F.lit(1)).alias("known"),
        F.count_if(is_tested).alias("tested"),
        F.count_if("is_powered").alias("powered"),
        F.count_if("is_replicated").alias("replicated"),
        F.count_if(F.col("is_powered") & F.col("is_replicated")).alias("powered_replicated"),
        F.coalesce(F.sum("power"), F.lit(0.0)).alias("expected"),
        _distinct(variant, is_tested).alias("variants_tested"),
        _distinct(variant, F.col("is_replicated")).alias("variants_replicated"),
        _distinct(F.col("phenotype_id"), is_tested).alias("phenotypes_tested"),
        _distinct(F.col("phenotype_id"), F.col("is_replicated")).alias("phenotypes_replicated"),
    )
    rated = sums.withColumns(
        {
            "rr_all": F.try_divide("replicated", "tested"),
            "rr_power": F.try_divide("powered_replicated", "powered"),
            "aer": F.try_divide("replicated", "expected"),
        }
    )
    return rated.select(*(column.name for column in REPLICATION_SUMMARY.columns))


def _distinct(what: Column, where: Column) -> Column:
    return F.count_distinct(F.when(where, what))
