"""Binary phenotypes: the score test of every variant, and approximate Firth regression where that fails.

With r = y − μ and w = μ(1 − μ) of the null model, U = r·g and V = Σ w g² less the squares of the sums of w·g
with the covariates, made orthonormal under w; beta = U / V, se = 1 / √V, χ² = U² / V. A phenotype has a slot
of columns [r, w · covariates], so that all its sums but Σ w g² come from one product; that one is Σ w g,
which the intercept's column has, and twice the sum of w over homozygotes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.regression.counts import Counts
from allofus_spark.regression.firth import fit_carriers, fit_residualised
from allofus_spark.regression.fitted import EVERYBODY, LogisticModel, Models
from allofus_spark.regression.models import Floats, Tests
from allofus_spark.regression.null_models import probabilities
from allofus_spark.regression.outcomes import (
    COLLINEAR,
    COLLINEAR_SHARE,
    FIRTH_APPROXIMATE,
    NO_CONVERGENCE,
    NO_VARIATION,
    OK,
    SCORE,
    TOO_RARE,
)
from allofus_spark.regression.p_values import (
    SERIES,
    neg_log10_p_of_chi2,
    one_neg_log10_p_of_z,
    z_of_neg_log10_p,
)
from allofus_spark.regression.products import Part, Sums, padded
from allofus_spark.regression.rows import MinorRows

_SCORE_ONLY, _CARRIERS, _RESIDUALISED = 0, 1, 2
_ROWS_AT_ONCE_BYTES = 16 * 2**20  # of residualised genotypes


@dataclass(frozen=True)
class _Phenotype:
    """A binary phenotype among its own people: predictor of Firth's null as ``offsets``."""

    people: npt.NDArray[np.int64]
    cases: Floats
    offsets: Floats


class LogisticWork:
    """Columns of the binary phenotypes from ``first`` up to ``stop``."""

    def __init__(self, models: Models, first: int, stop: int) -> None:
        self.models, self.first, self.stop = models, first, stop
        self.chosen = models.logistic[first:stop]
        self.slot = slot_width(models)
        self.masks = models.mask_of_pattern[[model.pattern for model in self.chosen]]
        # Σ w g of the sum in the slot's second column, w times a constant.
        self.unscaled = np.array([1 / model.weighted[0, 0] for model in self.chosen])

    def parts(self) -> list[Part]:
        """Slots of the phenotypes, and their variances w."""
        n_models = len(self.chosen)
        return [
            Part(self.slot * n_models, self._slots),
            Part(padded(n_models), self._variances, homs_only=True),
        ]

    def _fitted(self, model: LogisticModel, place: int, start: int, stop: int) -> tuple[Floats, Floats]:
        """Residuals and variances of a chunk of people; 0 of those not analysed."""
        columns = self.models.columns[start:stop, : self.models.n_columns]
        cases = self.models.cases[start:stop, self.first + place]
        fitted = probabilities(columns @ model.null)
        analysed = cases >= 0
        return np.where(analysed, cases - fitted, 0), np.where(analysed, fitted * (1 - fitted), 0)

    def _slots(self, start: int, stop: int) -> Floats:
        columns = self.models.columns[start:stop, : self.models.n_columns]
        slots = np.zeros((stop - start, len(self.chosen) * self.slot))
        for place, model in enumerate(self.chosen):
            first = place * self.slot
            residuals, variances = self._fitted(model, place, start, stop)
            slots[:, first] = residuals
            last = first + 1 + model.weighted.shape[1]
            np.multiply(columns @ model.weighted, variances[:, None], out=slots[:, first + 1 : last])
        return slots

    def _variances(self, start: int, stop: int) -> Floats:
        variances = np.zeros((stop - start, padded(len(self.chosen))))
        for place, model in enumerate(self.chosen):
            variances[:, place] = self._fitted(model, place, start, stop)[1]
        return variances

    def test(self, rows: MinorRows, counts: Counts, slots: Sums, homs: Sums, tests: Tests) -> None:
        """Write the outcomes into the columns of the phenotypes."""
        models, rules = self.models, self.models.rules
        places = models.binary_places[self.first : self.stop]
        fits = [models.tested[place] for place in places]
        few = np.array([min(fit.n_cases, fit.n_controls) < rules.few_cases for fit in fits])
        follow = np.zeros((len(rows.order), len(places)), np.int8)
        chi2 = np.full(follow.shape, np.nan)
        _score(
            (rows.order, rows.flipped, rows.counts),
            counts,
            (slots.of_calls, slots.of_missing, homs.of_calls, self.slot),
            (self.masks, models.first_cases_mask + self.first, self.unscaled),
            np.array([model.weighted.shape[1] for model in self.chosen]),
            np.array([fit.n_people for fit in fits]),
            np.array([fit.n_cases for fit in fits]),
            np.where(few, rules.min_mac_few_cases, rules.min_mac),
            (rules.min_maf, rules.firth_below_mac, _chi2_of_p(rules.firth_below_p)),
            places,
            (tests.test, tests.status, tests.beta, tests.se, tests.neg_log10_p),
            (tests.ac, tests.an, tests.ac_cases, tests.an_cases),
            (follow, chi2),
            SERIES,
        )
        for place, column in enumerate(places):
            if follow[:, place].any():
                self._follow(rows, counts, slots, place, int(column), follow[:, place], tests)

    def _follow(
        self,
        rows: MinorRows,
        counts: Counts,
        slots: Sums,
        place: int,
        column: int,
        follow: npt.NDArray[np.int8],
        tests: Tests,
    ) -> None:
        """Approximate Firth regression of one phenotype where the score test is not enough."""
        models = self.models
        phenotype = _of_phenotype(models, self.first + place)
        mask = self.masks[place]
        called = rows.counts if mask == EVERYBODY else counts[:, :, mask]
        known = len(phenotype.people) - called[:, 2]
        means = (called[:, 0] + 2 * called[:, 1]) / np.maximum(known, 1)
        thin, wide = np.flatnonzero(follow == _CARRIERS), np.flatnonzero(follow == _RESIDUALISED)
        calls = (rows.packed, rows.offsets, rows.people, rows.calls)
        found = np.full((len(rows.order), 3), np.nan)
        place_of = np.full(models.n_people, -1, np.int64)
        place_of[phenotype.people] = np.arange(len(phenotype.people))
        fit_carriers(thin, calls, means, place_of, phenotype.cases, phenotype.offsets, found)
        model = self.chosen[place]
        first = place * self.slot + 1
        chosen = slice(first, first + model.weighted.shape[1])
        assert slots.of_missing is not None
        sums = slots.of_calls[wide, chosen] + means[wide, None] * slots.of_missing[wide, chosen]
        told = sums @ model.weighted.T
        columns = models.columns[phenotype.people, : models.n_columns]
        at_once = max(1, _ROWS_AT_ONCE_BYTES // (8 * max(1, len(columns))))
        for start in range(0, len(wide), at_once):
            some = wide[start : start + at_once]
            less = told[start : start + at_once] @ columns.T
            fit_residualised(some, calls, means, place_of, phenotype.cases, phenotype.offsets, less, found)
        self._write(rows, np.concatenate([thin, wide]), column, found, tests)

    def _write(
        self, rows: MinorRows, fitted: npt.NDArray[np.int64], column: int, found: Floats, tests: Tests
    ) -> None:
        variants = rows.order[fitted]
        beta, se, chi2 = found[fitted].T
        settled = np.isfinite(chi2)
        p = neg_log10_p_of_chi2(np.where(settled, chi2, np.nan))
        tests.test[variants, column] = FIRTH_APPROXIMATE
        tests.status[variants, column] = np.where(settled, OK, NO_CONVERGENCE)
        tests.beta[variants, column] = np.where(settled, np.where(rows.flipped[fitted], -beta, beta), np.nan)
        tests.se[variants, column] = np.where(settled, se, np.nan)
        tests.neg_log10_p[variants, column] = p
        if self.models.rules.exact_below_p > 0:
            tests.needs_exact[variants, column] = p > -math.log10(self.models.rules.exact_below_p)


def slot_width(models: Models) -> int:
    """Columns of a binary phenotype's slot."""
    return padded(1 + models.n_columns)


def _of_phenotype(models: Models, place: int) -> _Phenotype:
    people = np.flatnonzero(models.cases[:, place] >= 0)
    offsets = models.columns[people, : models.n_columns] @ models.logistic[place].firth
    return _Phenotype(people, models.cases[people, place].astype(np.float64), offsets)


def _chi2_of_p(p: float) -> float:
    return math.inf if p <= 0 else float(z_of_neg_log10_p(-math.log10(p)) ** 2)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _score(  # type: ignore[no-untyped-def]
    rows, counts, sums, models, n_columns, n_people, n_cases, min_macs, rules, places, outcomes, alleles,
    following, series
):  # fmt: skip
    order, flipped, totals = rows
    slots, slots_missing, homs, slot = sums
    masks, first_cases, unscaled = models
    min_maf, firth_mac, firth_chi2 = rules
    test, status, all_beta, all_se, all_p = outcomes
    all_ac, all_an, all_ac_cases, all_an_cases = alleles
    follow, all_chi2 = following
    for row in range(len(order)):
        variant, flip = order[row], flipped[row]
        for model in range(len(places)):
            place, mask, cases = places[model], masks[model], first_cases + model
            if mask == EVERYBODY:
                het, hom, missing = totals[row, 0], totals[row, 1], totals[row, 2]
            else:
                het, hom, missing = counts[row, 0, mask], counts[row, 1, mask], counts[row, 2, mask]
            known, minor = n_people[model] - missing, het + 2 * hom
            known_cases = n_cases[model] - counts[row, 2, cases]
            minor_cases = counts[row, 0, cases] + 2 * counts[row, 1, cases]
            all_an[variant, place], all_an_cases[variant, place] = 2 * known, 2 * known_cases
            all_ac[variant, place] = 2 * known - minor if flip else minor
            all_ac_cases[variant, place] = 2 * known_cases - minor_cases if flip else minor_cases
            fewer = min(minor, 2 * known - minor)
            if known == 0 or het == known or hom == known or minor == 0:
                status[variant, place] = NO_VARIATION
                continue
            if fewer < min_macs[model] or fewer < min_maf * 2 * known:
                status[variant, place] = TOO_RARE
                continue
            mean, first = minor / known, model * slot
            score = slots[row, first] + mean * slots_missing[row, first]
            once = slots[row, first + 1] * unscaled[model]
            absent = slots_missing[row, first + 1] * unscaled[model]
            whole = once + 2 * homs[row, model] + mean * mean * absent
            left = whole
            for column in range(first + 1, first + 1 + n_columns[model]):
                told = slots[row, column] + mean * slots_missing[row, column]
                left -= told * told
            if left <= COLLINEAR_SHARE * whole:
                status[variant, place] = COLLINEAR
                continue
            chi2 = score * score / left
            all_chi2[row, model] = chi2
            test[variant, place] = SCORE
            all_beta[variant, place] = (-score if flip else score) / left
            all_se[variant, place] = 1 / math.sqrt(left)
            all_p[variant, place] = one_neg_log10_p_of_z(math.sqrt(chi2), series)
            if fewer < firth_mac:
                follow[row, model] = _CARRIERS
            elif chi2 > firth_chi2:
                follow[row, model] = _RESIDUALISED
