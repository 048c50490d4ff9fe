"""Variants counted by everything that a summary is made by, in one pass.

A cell is one combination of ancestry, frequency class, type, consequence, status and flags. There are some
thousands of cells however many variants there are, so that the driver can add them up.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.tables import ALLELE_KEY

EVERYBODY = "all"
SINGLETON = "singleton"


class Cell(NamedTuple):
    """How many alleles there are of one combination.

    ``type`` None: not in ``variants``; ``term`` None: no row in ``consequences``; ``status`` None: none in
    ``novelty``.
    """

    ancestry: str
    frequency: str
    type: str | None
    term: str | None
    status: str | None
    coding: bool
    passing: bool
    n: int


def count_cells(
    frequencies: DataFrame,
    variants: DataFrame,
    novelty: DataFrame,
    consequences: DataFrame,
    passing: DataFrame,
    *,
    groups: Sequence[str],
    bounds: Sequence[float],
) -> DataFrame:
    """Rows as of `Cell`: every allele once for each ancestry that carries it, and for everybody.

    Joins narrow columns one to one, on the key of alleles; ``consequences`` are first made one row an allele.
    ``passing`` has the keys of the alleles at passing sites.
    """
    key = list(ALLELE_KEY)
    alleles = (
        frequencies.select(*key, _present_in(groups, bounds).alias("present"))
        .where(F.size("present") > 0)
        .join(variants.select(*key, F.col("variant_type").alias("type")), key, "left")
        .join(novelty.select(*key, "status"), key, "left")
        .join(_effects(consequences), key, "left")
        .join(passing.select(*key, F.lit(True).alias("passed")), key, "left")
    )
    once_an_ancestry = alleles.select(
        F.inline("present"),
        "type",
        "term",
        "status",
        F.coalesce("coding", F.lit(False)).alias("coding"),
        F.coalesce("passed", F.lit(False)).alias("passing"),
    )
    by = [name for name in Cell._fields if name != "n"]
    return once_an_ancestry.groupBy(*by).agg(F.count(F.lit(1)).alias("n"))


def _effects(consequences: DataFrame) -> DataFrame:
    """The most severe term of each allele (empty: not annotated), and whether any transcript is coding."""
    first = F.when(F.size("terms") > 0, F.element_at("terms", 1)).otherwise("")
    return consequences.groupBy(*ALLELE_KEY).agg(
        F.max(F.when(F.col("is_most_severe"), first)).alias("term"), F.max("is_coding").alias("coding")
    )


def _present_in(groups: Sequence[str], bounds: Sequence[float]) -> Column:
    """Ancestries in which the allele count is above 0, each with its class of frequency."""
    sources = {EVERYBODY: "overall", **{group: group for group in groups}}
    every = F.array(
        *(
            F.struct(
                F.lit(ancestry).alias("ancestry"),
                F.when(F.col(f"{source}.ac") > 0, frequency_class(source, bounds)).alias("frequency"),
            )
            for ancestry, source in sources.items()
        )
    )
    return F.filter(every, lambda item: item["frequency"].isNotNull())


def frequency_class(source: str, bounds: Sequence[float]) -> Column:
    """Class of a carried allele's frequency struct; a class has its lower bound, not its upper."""
    first, *others, last = frequency_classes(bounds)
    named = zip(bounds, others, strict=True)
    of_af = reduce(
        lambda so_far, pair: so_far.when(F.col(f"{source}.af") < pair[0], pair[1]),
        named,
        F.when(F.col(f"{source}.ac") == 1, first),
    )
    return of_af.otherwise(last)


def frequency_classes(bounds: Sequence[float]) -> list[str]:
    """Names of the classes, rarest first.

    >>> frequency_classes([0.0001, 0.01])
    ['singleton', '<0.0001', '0.0001-0.01', '>=0.01']
    """
    written = [np.format_float_positional(bound, trim="-") for bound in bounds]
    between = [f"{low}-{high}" for low, high in pairwise(written)]
    return [SINGLETON, f"<{written[0]}", *between, f">={written[-1]}"]
