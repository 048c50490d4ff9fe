"""Products of associations: tests with enough copies of both alleles among cases and among controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from allofus_spark.published import ALL
from allofus_spark.release.counts import bounds_of_rounded, rounded_up, tells_of_few
from allofus_spark.release.people import Rows, Small
from allofus_spark.settings import ReleaseSettings
from allofus_spark.tables.association_tables import META

_SIZES = ("n", "n_cases", "n_controls")
_SCANNED = ("scan", "phenotype_id", "ancestry")
_KEY = ("scan", "phenotype_id", "contig", "position", "ref", "alt")
TESTED = "tested"


@dataclass(frozen=True)
class Summaries:
    """Rows of ``association_summaries`` to show, and the scans whose sample sizes may be, as a frame."""

    small: Small
    scans: DataFrame


def summary_rows(
    summaries: Iterable[Any], sizes: Mapping[str, int | None], rules: ReleaseSettings, spark: SparkSession
) -> Summaries:
    """Sample sizes rounded up; a scan of which they would tell of 1..floor people is left out."""
    exact = rules.policy.association_summaries == "exempt"
    rows: Rows = []
    scans = []
    n_withheld = 0
    for row in sorted(summaries, key=lambda each: [each[name] for name in _SCANNED]):
        size = sizes.get(ALL if row.ancestry == META else row.ancestry)
        rounded = {name: _rounded(row[name], rules.round_to) for name in _SIZES}
        if _sizes_tell(rounded, size, rules):
            n_withheld += 1
            if not exact:
                continue
        else:
            scans.append(tuple(row[name] for name in _SCANNED))
        kept = ("kind", "status", "n_tested", "n_genome_wide", "lambda_gc", "neg_log10_p_counts")
        own = {name: row[name] for name in (*_SCANNED, *kept)}
        rows.append({**own, **({name: row[name] for name in _SIZES} if exact else rounded)})
    frame = spark.createDataFrame(scans, ", ".join(f"{name} string" for name in _SCANNED))
    return Summaries(Small(rows, {"rows": 0 if exact else n_withheld}), frame)


def _rounded(count: int | None, round_to: int) -> int | None:
    return None if count is None else rounded_up(count, round_to)


def _sizes_tell(rounded: Mapping[str, int | None], size: int | None, rules: ReleaseSettings) -> bool:
    whole = bounds_of_rounded(rounded["n"] or 0, rules.round_to)
    parts = [rounded[name] for name in ("n_cases", "n_controls")]
    bounds = [bounds_of_rounded(part, rules.round_to) for part in parts if part is not None]
    return tells_of_few(bounds or [whole], size, rules.floor, whole=whole)


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


def releasable(associations: DataFrame, scans: DataFrame, rules: ReleaseSettings) -> DataFrame:
    """Tested rows of ``associations`` that may be shown; ``scans`` are those of `Summaries`."""
    tested = associations.where(F.col("status") == "ok")
    if rules.policy.associations == "exempt":
        return tested
    return tested.where(enough_copies(rules.floor)).join(F.broadcast(scans), list(_SCANNED), "left_semi")


def with_sizes(rows: DataFrame, rules: ReleaseSettings, *, exact: bool) -> DataFrame:
    """Sample sizes as the product has them: rounded up, or as they are."""
    step = rules.round_to
    sizes = {
        name: F.col(name).cast("long") if exact else F.ceil(F.col(name) / step).cast("long") * step
        for name in _SIZES
    }
    return rows.withColumns(sizes)


def meta_rows(metas: DataFrame, shown: DataFrame, scans: DataFrame, rules: ReleaseSettings) -> DataFrame:
    """Rows of ``meta_associations`` each of whose ancestries ``shown`` has. Grain: as metas."""
    if rules.policy.meta_associations == "exempt":
        return metas
    key = list(_KEY)
    there = shown.where(F.col("ancestry") != ALL).groupBy(*key).agg(F.collect_set("ancestry").alias("there"))
    of_meta = scans.where(F.col("ancestry") == META).select("scan", "phenotype_id")
    kept = metas.join(F.broadcast(of_meta), ["scan", "phenotype_id"], "left_semi").join(there, key)
    return kept.where(F.size(F.array_except("ancestries", "there")) == 0).drop("there")


def replication_rows(replications: DataFrame, shown: DataFrame, rules: ReleaseSettings) -> DataFrame:
    """Rows of ``replications``; numbers only where ``shown`` has the association."""
    key = ["scan", "phenotype_id", "ancestry", "contig", "position", "ref", "alt"]
    # Few known associations among many tests: what of the tests is looked for goes along with them.
    looked_for = F.broadcast(replications.select(*key).distinct())
    found = shown.select(*key).join(looked_for, key, "left_semi").withColumn("there", F.lit(True))
    rows = replications.join(found, key, "left")
    may = F.coalesce("there", F.lit(False)) | F.lit(rules.policy.replications == "exempt")
    tested = F.col("status") == TESTED
    numbers = ("odds_ratio", "lower95", "upper95", "neg_log10_p")
    return rows.withColumns(
        {
            **{name: F.when(may, F.col(name)) for name in numbers},
            "is_withheld": tested & ~may,
        }
    )
