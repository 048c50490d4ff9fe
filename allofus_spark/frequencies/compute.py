"""``strata``, ``allele_counts`` and ``allele_frequencies`` of all active callsets."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource
from allofus_spark.frequencies.counts import allele_counts
from allofus_spark.frequencies.frequency import GroupSums, frequency_rows, group_sums
from allofus_spark.frequencies.strata import UNLABELLED, Sample, Strata, build_strata
from allofus_spark.genome import Build, load_build
from allofus_spark.genotypes import packed_width
from allofus_spark.tables import (
    ALLELE_COUNTS,
    BUILD_PROPERTY,
    CALLSETS,
    GENOTYPES,
    SAMPLES,
    STRATA,
    WHOLE_TABLE,
    Keys,
    Run,
    Warehouse,
    Write,
    allele_frequencies,
    rows_per_batch,
    start_run,
)

_OTHER = "other"


def compute_frequencies(warehouse: Warehouse) -> dict[str, int]:
    """Recompute counts and frequencies from the packed calls, and record a snapshot.

    Returns the run's counters: callsets, samples, and samples without a label or a sex karyotype.
    Raises BadSource where the warehouse holds no callset, BadSamples where a label is not a group of the
    settings.
    """
    settings = warehouse.settings.frequencies
    with start_run(warehouse, "compute_frequencies") as run:
        samples = active_samples(warehouse, run)
        build = warehouse_build(warehouse)
        strata = [
            build_strata(callset_id, members, settings.ancestry_groups)
            for callset_id, members in samples.items()
        ]
        _count_samples(run, samples)
        run.write(*_strata_writes(warehouse, strata))
        with rows_per_batch(warehouse.spark, rows_that_fit(warehouse, strata)):
            counts = counts_of(run.read(GENOTYPES), strata, build)
            run.write(Write(ALLELE_COUNTS, counts, WHOLE_TABLE, Keys.HELD))
        sums = sums_of(warehouse, strata)
        rows = frequency_rows(run.read(ALLELE_COUNTS), sums)
        run.write(Write(allele_frequencies(settings.ancestry_groups), rows, WHOLE_TABLE, Keys.HELD))
        return dict(run.counters)


def active_samples(warehouse: Warehouse, run: Run) -> dict[str, list[Sample]]:
    """Samples of each active callset, in callset order."""
    if not warehouse.exists(CALLSETS) or not warehouse.exists(SAMPLES):
        raise BadSource(f"warehouse {warehouse.root} holds no callset; run ingest-genotypes first")
    active = sorted(row.callset_id for row in run.rows(CALLSETS) if row.retired_by is None)
    samples: dict[str, list[Sample]] = {callset_id: [] for callset_id in active}
    members = [row for row in run.rows(SAMPLES) if row.sample_index is not None and row.callset_id in samples]
    for row in sorted(members, key=lambda row: row.sample_index):
        samples[row.callset_id].append(Sample(row.sample_id, row.ancestry, row.sex_karyotype))
    return samples


def warehouse_build(warehouse: Warehouse) -> Build:
    """The build that the warehouse holds."""
    name = warehouse.table_property(BUILD_PROPERTY)
    if name is None:
        raise BadSource(f"warehouse {warehouse.root} holds no callset; run ingest-genotypes first")
    return load_build(name)


def rows_that_fit(warehouse: Warehouse, strata: list[Strata]) -> int:
    """Genotype rows in one batch, so that its calls stay within the settings' bytes."""
    widest = max((packed_width(len(item.of_sample)) for item in strata), default=0)
    return max(1, min(10_000, warehouse.settings.ingest.batch_bytes // (widest + 1)))


def counts_of(genotypes: DataFrame, strata: list[Strata], build: Build) -> DataFrame:
    """Rows of ``allele_counts`` for the callsets of ``strata``."""
    frames = [
        allele_counts(genotypes.where(F.col("callset_id") == item.callset_id), item, build) for item in strata
    ]
    counts = frames[0]
    for frame in frames[1:]:
        counts = counts.unionByName(frame)
    return counts


def sums_of(warehouse: Warehouse, strata: list[Strata]) -> GroupSums:
    """How the strata add up to the settings' groups."""
    settings = warehouse.settings.frequencies
    return group_sums(
        strata,
        settings.ancestry_groups,
        unassigned_group=settings.unassigned_group,
        faf_confidence=settings.faf_confidence,
    )


def _count_samples(run: Run, samples: dict[str, list[Sample]]) -> None:
    everyone = [sample for members in samples.values() for sample in members]
    unlabelled = sum(sample.ancestry is None for sample in everyone)
    unsexed = sum(sample.sex_karyotype in (None, _OTHER) for sample in everyone)
    run.counters.update(
        callsets=len(samples),
        samples=len(everyone),
        samples_unlabelled=unlabelled,
        samples_sex_not_xx_or_xy=unsexed,
    )
    if unlabelled:
        run.progress(
            f"warning: {unlabelled} of {len(everyone)} samples have no ancestry label: they count in overall "
            f"only (stratum {UNLABELLED})"
        )
    if unsexed:
        run.progress(
            f"warning: {unsexed} of {len(everyone)} samples are neither XX nor XY: they are not counted on "
            "non-PAR X and Y"
        )


def _strata_writes(warehouse: Warehouse, strata: list[Strata]) -> list[Write]:
    """Appends of the strata that the table does not hold yet."""
    held = {row.strata_id for row in warehouse.rows(STRATA)}
    rows = [
        (item.strata_id, index, item.callset_id, ancestry, sex, int(size))
        for item in strata
        if item.strata_id not in held
        for index, ((ancestry, sex), size) in enumerate(zip(item.names, item.sizes, strict=True))
    ]
    if not rows:
        return []
    frame = warehouse.spark.createDataFrame(rows, STRATA.schema).coalesce(1)
    return [Write(STRATA, frame, keys=Keys.HELD)]
