"""``strata``, ``allele_counts`` and ``allele_frequencies`` of all active callsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import pyarrow as pa

from allofus_spark.cohort import (
    OTHER_SEX,
    UNLABELLED,
    Slot,
    Strata,
    active_samples,
    build_strata,
    present,
    rows_of_widest,
    strata_writes,
    warehouse_build,
)
from allofus_spark.frequencies.counts import Counting
from allofus_spark.frequencies.frequency import GroupSums, by_position, group_sums
from allofus_spark.frequencies.inputs import Changes, find_changes
from allofus_spark.tables import (
    ALLELE_COUNTS,
    GENOTYPES,
    WHOLE_TABLE,
    ArrowWrite,
    Recipe,
    Run,
    Warehouse,
    allele_frequencies,
    partitions_predicate,
    rows_of_callsets,
    rows_per_batch,
    start_run,
)


def compute_frequencies(warehouse: Warehouse, *, recompute: bool = False) -> dict[str, int]:
    """Compute counts and frequencies from the packed calls where they changed, and record a snapshot.

    Parameters
    ----------
    recompute
        Count every callset again, whether or not anything changed.

    Returns
    -------
    The run's counters: callsets, callsets counted now, partitions whose frequencies were written, samples,
    and samples without a label or a sex karyotype.

    Raises BadSource where the warehouse holds no callset, BadSamples where a label is not a group of the
    settings.
    """
    settings = warehouse.settings.frequencies
    with start_run(warehouse, "compute_frequencies", Recipe()) as run:
        samples = active_samples(warehouse, run)
        build = warehouse_build(warehouse)
        strata = [
            build_strata(callset_id, members, settings.ancestry_groups)
            for callset_id, members in samples.items()
        ]
        _count_samples(run, samples)
        changes = find_changes(run, strata, recompute=recompute)
        counting = Counting({item.callset_id: item for item in strata}, build)
        widest = rows_of_widest(warehouse, (len(item.of_sample) for item in strata))
        with rows_per_batch(warehouse.spark, widest):
            _write(run, changes, counting, sums_of(warehouse, strata))
        return dict(run.counters)


def _write(run: Run, changes: Changes, counting: Counting, sums: GroupSums) -> None:
    """Write what changed: strata, counts, frequencies, and what they are made from."""
    table = allele_frequencies(run.warehouse.settings.frequencies.ancestry_groups)
    n_written = len(changes.frequencies) if changes.everything else len(changes.partitions)
    run.counters.update(callsets_counted=len(changes.stale), partitions_written=n_written)
    strata = strata_writes(run, list(counting.strata.values()))
    if not (changes.everything or changes.stale or changes.gone or changes.partitions):
        run.progress("nothing changed since frequencies were computed")
        run.write(*strata)
        return
    if len(changes.stale) < len(changes.counts):
        run.progress(
            f"{len(changes.stale)} of {len(changes.counts)} callsets changed since they were counted"
        )
    beside = [changes.write(table.name), *strata]
    stale = counting if changes.everything else counting.of(changes.stale)
    genotypes = stale.rows_to_count(run.read(GENOTYPES))
    replaced = WHOLE_TABLE if changes.everything else rows_of_callsets([*changes.stale, *changes.gone])
    if changes.everything and len(counting.strata) == 1:
        both = partial(_counts_and_frequencies, table.name, counting, sums)
        run.write(ArrowWrite(genotypes, both, [(ALLELE_COUNTS, WHOLE_TABLE), (table, WHOLE_TABLE)]), *beside)
        return
    if changes.everything or changes.stale or changes.gone:
        count = partial(_named, ALLELE_COUNTS.name, counting)
        run.write(ArrowWrite(genotypes, count, [(ALLELE_COUNTS, replaced)]), *beside)
    else:
        run.write(*beside)
    places = WHOLE_TABLE if changes.everything else partitions_predicate(changes.partitions)
    counts = by_position(run.read(ALLELE_COUNTS).where(places))
    run.write(ArrowWrite(counts, partial(_named, table.name, sums), [(table, places)]))


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


def _count_samples(run: Run, samples: dict[str, list[Slot]]) -> None:
    everyone = [sample for slots in samples.values() for sample in present(slots)]
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
