"""Exact Firth regression: the genotype and all covariates fitted anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.encoding import CallBatch
from allofus_spark.regression.fitted import Models
from allofus_spark.regression.models import Floats, Tests
from allofus_spark.regression.null_models import fit_firth
from allofus_spark.regression.outcomes import (
    COLLINEAR,
    COLLINEAR_SHARE,
    FIRTH_EXACT,
    NO_CONVERGENCE,
    NO_VARIATION,
    OK,
    empty_tests,
)
from allofus_spark.regression.p_values import neg_log10_p_of_chi2
from allofus_spark.regression.rows import MinorRows, expand, minor_rows


def refit(
    models: Models,
    calls: CallBatch,
    variant_rows: Sequence[int] | npt.NDArray[np.int64],
    phenotype_columns: Sequence[int] | npt.NDArray[np.int64],
) -> Tests:
    """Exact Firth regression of pairs of a row of ``calls`` and a column of tests, in their order.

    beta and se are of the penalised fit; p of the penalised likelihood ratio, the null held under the
    penalty of the full design (Heinze and Schemper, Stat Med 2002;21:2409). The outcomes are [pairs, 1].
    """
    pairs = list(zip(map(int, variant_rows), map(int, phenotype_columns), strict=True))
    outcomes = empty_tests(len(pairs), 1)
    rows = minor_rows(calls)
    place_of_row = np.empty(calls.n_rows, np.int64)
    place_of_row[rows.order] = np.arange(calls.n_rows)
    for column in sorted({column for _, column in pairs}):
        place = int(np.flatnonzero(models.binary_places == column)[0])
        phenotype = _Phenotype(models, place)
        for pair, (variant, of) in enumerate(pairs):
            if of == column:
                phenotype.fit(rows, int(place_of_row[variant]), outcomes, pair)
    return outcomes


class _Phenotype:
    """A binary phenotype among its own people."""

    def __init__(self, models: Models, place: int) -> None:
        model = models.logistic[place]
        people = models.cases[:, place] >= 0
        self.n_people, self.analysed = models.n_people, np.flatnonzero(people)
        self.cases = models.cases[people, place].astype(np.float64)
        columns = models.columns[people, : models.n_columns]
        transform = models.patterns[model.pattern].transform * np.sqrt(len(columns))
        self.design = columns @ transform
        self.start = np.append(np.linalg.lstsq(transform, model.firth, rcond=None)[0], 0.0)

    def fit(self, rows: MinorRows, at: int, outcomes: Tests, pair: int) -> None:
        """Write the outcome of the row at a place of ``rows``."""
        everybody = np.empty(self.n_people)
        expand(everybody, at, rows.n_common, rows.packed, rows.offsets, rows.people, rows.calls, np.nan)
        minor = everybody[self.analysed]
        called, is_case = np.isfinite(minor), self.cases == 1
        flip = bool(rows.flipped[at])
        for some, ac, an in (
            (called, outcomes.ac, outcomes.an),
            (called & is_case, outcomes.ac_cases, outcomes.an_cases),
        ):
            an[pair, 0] = 2 * some.sum()
            ac[pair, 0] = 2 * some.sum() - minor[some].sum() if flip else minor[some].sum()
        if not called.any() or np.ptp(minor[called]) == 0:
            outcomes.status[pair, 0] = NO_VARIATION
            return
        minor[~called] = minor[called].mean()
        residual = self._residual(minor)
        if residual @ residual <= COLLINEAR_SHARE * ((minor - minor.mean()) ** 2).sum():
            outcomes.status[pair, 0] = COLLINEAR
            return
        beta, se, chi2 = self._fit(residual)
        settled = bool(np.isfinite(chi2))
        outcomes.test[pair, 0] = FIRTH_EXACT
        outcomes.status[pair, 0] = OK if settled else NO_CONVERGENCE
        outcomes.beta[pair, 0], outcomes.se[pair, 0] = -beta if flip else beta, se
        outcomes.neg_log10_p[pair, 0] = neg_log10_p_of_chi2(chi2)

    def _residual(self, minor: Floats) -> Floats:
        """What the covariates leave of a genotype: with the same coefficient, better conditioned."""
        residual = minor - minor.mean()
        for _ in range(2):
            residual = residual - self.design @ (self.design.T @ residual) / len(residual)
        return np.asarray(residual)

    def _fit(self, residual: Floats) -> tuple[float, float, float]:
        scale = float(np.sqrt((residual**2).mean()))
        design = np.column_stack([self.design, residual / scale])
        last = design.shape[1] - 1
        null = fit_firth(design, self.cases, self.start, held=last)
        full = fit_firth(design, self.cases, self.start)
        if null is None or full is None:
            return np.nan, np.nan, np.nan
        chi2 = max(0.0, 2 * (full.likelihood - null.likelihood))
        return float(full.coefficients[last]) / scale, float(full.errors[last]) / scale, chi2
