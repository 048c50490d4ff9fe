"""Genotypes without who withdrew, one callset at a time, and what that changes in the tables beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from allofus_spark.genotypes import rows_that_fit
from allofus_spark.genotypes.masking import mask_rows
from allofus_spark.tables import (
    ALLELE_COUNTS,
    ALLELE_KEY,
    GENOTYPES,
    VARIANT_SITES,
    ArrowWrite,
    Keys,
    Run,
    SideOutput,
    Write,
    rows_of_callset,
    rows_per_batch,
)
from allofus_spark.withdrawal.ledger import LedgerShare

GONE, SHARE = "gone_alleles", "share_of_ledger"
_GONE_TYPE = StructType([VARIANT_SITES.schema[name] for name in ALLELE_KEY])


@dataclass(frozen=True)
class MaskCalls:
    """Rows of ``genotypes`` of one callset without the calls of some slots; goes to the workers by pickle.

    Beside them come the alleles that only these slots carried, and with ``share`` what the slots had counted
    for in the ledger, for each allele that stays.
    """

    n_samples: int
    slots: tuple[int, ...]
    share: LedgerShare | None

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        for batch in batches:
            if not batch.num_rows:
                continue
            masked, stays = mask_rows(batch, self.n_samples, self.slots)
            yield GENOTYPES.name, masked
            yield GONE, batch.filter(pa.array(~stays)).select(list(ALLELE_KEY))
            if self.share is not None:
                yield SHARE, self.share.of(batch.filter(pa.array(stays)))


@dataclass(frozen=True)
class Masked:
    """What masking a callset left: alleles of it that are gone, and the slots' share of its ledger."""

    gone: DataFrame
    n_gone: int
    share: DataFrame | None


def mask_callset(
    run: Run, callset_id: str, n_samples: int, slots: tuple[int, ...], share: LedgerShare | None
) -> Masked:
    """Write the genotypes of a callset anew, and take alleles that are gone out of its ``variant_sites``."""
    run.progress(f"callset {callset_id}: {len(slots)} of {n_samples} samples become hom-ref everywhere")
    own = rows_of_callset(callset_id)
    held = run.read(GENOTYPES).where(own).select(*GENOTYPES.schema.names)
    aside = [SideOutput(GONE, _GONE_TYPE)]
    if share is not None:
        aside.append(SideOutput(SHARE, share_type()))
    rows = rows_that_fit(n_samples, run.warehouse.settings.ingest.batch_bytes)
    with rows_per_batch(run.warehouse.spark, rows):
        write = ArrowWrite(held, MaskCalls(n_samples, slots, share), [(GENOTYPES, own)], aside)
        made = run.write_beside(write)
    gone, n_gone = made[GONE].frame, made[GONE].count()
    if n_gone:
        sites = run.read(VARIANT_SITES).where(own)
        kept = sites.join(gone, list(ALLELE_KEY), "left_anti")
        run.write(Write(VARIANT_SITES, kept, own, Keys.HELD))
    run.counters.update(alleles_of_withdrawn_only=n_gone)
    owned = gone.withColumn("callset_id", F.lit(callset_id))
    return Masked(owned, n_gone, made[SHARE].frame if share is not None else None)


def share_type() -> StructType:
    """Columns of the share of the ledger: the allele, and the arrays of ``allele_counts``."""
    arrays = [field for field in ALLELE_COUNTS.schema if field.dataType.typeName() == "array"]
    return StructType([*_GONE_TYPE, *(StructField(item.name, item.dataType, False) for item in arrays)])
