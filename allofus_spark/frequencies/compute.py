"""``strata``, ``allele_counts`` and ``allele_frequencies`` of all active callsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame

from allofus_spark.cohort import (
    OTHER_SEX,
    UNLABELLED,
    Sample,
    Strata,
    active_samples,
    build_strata,
    rows_of_widest,
    warehouse_build,
)
from allofus_spark.frequencies.counts import Counting
from allofus_spark.frequencies.frequency import GroupSums, by_position, group_sums
from allofus_spark.tables import (
    ALLELE_COUNTS,
    GENOTYPES,
    STRATA,
    WHOLE_TABLE,
    ArrowWrite,
    RowsWrite,
    Run,
    Warehouse,
    allele_frequencies,
    rows_per_batch,
    start_run,
)


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
        counting = Counting({item.callset_id: item for item in strata}, build)
        with rows_per_batch(
            warehouse.spark, rows_of_widest(warehouse, (len(item.of_sample) for item in strata))
        ):
            genotypes = counting.rows_to_count(run.read(GENOTYPES))
            _write_frequencies(run, genotypes, counting, sums_of(warehouse, strata))
        return dict(run.counters)


def _write_frequencies(run: Run, genotypes: DataFrame, counting: Counting, sums: GroupSums) -> None:
    frequencies = allele_frequencies(run.warehouse.settings.frequencies.ancestry_groups)
    if len(counting.strata) == 1:
        both = partial(_counts_and_frequencies, frequencies.name, counting, sums)
        run.write(ArrowWrite(genotypes, both, [(ALLELE_COUNTS, WHOLE_TABLE), (frequencies, WHOLE_TABLE)]))
        return
    count = partial(_named, ALLELE_COUNTS.name, counting)
    run.write(ArrowWrite(genotypes, count, [(ALLELE_COUNTS, WHOLE_TABLE)]))
    counts = by_position(run.read(ALLELE_COUNTS))
    run.write(ArrowWrite(counts, partial(_named, frequencies.name, sums), [(frequencies, WHOLE_TABLE)]))


def _counts_and_frequencies(
    table: str, counting: Counting, sums: GroupSums, batches: Iterable[pa.RecordBatch]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Of one callset: its counts are all that a frequency needs; ``table`` names the frequencies."""
    for counts in counting(batches):
        yield ALLELE_COUNTS.name, counts
        for frequencies in sums([counts]):
            yield table, frequencies


def _named(
    table: str, make: Counting | GroupSums, batches: Iterable[pa.RecordBatch]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    for batch in make(batches):
        yield table, batch


def sums_of(warehouse: Warehouse, strata: list[Strata]) -> GroupSums:
    """How the strata add up to the settings' groups."""
    settings = warehouse.settings.frequencies
    return group_sums(
        strata,
        settings.ancestry_groups,
        unassigned_group=settings.unassigned_group,
    )


def _count_samples(run: Run, samples: dict[str, list[Sample]]) -> None:
    everyone = [sample for members in samples.values() for sample in members]
    unlabelled = sum(sample.ancestry is None for sample in everyone)
    unsexed = sum(sample.sex_class == OTHER_SEX for sample in everyone)
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


def _strata_writes(warehouse: Warehouse, strata: list[Strata]) -> list[RowsWrite]:
    """Appends of the strata that the table does not hold yet."""
    held = {row.strata_id for row in warehouse.rows(STRATA)}
    rows = [
        (item.strata_id, index, item.callset_id, ancestry, sex, int(size))
        for item in strata
        if item.strata_id not in held
        for index, ((ancestry, sex), size) in enumerate(zip(item.names, item.sizes, strict=True))
    ]
    return [RowsWrite(STRATA, rows)] if rows else []
