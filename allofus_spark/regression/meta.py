"""Fixed-effect meta-analysis of an effect over ancestries, its heterogeneity, and without one ancestry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allofus_spark.regression.models import Floats
from allofus_spark.regression.p_values import neg_log10_p_of_chi2, neg_log10_p_of_z


@dataclass(frozen=True)
class Meta:
    """Pooled effects of rows: float64[rows], NaN where there is none.

    ``n_studies`` int64: ancestries with an effect. ``q`` is Cochran's, with ``n_studies`` − 1 degrees of
    freedom and its p, NaN for a single study; ``i2`` the share of variation beyond chance, max(0, (q − df) /
    q). Less one ancestry, [rows, ancestries]: NaN where that ancestry has no effect, or no other has one.
    """

    n_studies: npt.NDArray[np.int64]
    beta: Floats
    se: Floats
    neg_log10_p: Floats
    q: Floats
    q_neg_log10_p: Floats
    i2: Floats
    beta_without: Floats
    se_without: Floats
    neg_log10_p_without: Floats


def meta_analyse(beta: Floats, se: Floats) -> Meta:
    """Inverse-variance weighted effects (Higgins and Thompson, Stat Med 2002;21:1539, for I²).

    ``beta`` and ``se`` float64[rows, ancestries]; a pair with a NaN, or an se that is not positive and
    finite, takes no part.
    """
    has = np.isfinite(beta) & np.isfinite(se) & (se > 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # Weights relative to the row's best study, so that no square over- or underflows.
        least = np.min(np.where(has, se, np.inf), axis=1, keepdims=True)
        weights = np.where(has, (least / se) ** 2, 0)
        effects = np.where(has, beta, 0)
        total = weights.sum(axis=1, keepdims=True)
        pooled = (weights * effects).sum(axis=1, keepdims=True) / total
        pooled_se = least / np.sqrt(total)
        n_studies = has.sum(axis=1)
        q = np.where(has, ((effects - pooled) / se) ** 2, 0).sum(axis=1)
        degrees = n_studies - 1
        several = degrees > 0
        q = np.where(several, q, np.nan)
        i2 = np.where(q > 0, np.maximum(0, (q - degrees) / q), np.where(q == 0, 0, np.nan))
        # Summed anew without each: subtracting a study from the totals would lose the others' digits.
        others = [np.delete(weights, ancestry, axis=1) for ancestry in range(beta.shape[1])]
        rest = np.stack([some.sum(axis=1) for some in others], axis=1)
        beta_without = (
            np.stack(
                [(some * np.delete(effects, at, axis=1)).sum(axis=1) for at, some in enumerate(others)],
                axis=1,
            )
            / rest
        )
        se_without = least / np.sqrt(rest)
        absent = ~has | ~several[:, None]
        beta_without[absent] = se_without[absent] = np.nan
    none = n_studies == 0
    pooled_se[none] = np.nan
    return Meta(
        n_studies,
        pooled[:, 0],
        pooled_se[:, 0],
        neg_log10_p_of_z(pooled[:, 0] / pooled_se[:, 0]),
        q,
        neg_log10_p_of_chi2(q, np.maximum(degrees, 1)),
        i2,
        beta_without,
        se_without,
        neg_log10_p_of_z(beta_without / se_without),
    )
