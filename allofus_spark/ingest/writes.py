"""The table writes of one genotype ingest."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame, Row

from allofus_spark.cohort import variants_write
from allofus_spark.errors import BadSource
from allofus_spark.genome import Build, ReferenceSequence, build_as_text
from allofus_spark.hadoop import hadoop_path
from allofus_spark.ingest.callsets import is_described
from allofus_spark.ingest.filters import GenotypeFilters
from allofus_spark.ingest.source import Source
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
    ArrowWrite,
    MakeRows,
    RowsWrite,
    Run,
    Warehouse,
    Write,
    rows_of_callset,
)
from allofus_spark.tables.writes import Written

_RETIRED_BY = [column.name for column in CALLSETS.columns].index("retired_by")


@dataclass(frozen=True)
class CallsetRow:
    """The callset being ingested; ``withdrawn`` are the slots of people who withdrew."""

    callset_id: str
    callset_date: dt.date
    build: Build
    source: Source
    reference: ReferenceSequence | None
    filters: GenotypeFilters
    replaces: str | None
    withdrawn: tuple[int, ...]


@dataclass(frozen=True)
class Held:
    """What the warehouse holds already: callsets by id, and the callset's samples by id.

    ``alone``: it holds no other callset than the one being ingested.
    """

    callsets: Mapping[str, Row]
    samples: Mapping[str, Row]
    alone: bool

    @classmethod
    def of(cls, callsets: Mapping[str, Row], samples: Mapping[str, Row], callset_id: str) -> Held:
        """What is held while ``callset_id`` comes in."""
        return cls(callsets, samples, not set(callsets) - {callset_id})


def write_callset(
    warehouse: Warehouse,
    run: Run,
    callset: CallsetRow,
    held: Held,
    source: DataFrame,
    make: MakeRows,
    rejected: DataFrame | None,
) -> None:
    """Write all tables of the ingest; what they hold already is left out.

    ``make`` gives the rows of ``genotypes``, ``variant_sites`` and, for the only callset, ``variants`` from
    the partitions of ``source``. Their keys are unique: the duplicates were set aside.
    """
    this = rows_of_callset(callset.callset_id)
    alone = held.alone
    # Other callsets can have carried an allele first: their sites count too, and the partitions to write anew
    # are those where this callset has alleles now or had them before.
    before = [] if alone else _partitions(run, this)
    replaced = [(GENOTYPES, this), (VARIANT_SITES, this), *([(VARIANTS, WHOLE_TABLE)] if alone else [])]
    written = run.write(
        ArrowWrite(source, make, replaced),
        _rejected_write(rejected, this),
        *_callset_writes(warehouse, callset, held),
        *_sample_writes(callset, held),
    )
    _check_rows(run, written, may_lose_alleles=bool(callset.withdrawn))
    if not alone and (touched := sorted({*before, *_partitions(run, this)})):
        run.write(variants_write(run, touched))


def _check_rows(run: Run, written: list[Written], *, may_lose_alleles: bool) -> None:
    """Count the alleles that were kept; raise BadSource unless their tables have a row for each.

    Those that only people who withdrew carried are counted as ``alleles_of_withdrawn_only``.
    """
    counters = run.counters
    kept = counters["alleles_read"] - counters["alleles_collapsed"] - counters["alleles_refused_duplicate"]
    if may_lose_alleles:
        stored = next((write.rows for write in written if write.table is GENOTYPES), None)
        if stored is not None and stored <= kept:
            counters["alleles_of_withdrawn_only"] = kept - stored
            kept = stored
    counters["alleles_stored"] = kept
    for write in written:
        if write.table in (GENOTYPES, VARIANT_SITES) and write.rows not in (None, kept):
            raise BadSource(
                f"{write.table.name} was given {write.rows} rows for {kept} alleles that were kept; readers "
                "keep the snapshot before. This is a defect: report it."
            )


def files_to_write(warehouse: Warehouse, folder: str) -> int:
    """Files to write a table into: enough for the cores, or as many as the staged bytes need."""
    file_system, path = hadoop_path(warehouse.spark, folder)
    staged_bytes = int(file_system.getContentSummary(path).getLength())
    wanted = -(-staged_bytes // warehouse.settings.ingest.target_file_bytes)
    return max(wanted, warehouse.spark.sparkContext.defaultParallelism)


def _rejected_write(rejected: DataFrame | None, this: str) -> Write | RowsWrite:
    """The refused rows, in the place of those of an earlier ingest."""
    if rejected is not None:
        return Write(REJECTED_RECORDS, rejected.repartition(1), this)
    return RowsWrite(REJECTED_RECORDS, [], this)


def _partitions(run: Run, this: str) -> list[tuple[str, int]]:
    """(contig, bin) where the callset has alleles."""
    rows = run.read(VARIANT_SITES).where(this).select("contig", "bin").distinct().collect()
    return [(row.contig, row.bin) for row in rows]


def _callset_writes(warehouse: Warehouse, callset: CallsetRow, held: Held) -> Iterator[RowsWrite]:
    source = callset.source
    row: tuple[object, ...] = (
        callset.callset_id,
        callset.callset_date,
        callset.build.name,
        len(source.samples),
        hashlib.sha256("\n".join(source.samples).encode()).hexdigest(),
        source.fingerprint,
        list(source.paths),
        callset.reference.checksum() if callset.reference else None,
        callset.filters.rules,
        None,
    )
    this = rows_of_callset(callset.callset_id)
    if callset.replaces is not None:
        retired = list(held.callsets[callset.replaces])
        retired[_RETIRED_BY] = callset.callset_id
        yield RowsWrite(CALLSETS, [row, tuple(retired)], f"{this} OR {rows_of_callset(callset.replaces)}")
    elif callset.callset_id not in held.callsets or tuple(held.callsets[callset.callset_id]) != row:
        properties = {
            BUILD_PROPERTY: build_as_text(callset.build),
            BIN_WIDTH_PROPERTY: str(warehouse.bin_width_bases),
        }
        yield RowsWrite(CALLSETS, [row], this, properties)


def _sample_writes(callset: CallsetRow, held: Held) -> Iterator[RowsWrite]:
    """All samples of the header, and those that a sample file describes beyond them (without an index)."""
    place: dict[str, int | None] = {name: index for index, name in enumerate(callset.source.samples)}
    place |= {name: None for name, row in held.samples.items() if name not in place and is_described(row)}
    for slot in callset.withdrawn:
        del place[callset.source.samples[slot]]
    rows = [(callset.callset_id, name, index, *_described(held, name)) for name, index in place.items()]
    if {row[1]: row for row in rows} == {name: tuple(row) for name, row in held.samples.items()}:
        return
    yield RowsWrite(SAMPLES, rows, rows_of_callset(callset.callset_id))


def _described(held: Held, name: str) -> tuple[str | None, str | None]:
    row = held.samples.get(name)
    return (row.sex_karyotype, row.ancestry) if row is not None else (None, None)
