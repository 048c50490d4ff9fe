"""Alleles of one callset that reach the same key from several records.

With identical calls they are one allele written twice and collapse; with different calls nothing says which
is right, so none is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row, Window
from pyspark.sql import functions as F

NORMALISED_KEY = ("contig", "position", "ref", "alt")
RECORD = ("source_file", "source_offset")
LOCATOR = (*RECORD, "input_allele")
_CALLS = ("het_index", "hom_alt_index", "missing_index", "calls")
# What the site says decides which of the identical ones stays, so that the order of records does not.
_CONTENT = (
    "qual",
    "filters",
    "input_id",
    "input_position",
    "input_ref",
    "input_alts",
    "n_alts",
)


@dataclass(frozen=True)
class Duplicates:
    """Locators of rows to leave out: collapsed into an identical one, or refused with all of their key.

    ``records`` are those that lose all their alleles so: (source_file, state collapsed or refused, count).
    """

    collapsed: DataFrame
    refused: DataFrame
    counters: Mapping[str, int]
    records: Sequence[Row]


@contextmanager
def found_duplicates(alleles: DataFrame | None) -> Iterator[Duplicates | None]:
    """Rows of keys that stand more than once, kept in memory within the block; None where there are none.

    Found from the key columns alone. ``alleles`` None: the tasks saw that no key can stand twice.
    """
    if alleles is None:
        yield None
        return
    with ExitStack() as cached:
        repeated = _cached(alleles.groupBy(*NORMALISED_KEY).count().where("count > 1").drop("count"), cached)
        yield None if repeated.isEmpty() else _divide(alleles, repeated, cached)


def _cached(frame: DataFrame, until: ExitStack) -> DataFrame:
    until.callback(frame.unpersist)
    return frame.cache()


def _divide(alleles: DataFrame, repeated: DataFrame, cached: ExitStack) -> Duplicates:
    """The rows of repeated keys, by whether their calls agree. Joins many rows to one key."""
    rows = alleles.join(repeated, list(NORMALISED_KEY), "left_semi")
    calls = rows.groupBy(*NORMALISED_KEY).agg(F.count_distinct(F.struct(*_CALLS)).alias("n_calls"))
    judged = rows.join(calls, list(NORMALISED_KEY))
    kept = F.min(_locator_by_content()).over(Window.partitionBy(*NORMALISED_KEY))
    locators = judged.withColumn("kept", kept).withColumn("own", _locator_by_content())
    collapsed = _cached(locators.where("n_calls = 1 AND own <> kept").select(*LOCATOR), cached)
    refused = _cached(locators.where("n_calls > 1").select(*LOCATOR), cached)
    counters = {"alleles_collapsed": collapsed.count(), "alleles_refused_duplicate": refused.count()}
    return Duplicates(collapsed, refused, counters, _records_left_out(alleles, collapsed, refused).collect())


def _records_left_out(alleles: DataFrame, collapsed: DataFrame, refused: DataFrame) -> DataFrame:
    """(source_file, state, count) of the records of which no allele is kept; one refused allele decides."""
    out = collapsed.withColumn("refused", F.lit(0)).unionAll(refused.withColumn("refused", F.lit(1)))
    left_out = out.groupBy(*RECORD).agg(F.count("*").alias("n_out"), F.max("refused").alias("refused"))
    of_record = alleles.join(left_out, list(RECORD)).groupBy(*RECORD, "n_out", "refused").count()
    state = F.when(F.col("refused") == 1, "refused").otherwise("collapsed").alias("state")
    return of_record.where("count = n_out").groupBy("source_file", state).count()


def _locator_by_content() -> Column:
    return F.struct(*_CONTENT, *LOCATOR)
