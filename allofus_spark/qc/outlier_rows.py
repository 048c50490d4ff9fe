"""Rows of ``sample_outliers`` from samples beside their metrics and PCs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.arrow import batch_of, runs_of
from allofus_spark.cohort import UNLABELLED, Slot
from allofus_spark.qc.outliers import METRICS, Fit, Floats, are_outliers, deviations, fit_metric, has_pcs
from allofus_spark.tables import SAMPLE_OUTLIERS
from allofus_spark.tables.qc_tables import FEW_SAMPLES, MAD_IS_ZERO, NO_PCS, NO_VALUE

_KEY = ("callset_id", "sample_id", "sample_index")


@dataclass(frozen=True)
class CallsetFits:
    """The fits of one callset; ``group_of_sample`` int64[n_samples]: places in ``labels``, -1 withdrew."""

    labels: tuple[str, ...]
    group_of_sample: npt.NDArray[np.int64]
    n_pcs: int
    fits: Mapping[str, Fit | None]


def pc_columns(n_pcs: int) -> list[str]:
    """Names of the columns that hold one PC each."""
    return [f"pc_{number}" for number in range(1, n_pcs + 1)]


def fit_callset(
    samples: Sequence[Slot], index: npt.NDArray[np.int64], pcs: Floats, metrics: Mapping[str, Floats]
) -> CallsetFits:
    """Fit every metric of a callset.

    ``samples`` are all slots of the callset in its order, None where a person withdrew; ``index``
    int64[rows], rising, says which of them the rows of ``pcs`` float64[rows, PCs] and of each metric are.
    """
    named = [(one.ancestry or UNLABELLED).lower() if one else None for one in samples]
    labels = tuple(sorted({label for label in named if label is not None}))
    place: dict[str | None, int] = {label: number for number, label in enumerate(labels)}
    place[None] = -1
    groups = np.array([place[label] for label in named], np.int64)
    fits = {
        name: fit_metric(values, pcs, groups[index], len(labels)) if pcs.shape[1] else None
        for name, values in metrics.items()
    }
    return CallsetFits(labels, groups, pcs.shape[1], fits)


@dataclass(frozen=True)
class OutlierRows:
    """Rows of ``sample_outliers``, one for each metric of a sample; goes to the workers by pickle."""

    callsets: Mapping[str, CallsetFits]
    n_pcs: int
    max_mads: float

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        for batch in batches:
            for (callset_id,), rows in runs_of(batch, ("callset_id",)):
                for metric in METRICS:
                    yield SAMPLE_OUTLIERS.name, self._judged(rows, self.callsets[callset_id], metric)

    def _judged(self, rows: pa.RecordBatch, callset: CallsetFits, metric: str) -> pa.RecordBatch:
        values = numbers(rows.column(metric))
        pcs = np.column_stack([numbers(rows.column(name)) for name in pc_columns(self.n_pcs)])
        groups = callset.group_of_sample[np.asarray(rows.column("sample_index"))]
        fit, with_pcs = callset.fits[metric], has_pcs(pcs, callset.n_pcs)
        held = with_pcs & np.isfinite(values)
        nothing = np.full(len(values), np.nan)
        expected = nothing if fit is None else np.where(held, fit.expected(pcs), np.nan)
        residuals = values - expected
        deviation = nothing if fit is None else deviations(residuals, groups, fit)
        why = np.select(
            [~with_pcs, ~np.isfinite(values), np.full(len(values), fit is None), np.isnan(deviation)],
            [NO_PCS, NO_VALUE, FEW_SAMPLES, MAD_IS_ZERO],
            "",
        ).astype(object)
        assessed = why == ""
        arrays = {name: rows.column(name) for name in _KEY}
        arrays |= {
            "metric": pa.repeat(metric, len(values)),
            "ancestry": pa.array(np.array(callset.labels, object)[groups], pa.string()),
            "is_outlier": pa.array(are_outliers(deviation, metric, self.max_mads), mask=~assessed),
            "not_assessed": pa.array(why, pa.string(), mask=assessed),
        }
        floats = {
            "value": values,
            "expected": expected,
            "residual": residuals,
            "median": nothing if fit is None else np.where(held, fit.medians[groups], np.nan),
            "mad": nothing if fit is None else np.where(held, fit.mads[groups], np.nan),
            "deviation_mads": np.where(assessed, deviation, np.nan),
        }
        arrays |= {name: pa.array(column, from_pandas=True) for name, column in floats.items()}
        return batch_of(SAMPLE_OUTLIERS.schema.names, arrays)


def numbers(column: pa.Array) -> Floats:
    """float64[rows]; NaN where null."""
    return np.asarray(column.cast(pa.float64()).fill_null(float("nan")))
