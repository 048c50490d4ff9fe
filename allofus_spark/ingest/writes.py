"""The table writes of one genotype ingest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from allofus_spark.genome import ReferenceSequence
from allofus_spark.ingest import transforms
from allofus_spark.ingest.callsets import is_described
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
    WHOLE_TABLE,
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


@dataclass(frozen=True)
class Held:
    """What the warehouse holds already: callsets by id, and the callset's samples by id."""

    callsets: Mapping[str, Row]
    samples: Mapping[str, Row]


def callset_writes(
    warehouse: Warehouse,
    run: Run,
    callset: CallsetRow,
    held: Held,
    alleles: DataFrame,
    rejected: DataFrame,
) -> list[Write]:
    """All writes of the ingest; what the tables hold already is left out.

    ``alleles`` have unique keys (the duplicates were set aside), and partitions that follow each other.
    """
    properties = {
        BUILD_PROPERTY: callset.build,
        BIN_WIDTH_PROPERTY: str(warehouse.settings.genome.bin_width_bases),
    }
    warehouse.create(CALLSETS, properties)
    this = f"callset_id = '{callset.callset_id}'"
    alone = not set(held.callsets) - {callset.callset_id}
    # Where there is no other callset, whole tables are replaced: Delta need not look for the rows.
    replaced = WHOLE_TABLE if alone else this
    return [
        Write(GENOTYPES, transforms.genotype_rows(alleles), replaced, Keys.HELD),
        Write(VARIANT_SITES, transforms.site_rows(alleles), replaced, Keys.HELD),
        *_variant_writes(run, callset, alleles, alone=alone),
        *_rejected_writes(warehouse, run, rejected, this),
        *_callset_writes(warehouse, run, callset, held),
        *_sample_writes(warehouse, callset, held),
    ]


def files_to_write(warehouse: Warehouse, folder: str) -> int:
    """Files to write a table into: enough for the cores, or as many as the staged bytes need."""
    spark = warehouse.spark
    jvm: Any = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(folder)
    file_system = path.getFileSystem(spark._jsc.hadoopConfiguration())  # type: ignore[attr-defined]
    staged_bytes = int(file_system.getContentSummary(path).getLength())
    wanted = -(-staged_bytes // warehouse.settings.ingest.target_file_bytes)
    return max(wanted, spark.sparkContext.defaultParallelism)


def _rejected_writes(warehouse: Warehouse, run: Run, rejected: DataFrame, this: str) -> Iterator[Write]:
    """The refused rows; left out where the table is there, and there are none now and were none before."""
    refused = run.counters["records_refused"] + run.counters["alleles_refused_duplicate"]
    is_new = REJECTED_RECORDS.name not in warehouse.snapshot()
    if refused or is_new or not warehouse.live(REJECTED_RECORDS).where(this).isEmpty():
        yield Write(REJECTED_RECORDS, rejected.coalesce(1), this)


def _variant_writes(run: Run, callset: CallsetRow, alleles: DataFrame, *, alone: bool) -> Iterator[Write]:
    """``variants`` of every partition that the callset touches or used to touch."""
    dated = transforms.dated_alleles(alleles, F.lit(callset.callset_date))
    if alone:
        yield Write(VARIANTS, transforms.variant_rows(dated, one_callset=True), WHOLE_TABLE, Keys.HELD)
        return
    touched = _touched_partitions(run, callset, alleles)
    if not touched:
        return
    predicate = " OR ".join(
        f"(contig = '{_escaped(contig)}' AND bin IN ({', '.join(map(str, bins))}))"
        for contig, bins in touched.items()
    )
    dates = run.read(CALLSETS).select("callset_id", "callset_date")
    others = run.read(VARIANT_SITES).where(F.col("callset_id") != callset.callset_id)
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


def _callset_writes(warehouse: Warehouse, run: Run, callset: CallsetRow, held: Held) -> Iterator[Write]:
    plan = callset.plan
    row: tuple[object, ...] = (
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
    if callset.replaces is not None:
        retired = run.read(CALLSETS).where(F.col("callset_id") == callset.replaces)
        frame = frame.unionByName(retired.withColumn("retired_by", F.lit(callset.callset_id)))
        yield Write(CALLSETS, frame, f"callset_id IN ('{callset.callset_id}', '{callset.replaces}')")
    elif callset.callset_id not in held.callsets or tuple(held.callsets[callset.callset_id]) != row:
        yield Write(CALLSETS, frame, f"callset_id = '{callset.callset_id}'", Keys.HELD)


def _sample_writes(warehouse: Warehouse, callset: CallsetRow, held: Held) -> Iterator[Write]:
    """All samples of the header, and those that a sample file describes beyond them (without an index)."""
    place: dict[str, int | None] = {name: index for index, name in enumerate(callset.plan.samples)}
    place |= {name: None for name, row in held.samples.items() if name not in place and is_described(row)}
    rows = [(callset.callset_id, name, index, *_described(held, name)) for name, index in place.items()]
    if {row[1]: row for row in rows} == {name: tuple(row) for name, row in held.samples.items()}:
        return
    frame = warehouse.spark.createDataFrame(rows, SAMPLES.schema).coalesce(1)
    yield Write(SAMPLES, frame, f"callset_id = '{callset.callset_id}'", Keys.HELD)


def _described(held: Held, name: str) -> tuple[str | None, str | None]:
    row = held.samples.get(name)
    return (row.sex_karyotype, row.ancestry) if row is not None else (None, None)
