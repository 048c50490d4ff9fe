"""The proof that who withdrew is gone: every stored call, the ledger, all ids, and old files.

What is checked is found anew from the tables, by other code than what took the people out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import lists_of_rows, runs_of
from allofus_spark.cohort import (
    COUNTS,
    Strata,
    active_callsets,
    active_samples,
    build_strata,
    callset_sizes,
    sample_rows,
    warehouse_build,
)
from allofus_spark.genome import Build
from allofus_spark.genotypes import rows_that_fit
from allofus_spark.hadoop import read_bytes
from allofus_spark.tables import (
    ALLELE_COUNTS,
    ALLELE_KEY,
    GENOTYPES,
    PIPELINE_RUNS,
    WITHDRAWALS,
    FoundFile,
    Run,
    Table,
    live_names,
    log_files,
    names_removed_since,
    pictures_of_people,
    rows_of_callset,
    rows_of_callsets,
    rows_per_batch,
    unreferenced_files,
)
from allofus_spark.withdrawal.plain_calls import not_hom_ref, recount
from allofus_spark.withdrawal.removal import rows_about, tables_with_ids

CALLS, LEDGER, IDS, LOGS, FILES = "calls", "ledger", "ids", "log_entries", "old_files"
_CALLS = ("het_index", "hom_alt_index", "missing_index", "calls")
# A call is a byte here, not two bits, and its two bits are bytes before.
_TIMES_WIDER = 16


class Check(NamedTuple):
    """One check: rows, files or log entries looked at, and those that were not as they must be."""

    check_name: str
    subject: str
    checked: int
    failures: int

    @property
    def passed(self) -> bool:
        return self.failures == 0


def empty_slots(run: Run) -> dict[str, tuple[int, ...]]:
    """By callset the places in its genotypes that no sample has: those of people who withdrew."""
    sizes = callset_sizes(run)
    held: dict[str, set[int]] = {callset_id: set() for callset_id in sizes}
    for row in sample_rows(run, list(sizes)):
        held[row.callset_id].add(row.sample_index)
    gaps = {name: tuple(sorted(set(range(n)) - held[name])) for name, n in sorted(sizes.items())}
    return {name: own for name, own in gaps.items() if own}


def check_calls(run: Run, slots: Mapping[str, tuple[int, ...]]) -> Iterator[Check]:
    """Whether every payload of the callsets is hom-ref at the slots."""
    sizes = callset_sizes(run)
    rows = run.read(GENOTYPES).where(rows_of_callsets(list(slots))).select("callset_id", *_CALLS)
    with rows_per_batch(run.warehouse.spark, _rows_at_once(run, slots)):
        parts = rows.mapInArrow(_SlotsOfRows(sizes, slots), "callset_id string, n long, failed long")
        sums = parts.groupBy("callset_id").agg(F.sum("n"), F.sum("failed")).collect()
    found = {callset_id: (n, failed) for callset_id, n, failed in sums}
    for callset_id in slots:
        yield Check(CALLS, callset_id, *found.get(callset_id, (0, 0)))


def _rows_at_once(run: Run, callset_ids: Iterable[str]) -> int:
    sizes = callset_sizes(run)
    widest = max((sizes[name] for name in callset_ids), default=1)
    return rows_that_fit(_TIMES_WIDER * widest, run.warehouse.settings.ingest.batch_bytes)


@dataclass(frozen=True)
class _SlotsOfRows:
    sizes: Mapping[str, int]
    slots: Mapping[str, tuple[int, ...]]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for (name,), rows in runs_of(batch, ("callset_id",)):
                failed = not_hom_ref(rows, self.sizes[name], self.slots[name])
                counted = {"callset_id": [name], "n": [rows.num_rows], "failed": [failed]}
                yield pa.RecordBatch.from_pydict(counted)


def check_ledger(run: Run, callset_ids: Iterable[str]) -> Iterator[Check]:
    """Whether ``allele_counts`` of the active callsets equals a recount of their payloads, row by row."""
    wanted = sorted(set(callset_ids) & set(active_callsets(run)))
    if not wanted or not run.holds(ALLELE_COUNTS):
        return
    groups = run.warehouse.settings.frequencies.ancestry_groups
    samples, build = active_samples(run.warehouse, run), warehouse_build(run.warehouse)
    with rows_per_batch(run.warehouse.spark, _rows_at_once(run, wanted)):
        for callset_id in wanted:
            strata = build_strata(callset_id, samples[callset_id], groups)
            own = rows_of_callset(callset_id)
            rows = run.read(GENOTYPES).where(own).select(*ALLELE_KEY, *_CALLS)
            names = (*ALLELE_KEY, "strata_id", *COUNTS)
            schema = ", ".join(
                f"{name} {ALLELE_COUNTS.schema[name].dataType.simpleString()}" for name in names
            )
            counted = rows.mapInArrow(_Recount(strata, build), schema)
            yield Check(LEDGER, callset_id, *_differences(counted, run.read(ALLELE_COUNTS).where(own)))


@dataclass(frozen=True)
class _Recount:
    strata: Strata
    build: Build

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            counts = recount(batch, self.strata, self.build)
            arrays = [batch.column(name) for name in ALLELE_KEY]
            arrays.append(pa.repeat(self.strata.strata_id, batch.num_rows))
            arrays += [lists_of_rows(np.asarray(counts[name])) for name in COUNTS]
            yield pa.RecordBatch.from_arrays(arrays, names=[*ALLELE_KEY, "strata_id", *COUNTS])


def _differences(counted: DataFrame, held: DataFrame) -> tuple[int, int]:
    """Alleles in either frame, and those whose row the other lacks or has with other counts."""
    columns = ["strata_id", *COUNTS]
    both = counted.alias("a").join(held.alias("b"), list(ALLELE_KEY), "full")
    differs = F.lit(False)
    for name in columns:
        differs = differs | ~F.col(f"a.{name}").eqNullSafe(F.col(f"b.{name}"))
    row = both.agg(F.count(F.lit(1)).alias("n"), F.count(F.when(differs, 1)).alias("failed")).first()
    return (row.n, row.failed) if row is not None else (0, 0)


def check_ids(run: Run, ids: DataFrame) -> Iterator[Check]:
    """Whether no table with ids has a row about who withdrew, nor a message of a run their id."""
    gone = F.broadcast(ids).alias("gone")
    found = rows_about(run, ids)
    for table, _ in tables_with_ids(run):
        yield Check(IDS, table.name, run.read(table).count(), found.get(table.name, 0))
    messages = run.warehouse.live(PIPELINE_RUNS).where("message IS NOT NULL")
    named = messages.alias("held").join(gone, F.expr(NAMED_IN_MESSAGE), "left_semi")
    yield Check(IDS, PIPELINE_RUNS.name, messages.count(), named.count())


# An id within a message as a word of its own; ids may hold any character.
NAMED_IN_MESSAGE = (
    "held.message RLIKE concat('(?s)(?<![A-Za-z0-9])', '\\\\Q', replace(gone.id, '\\\\E', ''), '\\\\E', "
    "'(?![A-Za-z0-9])')"
)


def check_logs(run: Run, ids: DataFrame) -> Iterator[Check]:
    """Whether no entry of a log of a table with ids names one, as bounds of files do."""
    spark = run.warehouse.spark
    names = [row.id for row in ids.collect()]
    for table, _ in tables_with_ids(run):
        files = [file for file in log_files(spark, run.warehouse.path(table)) if file.name.endswith(".json")]
        texts = _texts(run, [file.path for file in files])
        failed = sum(any(f'"{name}"' in text.replace('\\"', '"') for name in names) for text in texts)
        yield Check(LOGS, table.name, len(files), failed)


def _texts(run: Run, paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        yield read_bytes(run.warehouse.spark, path).decode()


def check_files(run: Run, tables: Iterable[Table], before_ms: int) -> Iterator[Check]:
    """Whether no data file from before the purge lies in the tables' folders that they did not read then.

    What they read at the purge and do not read any more holds nobody who had withdrawn.
    """
    for table in tables:
        stray = unreferenced_files(run.warehouse, table)
        read_then = names_removed_since(run.warehouse, table, before_ms)
        old = [file for file in stray if file.modified_ms < before_ms and file.name not in read_then]
        yield Check(FILES, table.name, len(live_names(run.warehouse, table)) + len(stray), len(old))


def old_pictures(run: Run) -> list[FoundFile]:
    """Pictures of people that were drawn before the last withdrawal; their stages draw them anew."""
    last = max((milliseconds(row.withdrawn_at) for row in run.rows(WITHDRAWALS)), default=0)
    return [file for file in pictures_of_people(run.warehouse) if file.modified_ms < last]


def check_pictures(run: Run) -> Check:
    """Whether every picture of people was drawn after the last withdrawal."""
    return Check(FILES, "pictures", len(pictures_of_people(run.warehouse)), len(old_pictures(run)))


def milliseconds(moment: dt.datetime) -> int:
    """Milliseconds since 1970, UTC."""
    return int(moment.timestamp() * 1000)
