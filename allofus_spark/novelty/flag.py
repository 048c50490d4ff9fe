"""``novelty``: which alleles of the cohort a set of catalogues has, and which were never reported.

Of one billion alleles against a catalogue of one billion the join is the work. Delta has no bucketed join,
and Spark's would shuffle and sort both sides. But ``variants`` and
``known_variants`` are partitioned by contig and bin alike, and each file is sorted by position. So a task
takes a share of one file of ``variants`` and walks beside it through the row groups of the same partition's
known alleles that reach into its range: position, ref, alt and known_id alone. Every row group is read about
once, and a task holds one row group of 131,072 narrow rows of either side at a time, whatever their numbers.
Work grows with the sum of both sides, and is divided among the cores, or by two million alleles of the cohort
where that gives more tasks. Where tasks cannot open the warehouse's files, Spark joins the key columns
instead.

A partition is flagged anew when its alleles, or the alleles, coverage or alignment of a catalogue there,
are not those that its rows were made from (``partition_inputs``). To see that, one pass of Spark over the
key columns of ``variants`` adds up hashes; where a version changes nothing in a partition, that is all it
costs there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import warehouse_build
from allofus_spark.novelty.catalogue_sets import Revision, current_revision
from allofus_spark.novelty.inputs import aligned_with, inputs_today
from allofus_spark.novelty.judge import Judge
from allofus_spark.novelty.rows import FileTask, Flagging, JudgeJoined, MergeFiles, joined
from allofus_spark.tables import (
    KNOWN_VARIANTS,
    NOVELTY,
    NOVELTY_HISTORY,
    VARIANTS,
    ArrowWrite,
    Partition,
    Recipe,
    Run,
    Warehouse,
    inputs_write,
    partitions_predicate,
    paths_by_partition,
    quoted,
    recorded_inputs,
    start_run,
)
from allofus_spark.tables.novelty_tables import STATUSES
from allofus_spark.tasks import task_numbers

# Of `variants`, for one task: a few seconds of work, against some milliseconds to open the files.
_ROWS_OF_TASK = 512 * 1024
# For one file of `novelty`: about 20 MiB.
_ROWS_OF_FILE = 4 * _ROWS_OF_TASK


def flag_novelty(
    warehouse: Warehouse,
    *,
    catalogue_set: str = "default",
    catalogues: Mapping[str, str] | None = None,
    recompute: bool = False,
) -> dict[str, int]:
    """Hold every allele of the cohort against a set of catalogues, and record a snapshot.

    Parameters
    ----------
    catalogue_set
        Name of the set. Sets stand side by side; a set gets a new revision when its versions change.
    catalogues
        Version of each catalogue; none: the newest version of every catalogue that is held.
    recompute
        Flag every partition anew, whether or not anything changed.

    Returns
    -------
    Counters: partitions, partitions flagged now, alleles by status, and alleles reclassified.

    Raises
    ------
    BadSource
        The warehouse holds no callset, no catalogue, or not the version that was asked for.
    """
    recipe = Recipe(catalogue_set, {"catalogues": dict(catalogues or {})})
    with start_run(warehouse, "flag_novelty", recipe) as run:
        warehouse_build(warehouse)
        revision = current_revision(run, catalogue_set, catalogues or {})
        today = inputs_today(run, revision)
        held = recorded_inputs(run, NOVELTY.name, catalogue_set)
        stale = [place for place, inputs in today.items() if recompute or held.get(place) != inputs]
        gone = sorted(set(held) - set(today))
        run.counters.update(partitions=len(today), partitions_flagged=len(stale), reclassified=0)
        _tell(run, revision, len(stale), len(today))
        if stale or gone:
            run.write(
                _novelty_write(run, revision, stale, gone),
                inputs_write({(NOVELTY.name, catalogue_set): today}),
                *revision.write(),
            )
        elif revision.is_new:
            run.write(*revision.write())
        _count(run, revision)
        return dict(run.counters)


def _tell(run: Run, revision: Revision, n_stale: int, n_partitions: int) -> None:
    versions = ", ".join(f"{name} {version}" for name, version in revision.versions.items())
    run.progress(f"catalogue set {revision.catalogue_set}, revision {revision.number}: {versions}")
    if revision.is_new and revision.before:
        run.progress(f"changed since revision {revision.number - 1}: {'; '.join(revision.changes())}")
    run.progress(f"{n_stale} of {n_partitions} partitions changed since they were flagged")


def _novelty_write(
    run: Run, revision: Revision, stale: Sequence[Partition], gone: Sequence[Partition]
) -> ArrowWrite:
    had_before = revision.before and run.warehouse.exists(NOVELTY)
    flagging = Flagging(
        revision.catalogue_set,
        revision.number,
        Judge(revision.catalogues, aligned_with(run)),
        keep_history=bool(revision.is_new and had_before),
    )
    own = f"catalogue_set = {quoted(revision.catalogue_set)}"
    replaced = [(NOVELTY, f"{own} AND {partitions_predicate([*stale, *gone])}"), (NOVELTY_HISTORY, "")]
    if run.warehouse.local_root is None:
        frame = _joined_frame(run, revision, stale, keep_history=flagging.keep_history)
        return ArrowWrite(frame, JudgeJoined(flagging), replaced)
    tasks = _file_tasks(run, revision, set(stale), keep_history=flagging.keep_history)
    n_rows = sum(file_rows for _, file_rows in tasks)
    n_files = max(n_rows // _ROWS_OF_FILE, run.warehouse.spark.sparkContext.defaultParallelism)
    frame = task_numbers(run.warehouse.spark, len(tasks), n_partitions=min(n_files, len(tasks)))
    return ArrowWrite(frame, MergeFiles(tuple(task for task, _ in tasks), flagging), replaced)


def _file_tasks(
    run: Run, revision: Revision, stale: set[Partition], *, keep_history: bool
) -> list[tuple[FileTask, int]]:
    """Tasks over all files of the stale partitions, each with its rows; partition by partition."""
    known = paths_by_partition(run.files(KNOWN_VARIANTS), "catalogue", "version")
    before = paths_by_partition(run.files(NOVELTY), "catalogue_set") if keep_history else {}
    tasks = []
    for file in run.files(VARIANTS):
        place = file.partition["contig"], int(file.partition["bin"])
        if place not in stale:
            continue
        of = -(-file.rows // _ROWS_OF_TASK)
        against = [known.get((item.name, item.version, *place), []) for item in revision.catalogues]
        old = before.get((revision.catalogue_set, *place), [])
        tasks += [
            (FileTask(*place, file.path, share, of, against, old), file.rows // of) for share in range(of)
        ]
    return sorted(tasks, key=lambda task: (task[0].contig, task[0].bin, task[0].path, task[0].share))


def _joined_frame(
    run: Run, revision: Revision, stale: Sequence[Partition], *, keep_history: bool
) -> DataFrame:
    """The alleles of the stale partitions (none, where there are none) as of ``joined``."""
    where = partitions_predicate(stale)
    known = run.read(KNOWN_VARIANTS).where(where)
    of_catalogue = [
        known.where((F.col("catalogue") == item.name) & (F.col("version") == item.version))
        for item in revision.catalogues
    ]
    before = None
    if keep_history:
        own = F.col("catalogue_set") == revision.catalogue_set
        before = run.read(NOVELTY).where(own).where(where)
    return joined(run.read(VARIANTS).where(where), of_catalogue, before)


def _count(run: Run, revision: Revision) -> None:
    """Count alleles by status, from the table as written, and those that the revision reclassified."""
    run.counters.update({f"alleles_{status}": 0 for status in STATUSES})
    if run.warehouse.exists(NOVELTY):
        own = run.warehouse.live(NOVELTY).where(F.col("catalogue_set") == revision.catalogue_set)
        for status, count in own.groupBy("status").count().collect():
            run.counters[f"alleles_{status}"] = count
    for written, _ in run.written:
        if written.table is NOVELTY_HISTORY:
            run.counters["reclassified"] = written.rows or 0
