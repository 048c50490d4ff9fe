"""Chance that a case-control test of an additive variant sees an effect of a given size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr, xlog1py, xlogy

Floats = npt.NDArray[np.float64]

# Of the standard normal: p of 0.05, two-sided, and 95 % intervals.
Z_95 = 1.959963984540054
# Half the width within which the intercept is looked for. Halving this bracket 60 times leaves 7e-17.
_BRACKET, _HALVINGS = 40.0, 60


def power_of_known(
    cases: npt.ArrayLike,
    controls: npt.ArrayLike,
    risk_allele_frequency: npt.ArrayLike,
    odds_ratio: npt.ArrayLike,
    *,
    max_controls_per_case: float,
) -> Floats:
    """Power of a two-sided test at 5 % of an additive logistic effect, float64[n].

    Genotypes are in Hardy-Weinberg proportions. The intercept is the one that makes the expected share of
    cases that of the sample; twice the sample size times what the genotype adds to the expected log
    likelihood of a person is the non-centrality of the likelihood-ratio test (Bastarache et al. 2023, after
    Genetic Power Calculator and genpwr).

    Parameters
    ----------
    cases, controls
        People, [n], more than 0. Beyond ``max_controls_per_case`` the share of cases is that of as many
        controls a case, and people are as many as these controls: the published definition.
    risk_allele_frequency
        [n], 0 to 1; of a variant that nobody or everybody carries the power is 0.05. NaN gives NaN.
    odds_ratio
        Of one copy of the risk allele, [n], over 0.
    """
    n_cases, n_controls, frequency, effect = (
        np.asarray(values, np.float64) for values in (cases, controls, risk_allele_frequency, odds_ratio)
    )
    is_major = frequency > 0.5
    beta = np.where(is_major, -np.log(effect), np.log(effect))[:, None] * np.arange(3.0)
    minor = np.where(is_major, 1 - frequency, frequency)
    is_capped = n_controls / n_cases > max_controls_per_case
    share = 1 / (1 + np.where(is_capped, max_controls_per_case, n_controls / n_cases))
    people = np.where(is_capped, n_cases * max_controls_per_case, n_cases + n_controls)
    weights = np.stack([(1 - minor) ** 2, 2 * minor * (1 - minor), minor**2], axis=1)
    risk = expit(_intercept(weights, beta, share)[:, None] + beta)
    with_genotype = (weights * _log_likelihood(risk)).sum(axis=1)
    gain = 2 * people * (with_genotype - _log_likelihood(share))
    root = np.sqrt(np.maximum(gain, 0.0))
    power: Floats = ndtr(root - Z_95) + ndtr(-root - Z_95)
    return power


def _intercept(weights: Floats, beta: Floats, share: Floats) -> Floats:
    """Where the mean risk over genotypes is ``share``, [n], to 1e-9 and better, by halving a bracket."""
    low, high = np.full(len(share), -_BRACKET), np.full(len(share), _BRACKET)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_low = (weights * expit(middle[:, None] + beta)).sum(axis=1) < share
        low, high = np.where(is_low, middle, low), np.where(is_low, high, middle)
    intercept: Floats = (low + high) / 2
    return intercept


def _log_likelihood(risk: Floats) -> Floats:
    """Expected log likelihood of a person who is a case with probability ``risk``."""
    expected: Floats = xlogy(risk, risk) + xlog1py(1 - risk, -risk)
    return expected
