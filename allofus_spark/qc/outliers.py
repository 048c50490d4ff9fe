"""What the ancestry of a sample lets expect of its metrics, and how far from it a sample lies.

Within a callset each metric is regressed on an intercept and the ancestry PCs, and a residual is held against
the residuals of the sample's ancestry, by their median and median absolute deviation: as in the genomic
quality report of the All of Us release, after gnomAD.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

METRICS = (
    *("n_snv", "n_insertion", "n_deletion", "n_transitions", "n_transversions", "n_singletons"),
    *("ti_tv", "het_hom_ratio", "snv_het_hom_ratio", "insertion_deletion_ratio", "call_rate"),
    "n_not_in_catalogues",
)
# Few of these are no sign of a bad sample.
UPPER_SIDE_ONLY = frozenset({"n_singletons", "snv_het_hom_ratio"})
# A deviation under this share of the metric's largest value is what rounding leaves of equal residuals.
_ROUNDING = 1e-12

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Fit:
    """One metric of a callset on its PCs, and the residuals of each group.

    ``slopes``, ``centres`` and ``scales`` float64[PCs]; ``medians`` and ``mads`` float64[groups], NaN for a
    group without a sample, and a mad of 0 where residuals differ by rounding alone.
    """

    intercept: float
    slopes: Floats
    centres: Floats
    scales: Floats
    medians: Floats
    mads: Floats

    def expected(self, pcs: Floats) -> Floats:
        """float64[samples] of ``pcs`` float64[samples, at least PCs]; NaN where a PC is.

        Added up PC by PC: a sample's value does not depend on which others it is worked out with.
        """
        value = np.full(len(pcs), self.intercept)
        for place, (slope, centre, scale) in enumerate(
            zip(self.slopes, self.centres, self.scales, strict=True)
        ):
            value = value + slope * ((pcs[:, place] - centre) / scale)
        return value


def has_pcs(pcs: Floats, n_pcs: int) -> Bools:
    """bool[samples]: whether all of the first PCs are there; ``pcs`` float64[samples, at least n_pcs]."""
    return np.asarray(np.isfinite(pcs[:, :n_pcs]).all(axis=1) & (n_pcs > 0))


def fit_metric(values: Floats, pcs: Floats, groups: npt.NDArray[np.int64], n_groups: int) -> Fit | None:
    """Ordinary least squares of a metric on its PCs; None with fewer samples than PCs and 2.

    Parameters
    ----------
    values
        float64[samples]; NaN: no value, and the sample is left out.
    pcs
        float64[samples, PCs]; a sample with NaN is left out.
    groups
        int64[samples], the ancestry of each sample, under ``n_groups``.

    Rows in another order can change the last bits of the sums; give them in a fixed one.
    """
    used = np.isfinite(values) & has_pcs(pcs, pcs.shape[1])
    if used.sum() < pcs.shape[1] + 2:
        return None
    values, pcs, groups = values[used], pcs[used], groups[used]
    centres, scales = pcs.mean(axis=0), pcs.std(axis=0)
    scales[scales == 0] = 1  # a PC that does not vary explains nothing
    design = np.column_stack([np.ones(len(pcs)), (pcs - centres) / scales])
    coefficients, *_ = np.linalg.lstsq(design, values, rcond=None)
    none = np.full(n_groups, np.nan)
    fit = Fit(float(coefficients[0]), coefficients[1:], centres, scales, none, none.copy())
    residuals = values - fit.expected(pcs)
    least = _ROUNDING * np.abs(values).max()
    for group in np.unique(groups):
        own = residuals[groups == group]
        fit.medians[group] = np.median(own)
        mad = np.median(np.abs(own - fit.medians[group]))
        fit.mads[group] = mad if mad > least else 0.0
    return fit


def deviations(residuals: Floats, groups: npt.NDArray[np.int64], fit: Fit) -> Floats:
    """(residual − median) / MAD of each sample's group, float64[samples]; NaN over a MAD of 0."""
    mads = fit.mads[groups]
    known = mads > 0
    return np.where(known, (residuals - fit.medians[groups]) / np.where(known, mads, 1), np.nan)


def are_outliers(deviation_mads: Floats, metric: str, max_mads: float) -> Bools:
    """bool[samples]: whether a deviation is too large, on both sides but for UPPER_SIDE_ONLY."""
    distance = deviation_mads if metric in UPPER_SIDE_ONLY else np.abs(deviation_mads)
    return np.asarray(distance > max_mads)
