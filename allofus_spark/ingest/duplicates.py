"""Alleles of one callset that reach the same key from several records.

With identical calls they are one allele written twice and collapse; with different calls nothing says which
is right, so none is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

NORMALISED_KEY = ("contig", "position", "ref", "alt")
LOCATOR = ("source_file", "source_offset", "input_allele")
_CALLS = ("het_index", "hom_alt_index", "missing_index", "calls")
# What the site says decides which of the identical ones stays, so that the order of records does not.
_CONTENT = (
    "qual",
    "filters",
    "input_id",
    "input_position",
    "input_ref",
    "input_alts",
    "input_allele",
    "n_alts",
)


@dataclass(frozen=True)
class Duplicates:
    """Locators of rows to leave out: collapsed into an identical one, or refused with all of their key.

    Both are cached; ``forget`` frees them.
    """

    collapsed: DataFrame
    refused: DataFrame

    def counters(self) -> dict[str, int]:
        return {
            "alleles_collapsed": self.collapsed.count(),
            "alleles_refused_duplicate": self.refused.count(),
        }

    def forget(self) -> None:
        self.collapsed.unpersist()
        self.refused.unpersist()


def find_duplicates(alleles: DataFrame) -> Duplicates | None:
    """Rows of keys that stand more than once; None where there are none, found from the key columns alone."""
    repeated = alleles.groupBy(*NORMALISED_KEY).count().where("count > 1").drop("count").cache()
    try:
        return None if repeated.isEmpty() else _divide(alleles, repeated)
    finally:
        repeated.unpersist()


def _divide(alleles: DataFrame, repeated: DataFrame) -> Duplicates:
    """The rows of repeated keys, by whether their calls agree. Joins many rows to one key."""
    rows = alleles.join(F.broadcast(repeated), list(NORMALISED_KEY), "left_semi")
    calls = rows.groupBy(*NORMALISED_KEY).agg(F.count_distinct(F.struct(*_CALLS)).alias("n_calls"))
    judged = rows.join(F.broadcast(calls), list(NORMALISED_KEY))
    kept = F.min(_locator_by_content()).over(Window.partitionBy(*NORMALISED_KEY))
    locators = judged.withColumn("kept", kept).withColumn("own", _locator_by_content())
    return Duplicates(
        collapsed=locators.where("n_calls = 1 AND own <> kept").select(*LOCATOR).cache(),
        refused=locators.where("n_calls > 1").select(*LOCATOR).cache(),
    )


def _locator_by_content() -> Column:
    return F.struct(*_CONTENT, *LOCATOR)
