"""Rows of ``variants``: every allele that a callset has, and the callset that was the first to carry it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import batch_of
from allofus_spark.genome import variant_ids, variant_types
from allofus_spark.tables import (
    ALLELE_KEY,
    CALLSETS,
    VARIANT_SITES,
    VARIANTS,
    ArrowWrite,
    Partition,
    Run,
    partitions_predicate,
)


def variants_write(run: Run, partitions: Collection[Partition]) -> ArrowWrite:
    """``variants`` of some partitions made anew from ``variant_sites`` as it lies."""
    predicate = partitions_predicate(partitions)
    sites = run.read(VARIANT_SITES).where(predicate)
    firsts = first_carriers(sites, run.read(CALLSETS)).sortWithinPartitions(*VARIANTS.order)
    return ArrowWrite(firsts, variant_batches, [(VARIANTS, predicate)])


def first_carriers(sites: DataFrame, callsets: DataFrame) -> DataFrame:
    """(allele key, first_callset_id) of ``variant_sites`` rows: the callset with the lowest (date, id).

    One shuffle, by table partition: grouping needs no other, and a partition's rows come into one file.
    """
    dated = sites.join(F.broadcast(callsets.select("callset_id", "callset_date")), "callset_id")
    carrier = F.min(F.struct("callset_date", "callset_id")).alias("carrier")
    firsts = dated.repartition("contig", "bin").groupBy(*ALLELE_KEY).agg(carrier)
    return firsts.select(*ALLELE_KEY, F.col("carrier.callset_id").alias("first_callset_id"))


def variant_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Rows of ``variants`` from (allele key, first_callset_id)."""
    for batch in batches:
        if batch.num_rows:
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            yield VARIANTS.name, variant_rows(columns)


def variant_rows(columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """Rows of ``variants`` from the columns of the allele key and first_callset_id."""
    ref, alt = columns["ref"], columns["alt"]
    made = {
        **columns,
        "variant_id": variant_ids(columns["contig"], columns["position"], ref, alt),
        "variant_type": variant_types(ref, alt),
    }
    return batch_of(VARIANTS.schema.names, made)
