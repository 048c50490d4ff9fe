"""What each partition of ``variants`` holds, and whether novelty was flagged of just that."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import functions as F

from allofus_spark.errors import BadSource
from allofus_spark.tables import NOVELTY, VARIANTS, Partition, Run, content_hash, recorded_inputs


@dataclass(frozen=True)
class VariantPartition:
    """One (contig, bin): a fingerprint of its alleles, and the callsets that first had them."""

    fingerprint: str
    callset_ids: tuple[str, ...]


def variant_partitions(run: Run) -> dict[Partition, VariantPartition]:
    """Every partition that has alleles; one pass over the key columns."""
    found = run.read(VARIANTS).groupBy("contig", "bin").agg(
        F.count(F.lit(1)).alias("rows"),
        content_hash("position", "ref", "alt", "first_callset_id").alias("content"),
        F.sort_array(F.collect_set("first_callset_id")).alias("callset_ids"),
    )  # fmt: skip
    return {
        (row.contig, row.bin): VariantPartition(f"{row.rows}:{row.content}", tuple(row.callset_ids))
        for row in found.orderBy("contig", "bin").collect()
    }


def check_flagged(run: Run, catalogue_set: str) -> None:
    """Raise BadSource unless every allele of the cohort has a row in ``novelty`` against the set."""
    recorded = recorded_inputs(run, NOVELTY.name, catalogue_set)
    today = variant_partitions(run)
    others = [
        place
        for place, partition in today.items()
        if recorded.get(place, {}).get("variants") != partition.fingerprint
    ]
    if others:
        raise BadSource(
            f"the variants of {len(others)} of {len(today)} partitions are not those that catalogue set "
            f"{catalogue_set} was last held against; run flag-novelty first"
        )
