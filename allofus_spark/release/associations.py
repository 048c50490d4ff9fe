"""Products of associations: tests with enough copies of both alleles among cases and among controls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.published import ALL
from allofus_spark.release.people import Rows, Small
from allofus_spark.settings import ReleaseSettings

_SIZES = ("n", "n_cases", "n_controls")
_SCANNED = ("scan", "phenotype_id", "ancestry")
_KEY = ("scan", "phenotype_id", "contig", "position", "ref", "alt")
TESTED, WITHHELD = "tested", "withheld"


def summary_rows(summaries: Iterable[Any], rules: ReleaseSettings) -> Small:
    """Rows of ``association_summaries`` to show, without how many were analysed.

    A scan leaves relatives out, the same of every phenotype: numbers of people analysed, even rounded, would
    tell how few they are when many phenotypes are held against each other.
    """
    exact = rules.policy.association_summaries == "exempt"
    rows: Rows = []
    for row in sorted(summaries, key=lambda each: [each[name] for name in _SCANNED]):
        kept = ("kind", "status", "n_tested", "n_genome_wide", "lambda_gc", "neg_log10_p_counts")
        own = {name: row[name] for name in (*_SCANNED, *kept)}
        rows.append({**own, **{name: row[name] if exact else None for name in _SIZES}})
    return Small(rows, {} if exact else {"sample_sizes": len(rows)})


def enough_copies(floor: int) -> Column:
    """Whether copies of alt and of ref are each more than ``floor`` among all, cases and controls."""
    # Who has no call may be of either: so many alleles at the least were called of each.
    not_called = 2 * F.col("n") - F.col("an")
    copies = [(F.col("ac"), F.col("an") - F.col("ac"))]
    for group in ("cases", "controls"):
        alleles, af = 2 * F.col(f"n_{group}") - not_called, F.col(f"af_{group}")
        copies.append((F.floor(af * alleles), F.floor((1 - af) * alleles)))
    conditions = [(alt > floor) & (ref > floor) for alt, ref in copies]
    quantitative = F.col("n_cases").isNull()
    return conditions[0] & (quantitative | F.coalesce(conditions[1] & conditions[2], F.lit(False)))


def releasable(associations: DataFrame, variants: DataFrame, rules: ReleaseSettings) -> DataFrame:
    """Tested rows of ``associations`` that may be shown, beside released ``variants``.

    That a row is there says that more than the floor carry its allele: only where the allele count of its
    ancestry is shown does that tell nothing of those withheld.
    """
    tested = associations.where(F.col("status") == "ok")
    if rules.policy.associations == "exempt":
        return tested
    key = ["contig", "position", "ref", "alt"]
    counted = tested.where(enough_copies(rules.floor)).join(variants.select(*key, "withheld"), key)
    return counted.where(~F.array_contains("withheld", F.col("ancestry"))).drop("withheld")


def with_sizes(rows: DataFrame, *, exact: bool) -> DataFrame:
    """Sample sizes as they are where the product is exempt, else none."""
    sizes = {name: F.col(name).cast("long") if exact else F.lit(None).cast("long") for name in _SIZES}
    return rows.withColumns(sizes)


def meta_rows(metas: DataFrame, shown: DataFrame, rules: ReleaseSettings) -> DataFrame:
    """Rows of ``meta_associations`` each of whose ancestries ``shown`` has. Grain: as metas."""
    if rules.policy.meta_associations == "exempt":
        return metas
    key = list(_KEY)
    there = shown.where(F.col("ancestry") != ALL).groupBy(*key).agg(F.collect_set("ancestry").alias("there"))
    kept = metas.join(there, key)
    return kept.where(F.size(F.array_except("ancestries", "there")) == 0).drop("there")


def replication_rows(replications: DataFrame, shown: DataFrame, rules: ReleaseSettings) -> DataFrame:
    """Rows of ``replications``; numbers only where ``shown`` has the association."""
    key = ["scan", "phenotype_id", "ancestry", "contig", "position", "ref", "alt"]
    # Few known associations among many tests: what of the tests is looked for goes along with them.
    looked_for = F.broadcast(replications.select(*key).distinct())
    found = shown.select(*key).join(looked_for, key, "left_semi").withColumn("there", F.lit(True))
    rows = replications.join(found, key, "left")
    may = F.coalesce("there", F.lit(False)) | F.lit(rules.policy.replications == "exempt")
    # Whether an allele is tested or too rare to be tells of its carriers as well.
    looked_at = F.col("status").isin(TESTED, "not_tested")
    numbers = ("odds_ratio", "lower95", "upper95", "neg_log10_p", "is_powered", "is_replicated")
    return rows.withColumns(
        {
            **{name: F.when(may, F.col(name)) for name in numbers},
            "status": F.when(looked_at & ~may, WITHHELD).otherwise(F.col("status")),
            "is_withheld": looked_at & ~may,
        }
    )
