"""Rows of ``related_pairs`` and ``unrelated`` from places of people; both go to the workers by pickle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.arrow import batch_of
from allofus_spark.relatedness.decide import Decisions
from allofus_spark.relatedness.people import People
from allofus_spark.tables import RELATED_PAIRS, UNRELATED
from allofus_spark.tables.relatedness_tables import DEGREES, DUPLICATE_DROPPED, FURTHER, RELATIVE_DROPPED
from allofus_spark.tasks import numbers_in

_DUPLICATE = next(iter(DEGREES.values()))


def degree_names(kinship: npt.NDArray[np.float64]) -> pa.Array:
    """The degree of each kinship: the nearest whose least kinship it has."""
    names = [FURTHER, *reversed(DEGREES)]
    return pa.array(names).take(pa.array(np.searchsorted([*reversed(DEGREES.values())], kinship, "right")))


@dataclass(frozen=True)
class PairRows:
    """Pairs of places with kinship and counts to rows of ``related_pairs``."""

    people: People
    method: str

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        ids = pa.array(self.people.sample_ids, pa.string())
        for batch in batches:
            yield RELATED_PAIRS.name, self._rows(batch, ids)

    def _rows(self, batch: pa.RecordBatch, ids: pa.Array) -> pa.RecordBatch:
        first, second = np.asarray(batch.column("first")), np.asarray(batch.column("second"))
        is_in_order = self.people.rank[first] < self.people.rank[second]
        ordered = pa.array(is_in_order)
        het_1, het_2 = batch.column("n_het_first"), batch.column("n_het_second")
        columns = {
            "sample_id_1": ids.take(pa.array(np.where(is_in_order, first, second))),
            "sample_id_2": ids.take(pa.array(np.where(is_in_order, second, first))),
            "kinship": batch.column("kinship"),
            "degree": degree_names(np.asarray(batch.column("kinship"))),
            "n_sites": batch.column("n_sites"),
            "n_het_1": pc.if_else(ordered, het_1, het_2),
            "n_het_2": pc.if_else(ordered, het_2, het_1),
            "n_het_both": batch.column("n_het_both"),
            "n_ibs0": batch.column("n_ibs0"),
            "method": pa.repeat(self.method, len(first)),
        }
        return batch_of([column.name for column in RELATED_PAIRS.columns], columns)


@dataclass(frozen=True)
class UnrelatedRows:
    """Numbers of callsets to rows of ``unrelated``."""

    people: People
    decisions: Decisions

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        names = list(self.people.members)
        for number in numbers_in(batches):
            yield UNRELATED.name, self._rows(names[number])

    def _rows(self, callset_id: str) -> pa.RecordBatch:
        people, decisions = self.people, self.decisions
        members = people.members[callset_id]
        own = slice(people.firsts[callset_id], people.firsts[callset_id] + len(members))
        ids = pa.array(people.sample_ids, pa.string())
        relative = decisions.relative_kept[own]
        is_kept = relative < 0
        reasons = np.where(decisions.kinship_of_kept[own] >= _DUPLICATE, 0, 1)
        columns = {
            "callset_id": pa.repeat(callset_id, len(members)),
            "sample_id": ids[own],
            "sample_index": pa.array(members.astype(np.int32)),
            "is_kept": pa.array(is_kept),
            "reason": pa.array([DUPLICATE_DROPPED, RELATIVE_DROPPED]).take(pa.array(reasons, mask=is_kept)),
            "relative_kept": ids.take(pa.array(relative, mask=is_kept)),
            "n_relatives": pa.array(decisions.n_relatives[own]),
            "call_rate": pa.array(decisions.call_rate[own]),
        }
        return batch_of([column.name for column in UNRELATED.columns], columns)
