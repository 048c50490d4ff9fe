"""The table writes of one genotype ingest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.genome import ReferenceSequence
from allofus_spark.ingest import transforms
from allofus_spark.ingest.callsets import SampleAttributes
from allofus_spark.ingest.plan import CallsetPlan
from allofus_spark.tables import (
    BIN_WIDTH_PROPERTY,
    BUILD_PROPERTY,
    CALLSETS,
    GENOTYPES,
    REJECTED_RECORDS,
    SAMPLES,
    VARIANT_SITES,
    VARIANTS,
    Keys,
    Run,
    Warehouse,
    Write,
)


@dataclass(frozen=True)
class CallsetRow:
    """The callset being ingested."""

    callset_id: str
    callset_date: dt.date
    build: str
    plan: CallsetPlan
    reference: ReferenceSequence | None
    replaces: str | None


def callset_writes(
    warehouse: Warehouse,
    run: Run,
    callset: CallsetRow,
    described: dict[str, SampleAttributes],
    alleles: DataFrame,
    rejected: DataFrame,
    folder: str,
) -> list[Write]:
    """All writes of the ingest. ``alleles`` have unique keys (the duplicates were set aside)."""
    properties = {
        BUILD_PROPERTY: callset.build,
        BIN_WIDTH_PROPERTY: str(warehouse.settings.genome.bin_width_bases),
    }
    warehouse.create(CALLSETS, properties)
    this = f"callset_id = '{callset.callset_id}'"
    n_files = _n_files(warehouse, folder)
    by_position = alleles.repartitionByRange(n_files, "contig", "bin", "position")
    return [
        Write(GENOTYPES, transforms.genotype_rows(by_position), this, Keys.HELD),
        Write(VARIANT_SITES, transforms.site_rows(by_position), this, Keys.HELD),
        *_variant_writes(warehouse, run, callset, alleles, n_files),
        Write(REJECTED_RECORDS, rejected.coalesce(1), this),
        _callset_write(warehouse, run, callset),
        _sample_write(warehouse, callset, described),
    ]


def _n_files(warehouse: Warehouse, folder: str) -> int:
    """Files to write a table into: enough for the cores, or as many as its bytes need."""
    spark = warehouse.spark
    jvm: Any = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(folder)
    file_system = path.getFileSystem(spark._jsc.hadoopConfiguration())  # type: ignore[attr-defined]
    staged_bytes = int(file_system.getContentSummary(path).getLength())
    wanted = -(-staged_bytes // warehouse.settings.ingest.target_file_bytes)
    return max(wanted, spark.sparkContext.defaultParallelism)


def _variant_writes(
    warehouse: Warehouse, run: Run, callset: CallsetRow, alleles: DataFrame, n_files: int
) -> Iterator[Write]:
    """``variants`` of every partition that the callset touches or used to touch."""
    dated = transforms.dated_alleles(alleles, F.lit(callset.callset_date))
    others = None
    if warehouse.exists(VARIANT_SITES):
        sites = run.read(VARIANT_SITES).where(F.col("callset_id") != callset.callset_id)
        others = None if sites.isEmpty() else sites
    if others is None:
        # The callset is alone: the whole table is its alleles.
        by_position = dated.repartitionByRange(n_files, "contig", "bin", "position")
        yield Write(VARIANTS, transforms.variant_rows(by_position, one_callset=True), "true", Keys.HELD)
        return
    touched = _touched_partitions(run, callset, alleles)
    if not touched:
        return
    predicate = " OR ".join(
        f"(contig = '{_escaped(contig)}' AND bin IN ({', '.join(map(str, bins))}))"
        for contig, bins in touched.items()
    )
    dates = run.read(CALLSETS).select("callset_id", "callset_date")
    dated_others = transforms.dated_alleles(
        others.where(predicate).join(F.broadcast(dates), "callset_id"), F.col("callset_date")
    )
    rows = transforms.variant_rows(dated.unionByName(dated_others), one_callset=False)
    yield Write(VARIANTS, rows, predicate, Keys.HELD)


def _escaped(text: str) -> str:
    """Text for a SQL string: contig names of alternate loci hold odd characters."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _touched_partitions(run: Run, callset: CallsetRow, alleles: DataFrame) -> dict[str, list[int]]:
    """Contig to bins where the callset has alleles now or had them before."""
    before = run.read(VARIANT_SITES).where(F.col("callset_id") == callset.callset_id)
    both = alleles.select("contig", "bin").unionAll(before.select("contig", "bin")).distinct()
    touched: dict[str, list[int]] = {}
    for row in sorted(both.collect()):
        touched.setdefault(row.contig, []).append(row.bin)
    return touched


def _callset_write(warehouse: Warehouse, run: Run, callset: CallsetRow) -> Write:
    plan = callset.plan
    row = (
        callset.callset_id,
        callset.callset_date,
        callset.build,
        len(plan.samples),
        plan.sample_list_sha256,
        plan.source_fingerprint,
        [file.path for file in plan.files],
        callset.reference.checksum() if callset.reference else None,
        [],
        None,
    )
    frame = warehouse.spark.createDataFrame([row], CALLSETS.schema)
    if callset.replaces is None:
        return Write(CALLSETS, frame, f"callset_id = '{callset.callset_id}'", Keys.HELD)
    retired = run.read(CALLSETS).where(F.col("callset_id") == callset.replaces)
    frame = frame.unionByName(retired.withColumn("retired_by", F.lit(callset.callset_id)))
    return Write(CALLSETS, frame, f"callset_id IN ('{callset.callset_id}', '{callset.replaces}')")


def _sample_write(warehouse: Warehouse, callset: CallsetRow, described: dict[str, SampleAttributes]) -> Write:
    """All samples of the header, and those that a sample file describes beyond them (without an index)."""
    unknown = SampleAttributes(None, None)
    rows: list[tuple[object, ...]] = []
    for index, sample in enumerate(callset.plan.samples):
        about = described.get(sample, unknown)
        rows.append((callset.callset_id, sample, index, about.sex_karyotype, about.ancestry))
    for sample in sorted(set(described) - set(callset.plan.samples)):
        about = described[sample]
        rows.append((callset.callset_id, sample, None, about.sex_karyotype, about.ancestry))
    frame = warehouse.spark.createDataFrame(rows, SAMPLES.schema).coalesce(1)
    return Write(SAMPLES, frame, f"callset_id = '{callset.callset_id}'", Keys.HELD)
