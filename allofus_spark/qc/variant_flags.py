"""Metrics of variants beside what the source said about their sites: flags, and what was not assessed.

Metrics and sites are brought together by one shuffle of narrow rows: both are put in the partition of their
(callset, contig, bin), which is that of the table to write, and sorted by key, so that the metrics of a
variant are followed by its site. No calls move: the shuffle carries some 250 bytes a variant, whatever the
number of samples; 250 GB for a billion variants. It leaves the rows of a partition in one task, so that
files are whole; a join by key would shuffle as much and leave a file for every task and partition. That the
rows are one to one is checked on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from allofus_spark.errors import ContractViolation
from allofus_spark.genome import variant_types
from allofus_spark.qc.groups import Groups
from allofus_spark.qc.lists import list_column
from allofus_spark.qc.variant_metrics import KEY, VariantMetrics
from allofus_spark.settings import QcSettings
from allofus_spark.tables import Table
from allofus_spark.tables.qc_tables import (
    EXCESS_HET,
    LOW_QUAL,
    NO_HQ_GENOTYPES,
    VARIANT_NOT_ASSESSED,
    VARIANT_REASONS,
)

_SITE = ("qual", "n_high_quality_calls")

Bools = npt.NDArray[np.bool_]


def metrics_beside_sites(
    genotypes: DataFrame, sites: DataFrame, metrics: VariantMetrics, table: Table
) -> DataFrame:
    """Rows of metrics, each followed by the row of its site; a partition of ``table`` is in one task."""
    kept = [
        StructField(item.name, item.dataType) for item in table.schema.fields if item.name in metrics.names
    ]
    made = genotypes.mapInArrow(metrics, StructType(kept)).withColumn("is_site", F.lit(False))
    active = sites.where(F.col("callset_id").isin(list(metrics.groups)))
    said = active.select(*KEY, *_SITE, F.lit(True).alias("is_site"))
    both = made.unionByName(said, allowMissingColumns=True)
    return both.repartition("callset_id", "contig", "bin").sortWithinPartitions(*KEY, "is_site")


@dataclass(frozen=True)
class VariantFlags:
    """Rows of ``variant_qc`` from metrics beside sites; goes to the workers by pickle."""

    table: str
    metrics: VariantMetrics
    settings: QcSettings

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        for rows, sites in pairs(batches):
            yield self.table, self._flagged(rows.select(list(self.metrics.names)), sites)

    def _flagged(self, rows: pa.RecordBatch, sites: pa.RecordBatch) -> pa.RecordBatch:
        reasons, not_assessed = _judge(rows, sites, self.settings)
        tested = ~not_assessed["not_diploid"]
        unlabelled = _without_labels(rows.column("callset_id"), self.metrics.groups)
        not_assessed["no_unrelated_list"] = tested & (not self.metrics.unrelated_known)
        not_assessed["no_ancestry_label"] = tested & self.metrics.unrelated_known & unlabelled
        arrays = [
            *rows.columns,
            list_column(reasons, VARIANT_REASONS),
            list_column(not_assessed, VARIANT_NOT_ASSESSED),
        ]
        return pa.RecordBatch.from_arrays(arrays, names=[*self.metrics.names, "reasons", "not_assessed"])


def pairs(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Metrics and sites, row by row of the same variant.

    Rows come as metrics, site, metrics, site, ...; a batch can end between the two. Raises ContractViolation
    where either is missing or stands twice.
    """
    held: pa.RecordBatch | None = None
    for batch in batches:
        whole = batch if held is None or not held.num_rows else pa.concat_batches([held, batch])
        n_paired = whole.num_rows // 2 * 2
        held = whole.slice(n_paired)
        if n_paired:
            yield _divide(whole.slice(0, n_paired))
    if held is not None and held.num_rows:
        raise _not_paired(held)


def _divide(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    rows, sites = (batch.take(pa.array(np.arange(first, batch.num_rows, 2))) for first in (0, 1))
    fits = np.asarray(pc.invert(rows.column("is_site"))) & np.asarray(sites.column("is_site"))
    for name in KEY:
        fits &= np.asarray(pc.equal(rows.column(name), sites.column(name)))
    if not fits.all():
        raise _not_paired(rows.slice(int(np.argmin(fits))))
    return rows, sites


def _not_paired(rows: pa.RecordBatch) -> ContractViolation:
    key = ":".join(str(rows.column(name)[0].as_py()) for name in KEY)
    return ContractViolation(
        f"genotypes and variant_sites are not one to one, nothing was written: near {key} one has a row that "
        "the other lacks. Ingest the callset again."
    )


def _judge(
    rows: pa.RecordBatch, sites: pa.RecordBatch, settings: QcSettings
) -> tuple[dict[str, Bools], dict[str, Bools]]:
    """Which rows have each reason, and which were not assessed for each."""
    phred = _numbers(pc.struct_field(rows.column("excess_het"), "phred"))
    qual, high_quality = (_numbers(sites.column(name)) for name in _SITE)
    threshold = _qual_thresholds(rows.column("ref"), rows.column("alt"), settings)
    diploid = np.asarray(rows.column("excess_het").is_valid())
    reasons = {
        EXCESS_HET: phred > settings.max_excess_het_phred,
        NO_HQ_GENOTYPES: high_quality == 0,
        LOW_QUAL: qual < threshold,
    }
    not_assessed = {
        "no_sample_meant": np.asarray(rows.column("call_rate").is_null()),
        "not_diploid": ~diploid,
        "no_diploid_call": diploid & np.isnan(phred),
        "no_genotype_quality": np.isnan(high_quality),
        "no_qual": np.isnan(qual),
        "no_qual_threshold": np.isnan(threshold),
    }
    return reasons, not_assessed


def _qual_thresholds(ref: pa.Array, alt: pa.Array, settings: QcSettings) -> npt.NDArray[np.float64]:
    """Lowest QUAL that is not low, float64[rows]; NaN where there is none."""
    kinds = variant_types(ref, alt)
    same_length = np.asarray(pc.is_in(kinds, pa.array(["snv", "mnv"])))
    explicit = ~np.asarray(pc.is_in(kinds, pa.array(["symbolic", "breakend"])))
    threshold = np.where(same_length, settings.min_snv_qual_phred, settings.min_indel_qual_phred)
    return np.where(explicit, threshold, np.nan)


def _without_labels(callset_ids: pa.Array, groups: Mapping[str, Groups]) -> Bools:
    unlabelled = [name for name, item in groups.items() if not item.has_labels]
    return np.asarray(pc.is_in(callset_ids, pa.array(unlabelled, pa.string())))


def _numbers(column: pa.Array) -> npt.NDArray[np.float64]:
    """float64[rows]; NaN where null."""
    return np.asarray(column.cast(pa.float64()).fill_null(float("nan")))
