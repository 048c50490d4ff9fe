"""Sums of samples to scores, probabilities and labels: the rows of ``ancestries``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from threadpoolctl import threadpool_limits

from allofus_spark.ancestry.forest import read_forest
from allofus_spark.ancestry.score_sums import CallsetScoring
from allofus_spark.arrow import gathered, lists_of_rows, runs_of
from allofus_spark.cohort import in_genotypes
from allofus_spark.tables import ancestries
from allofus_spark.tables.ancestry_tables import FEW_CALLED_SITES

_KEY = ("callset_id", "sample_id", "sample_index")
# A forest takes about as long for a few hundred people as for one. Spark's batches are cut for genotypes.
_ROWS_AT_ONCE = 10_000

Floats = npt.NDArray[np.float64]


def samples_with_sums(
    samples: DataFrame, sums: DataFrame, callset_ids: Sequence[str], names: Sequence[str]
) -> DataFrame:
    """Every sample of the callsets with its sums, one row each."""
    members = samples.where(in_genotypes(callset_ids))
    named = members.select(*_KEY).join(sums, ["callset_id", "sample_index"]).select(*_KEY, *names)
    return named.sortWithinPartitions("callset_id", "sample_index")


@dataclass(frozen=True)
class Labels:
    """Rows of ``ancestries`` from samples with their sums; goes to the workers by pickle.

    ``scorings`` by callset; ``names`` are the columns of sums, the last one counts missing calls. A forest of
    ``model_groups`` gives probabilities.
    """

    model_id: str
    scorings: Mapping[str, CallsetScoring]
    names: tuple[str, ...]
    forest: bytes
    model_groups: tuple[str, ...]
    ancestry_groups: tuple[str, ...]
    unassigned_group: str
    min_probability: float
    min_called_share: float

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        table, forest = ancestries(self.ancestry_groups), None
        with threadpool_limits(1, "blas"):
            for batch in gathered(batches, _ROWS_AT_ONCE):
                for (callset_id,), rows in runs_of(batch, ("callset_id",)):
                    if forest is None:
                        forest = self._read_forest()
                    yield table.name, self._labelled(rows, self.scorings[callset_id], forest)

    def _read_forest(self) -> Any:
        return read_forest(self.forest, self.model_id, self.model_groups, len(self.names) - 1)

    def _labelled(self, rows: pa.RecordBatch, scoring: CallsetScoring, forest: Any) -> pa.RecordBatch:
        sums = np.stack([np.asarray(rows.column(name)) for name in self.names], axis=1)
        scores = scoring.scores(sums[:, :-1])
        n_called = scoring.n_sites - sums[:, -1]
        # As the share is asked for: 0.9 of 10 sites are 9, though 0.9 · 10 can be a little more in binary.
        is_judged = n_called / scoring.n_sites >= self.min_called_share
        probabilities = np.full((len(rows), len(self.model_groups)), np.nan)
        if is_judged.any():
            probabilities[is_judged] = forest.predict_proba(scores[is_judged])
        likeliest = pa.array(self.model_groups).take(pa.array(np.nan_to_num(probabilities).argmax(axis=1)))
        is_sure = np.nan_to_num(probabilities).max(axis=1) > self.min_probability
        before = _null_unless(is_judged, likeliest)
        label = pa.array(np.where(is_sure, np.asarray(likeliest, object), self.unassigned_group), pa.string())
        reason = pa.array([FEW_CALLED_SITES] * len(rows), pa.string())
        columns = {
            **{name: rows.column(name) for name in _KEY},
            "model_id": pa.repeat(self.model_id, len(rows)),
            "n_sites_called": pa.array(n_called, pa.int32()),
            "pcs": lists_of_rows(scores),
            "probabilities": self._structs(probabilities, is_judged),
            "ancestry_before_threshold": before,
            "ancestry": _null_unless(is_judged, label),
            "not_labelled": _null_unless(~is_judged, reason),
        }
        return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))

    def _structs(self, probabilities: Floats, is_judged: npt.NDArray[np.bool_]) -> pa.Array:
        of_group = dict(zip(self.model_groups, probabilities.T, strict=True))
        n = len(probabilities)
        fields = [
            pa.array(np.ascontiguousarray(of_group[group]), from_pandas=True)
            if group in of_group
            else pa.nulls(n, pa.float64())
            for group in self.ancestry_groups
        ]
        return pa.StructArray.from_arrays(fields, list(self.ancestry_groups), mask=pa.array(~is_judged))


def _null_unless(kept: npt.NDArray[np.bool_], texts: pa.Array) -> pa.Array:
    return pa.array(texts.to_pylist(), pa.string(), mask=~kept)
