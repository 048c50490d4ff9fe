"""Known associations looked up in a scan: their alleles, the people behind them, and what can be judged.

Frames of a map are small and are broadcast: tables keyed by variant are read in the partitions of its
variants, and are not shuffled.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.regression.models import SCANNED
from allofus_spark.tables import ALLELE_KEY
from allofus_spark.tables.association_tables import META, OK
from allofus_spark.tables.phenotype_tables import BINARY_KIND
from allofus_spark.tables.replication_tables import (
    NOT_BINARY,
    NOT_IN_CALLSET,
    NOT_TESTED,
    PHENOTYPE_NOT_SCANNED,
    TESTED,
    TOO_FEW_CASES,
    VARIANT_NOT_SCANNED,
)

_KNOWN = ("map_name", "map_version", "association_id", "phenotype_id", "category", *ALLELE_KEY)
_USED = ("risk_allele_dir", "alt_frequencies")
_RENAMED = ("ancestry", "odds_ratio", "lower95", "upper95")
_TEST = ("beta", "se", "neg_log10_p", "af")


def match_alleles_of(known: DataFrame, variants: DataFrame) -> DataFrame:
    """Known associations with the alleles under which the callsets have their variant. Grain: association.

    What is known of ancestry and odds ratio is in ``known_ancestry``, ``known_odds_ratio`` and so on.
    ``ref`` and ``alt`` become those of the callsets; ``is_swapped`` says that the map has them the other way
    round, null that the callsets have neither. As they are written goes before swapped.
    """
    as_written = known.select("association_id", *ALLELE_KEY, F.lit(False).alias("is_swapped"))
    turned = {"ref": F.col("alt"), "alt": F.col("ref"), "is_swapped": F.lit(True)}
    keys = F.broadcast(as_written.unionByName(as_written.withColumns(turned)))
    found = variants.select(*ALLELE_KEY).join(keys, [*ALLELE_KEY])
    best = found.groupBy("association_id").agg(F.min("is_swapped").alias("is_swapped"))
    there = F.coalesce("is_swapped", F.lit(False))
    renamed = (F.col(name).alias(f"known_{name}") for name in _RENAMED)
    used = known.select(*_KNOWN, *_USED, *renamed)
    return used.join(F.broadcast(best), "association_id", "left").withColumns(
        {
            "ref": F.when(there, F.col("alt")).otherwise(F.col("ref")),
            "alt": F.when(there, F.col("ref")).otherwise(F.col("alt")),
        }
    )


def look_up(
    matched: DataFrame, associations: DataFrame, summaries: DataFrame, *, min_cases: int
) -> DataFrame:
    """Known associations in every ancestry of a scan, with its test and what can be judged.

    Grain: association × ancestry. ``matched`` is as of `match_alleles_of`; ``associations`` and
    ``summaries`` are the scan's rows. ``status`` is of the statuses of replications, but that strands are
    not told yet; ``alt_frequency`` is the map's for the ancestry, by its own alt.
    """
    scanned = summaries.where(F.col("ancestry") != META).select(
        "phenotype_id", "ancestry", "kind", "n_cases", "n_controls", F.col("status").alias("scan_status")
    )
    grid = matched.crossJoin(F.broadcast(scanned.select("ancestry").distinct()))
    keys = F.broadcast(
        matched.where(F.col("is_swapped").isNotNull()).select("association_id", *ALLELE_KEY, "phenotype_id")
    )
    tests = associations.join(keys, [*ALLELE_KEY, "phenotype_id"]).select(
        "association_id", "ancestry", *_TEST, F.col("status").alias("test_status")
    )
    looked_up = grid.join(scanned, ["phenotype_id", "ancestry"], "left").join(
        tests, ["association_id", "ancestry"], "left"
    )
    status = _status(min_cases)
    return looked_up.withColumns(
        {
            "status": status,
            "not_tested_because": F.when(status == NOT_TESTED, F.col("test_status")),
            "alt_frequency": F.try_element_at("alt_frequencies", F.col("ancestry")),
        }
    )


def _status(min_cases: int) -> Column:
    return (
        F.when(F.col("is_swapped").isNull(), NOT_IN_CALLSET)
        .when(F.col("kind").isNull(), PHENOTYPE_NOT_SCANNED)
        .when(F.col("kind") != BINARY_KIND, NOT_BINARY)
        .when(F.col("n_cases") < min_cases, TOO_FEW_CASES)
        .when(F.col("scan_status") != SCANNED, PHENOTYPE_NOT_SCANNED)
        .when(F.col("test_status").isNull(), VARIANT_NOT_SCANNED)
        .when(F.col("test_status") != OK, NOT_TESTED)
        .otherwise(TESTED)
    )


def thinned(replications: DataFrame, associations: DataFrame, summaries: DataFrame) -> DataFrame:
    """Of what the scan has no row for, phenotypes and ancestries of which it does not store every variant.

    Grain: phenotype × ancestry. There a missing row may be a test that was not worth storing, and what is
    stored says nothing of rates.
    """
    pair = ["phenotype_id", "ancestry"]
    missing = replications.where(F.col("status") == VARIANT_NOT_SCANNED).select(*pair).distinct()
    stored = (
        associations.join(F.broadcast(missing), pair).groupBy(*pair).agg(F.count(F.lit(1)).alias("stored"))
    )
    counts = F.expr("aggregate(map_values(n_by_status), 0L, (sum, n) -> sum + n)").alias("computed")
    computed = summaries.join(F.broadcast(missing), pair).select(*pair, counts)
    both = computed.join(stored, pair, "left")
    return both.where(F.coalesce("stored", F.lit(0)) < F.col("computed")).select(*pair)
