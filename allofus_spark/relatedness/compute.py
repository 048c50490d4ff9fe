"""``related_pairs`` and ``unrelated`` over the samples of all active callsets together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import collect
from allofus_spark.cohort import active_samples, check_are_active
from allofus_spark.errors import shown
from allofus_spark.relatedness.decide import Relations, decide
from allofus_spark.relatedness.king import PAIR_TYPE, KingRobust
from allofus_spark.relatedness.pc_relate import pc_relate
from allofus_spark.relatedness.people import People, choose_people
from allofus_spark.relatedness.picture import draw_kinship
from allofus_spark.relatedness.sites import sites_of_kinship
from allofus_spark.relatedness.slices import rows_of_slices, slices_of_pairs
from allofus_spark.relatedness.table_rows import PairRows, UnrelatedRows
from allofus_spark.tables import (
    BY_HAND,
    RELATED_PAIRS,
    UNRELATED,
    WHOLE_TABLE,
    ArrowWrite,
    Recipe,
    Run,
    Warehouse,
    rows_per_batch,
    start_run,
)
from allofus_spark.tables.relatedness_tables import DEGREES, FURTHER, KING_ROBUST, PC_RELATE
from allofus_spark.tasks import task_numbers

METHODS = (KING_ROBUST, PC_RELATE)
_FEW = 10
_NEAREST = next(iter(DEGREES))


class Relatedness(NamedTuple):
    """Counters, ids of the unrelated set in order, the first few duplicates, and where the picture is."""

    counters: dict[str, int]
    kept: Sequence[str]
    duplicates: Sequence[tuple[str, str]]
    picture: str


def compute_relatedness(
    warehouse: Warehouse,
    *,
    method: str = KING_ROBUST,
    sample_ids: Collection[str] | None = None,
    cases: Collection[str] = (),
    prefer_call_rate: bool = False,
) -> Relatedness:
    """Recompute who is related to whom, and the largest set of unrelated samples; record a snapshot.

    Parameters
    ----------
    method
        ``king_robust``, or ``pc_relate`` by Hail.
    sample_ids
        The samples that count; None: all.
    cases
        Sample ids of which as many as possible stay in the unrelated set.
    prefer_call_rate
        Among sets that are equally large, take the one with the most calls at the sites.

    Both tables are replaced. A callset without a record of a site has no call there. Raises BadSamples where
    an id is in no active callset, or fewer than two samples are left; BadSource where no callset is active or
    no site is left.
    """
    asked = {"method": method, "prefer_call_rate": prefer_call_rate}
    # Of samples their ids count, which come with genotypes; of ancestry what PC-Relate takes for its PCs.
    without = ("samples",) if method == PC_RELATE else ("samples", "ancestries")
    recipe = Recipe(parameters=asked, without=without) if sample_ids is None and not cases else BY_HAND
    with start_run(warehouse, "compute_relatedness", recipe) as run:
        samples = active_samples(warehouse, run)
        people = choose_people(samples, sample_ids)
        check_are_active(cases, samples)
        run.counters.update(callsets=len(people.members), samples=len(people))
        sites = sites_of_kinship(run, people)
        with _kinship(run, sites, people, method) as (pairs, n_called):
            # Thousands of tasks with a few relatives each would make as many files.
            gathered = pairs.repartition(warehouse.settings.spark.shuffle_partitions, "first")
            run.write(ArrowWrite(gathered, PairRows(people, method), [(RELATED_PAIRS, WHOLE_TABLE)]))
            relations = _relations(pairs, warehouse.settings.relatedness.max_unrelated_kinship)
        _warn_of_silent(run, people, n_called)
        decisions = decide(
            people, relations, n_called, len(sites), cases=cases, prefer_call_rate=prefer_call_rate
        )
        numbers = task_numbers(warehouse.spark, len(people.members))
        run.write(ArrowWrite(numbers, UnrelatedRows(people, decisions), [(UNRELATED, WHOLE_TABLE)]))
        kept = list(compress(people.sample_ids, decisions.is_kept))
        run.counters.update(samples_kept=len(kept), samples_left_out=len(people) - len(kept))
        if cases:
            run.counters.update(cases=len(set(cases)), cases_kept=len(set(cases) & set(kept)))
        degrees = _pairs_by_degree(warehouse)
        run.counters.update({f"pairs_{name}": n for name, n in degrees.items()})
        duplicates = _duplicates(warehouse) if degrees[_NEAREST] else []
    return Relatedness(dict(run.counters), sorted(kept), duplicates, draw_kinship(warehouse, degrees))


@contextmanager
def _kinship(
    run: Run, sites: pa.Table, people: People, method: str
) -> Iterator[tuple[DataFrame, npt.NDArray[np.int64]]]:
    """Pairs as PAIR_TYPE, held while they are used, and the sites at which each sample has a call."""
    if method == PC_RELATE:
        with pc_relate(run, sites, people) as (pairs, n_called):
            yield pairs, n_called
        return
    settings = run.warehouse.settings
    blocks = people.blocks(settings.relatedness.block_samples)
    run.progress(f"kinship of {len(people):,} samples over {len(sites):,} sites, in {len(blocks)} blocks")
    rows = rows_of_slices(people, settings.relatedness.block_samples, settings.ingest.batch_bytes)
    task = KingRobust(blocks, len(sites), settings.relatedness.min_kinship)
    with rows_per_batch(run.warehouse.spark, rows):
        found = slices_of_pairs(run, sites, people, blocks).mapInArrow(task, PAIR_TYPE).persist()
        try:
            called = collect(found.where("second IS NULL").select("first", "n_sites"))
            n_called = np.zeros(len(people), np.int64)
            n_called[np.asarray(called.column("first"))] = np.asarray(called.column("n_sites"))
            yield found.where("second IS NOT NULL"), n_called
        finally:
            found.unpersist()


def _warn_of_silent(run: Run, people: People, n_called: npt.NDArray[np.int64]) -> None:
    """Count the samples without any call, of whom nobody knows whose relatives they are; they stay kept."""
    silent = sorted(compress(people.sample_ids, n_called == 0))
    run.counters["samples_without_calls"] = len(silent)
    if silent:
        run.progress(
            f"warning: {len(silent)} of {len(people)} samples have no call at any of the sites, so that no "
            f"relative of theirs is known and all are kept: {shown(silent)}; leave them out with --samples"
        )


def _relations(pairs: DataFrame, max_unrelated_kinship: float) -> Relations:
    near = pairs.where(F.col("kinship") >= max_unrelated_kinship)
    columns = collect(near.select("first", "second", "kinship")).columns
    first, second, kinship = (np.asarray(column) for column in columns)
    return Relations(first.astype(np.int32), second.astype(np.int32), kinship.astype(np.float64))


def _pairs_by_degree(warehouse: Warehouse) -> dict[str, int]:
    rows = warehouse.live(RELATED_PAIRS).groupBy("degree").count().collect()
    return dict.fromkeys((*DEGREES, FURTHER), 0) | dict(rows)


def _duplicates(warehouse: Warehouse) -> list[tuple[str, str]]:
    """The first few pairs of duplicates or twins, by sample id."""
    pairs = warehouse.live(RELATED_PAIRS).where(F.col("degree") == _NEAREST)
    few = pairs.select("sample_id_1", "sample_id_2").orderBy("sample_id_1", "sample_id_2").limit(_FEW)
    return [(first, second) for first, second in few.collect()]
