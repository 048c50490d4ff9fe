"""Logistic regression on covariates alone: maximum likelihood, and Firth's penalised likelihood."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from allofus_spark.regression.models import Floats

_MOST_STEPS = 60
_MOST_FIRTH_STEPS = 100
_MOST_TRIES = 12
_SMALL_SLOPE = 0.3  # of the penalised score along a step, where a step may end
_SETTLED = 1e-9  # of a coefficient of a column of mean square 1
_LONGEST_STEP = 5.0
_FARTHEST = 1e6  # a step of maximum likelihood that long goes to infinity: cases are told apart


def probabilities(predictor: Floats) -> Floats:
    """1 / (1 + exp(−x)), without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(predictor, -700, 700))))


def _log_likelihood(predictor: Floats, cases: Floats) -> float:
    return float(cases @ predictor - np.logaddexp(0, predictor).sum())


def _information(design: Floats, weights: Floats) -> Floats:
    return np.asarray((design * weights[:, None]).T @ design)


def fit_logistic(design: Floats, cases: Floats) -> Floats | None:
    """Coefficients float64[k] of greatest likelihood; None where there are none, as under separation.

    ``design`` float64[n, k] with independent columns, an intercept first; ``cases`` float64[n] of 0 and 1.
    """
    coefficients = np.zeros(design.shape[1])
    share = cases.mean()
    coefficients[0] = np.log(share / (1 - share)) / design[0, 0]
    likelihood = _log_likelihood(design @ coefficients, cases)
    for _ in range(_MOST_STEPS):
        fitted = probabilities(design @ coefficients)
        try:
            step: Floats = np.asarray(
                np.linalg.solve(_information(design, fitted * (1 - fitted)), design.T @ (cases - fitted))
            )
        except np.linalg.LinAlgError:
            return None
        if not np.abs(step).max() < _FARTHEST:
            return None
        scale, likelihood = _uphill(design, cases, coefficients, step, likelihood)
        coefficients = coefficients + scale * step
        if np.abs(scale * step).max() < _SETTLED * max(1.0, float(np.abs(coefficients).max())):
            return coefficients
    return None


def _uphill(
    design: Floats, cases: Floats, coefficients: Floats, step: Floats, likelihood: float
) -> tuple[float, float]:
    """How much of a step to go, halved while the likelihood falls, and the likelihood there."""
    scale = 1.0
    while True:
        reached = _log_likelihood(design @ (coefficients + scale * step), cases)
        if reached >= likelihood - 1e-9 * abs(likelihood) or scale < 1e-3:
            return scale, reached
        scale /= 2


class _State(NamedTuple):
    """Penalised score, information and its inverse, and penalised log-likelihood at some coefficients."""

    score: Floats
    information: Floats
    inverse: Floats
    likelihood: float


class FirthFit(NamedTuple):
    """Coefficients, their standard errors and the penalised log-likelihood."""

    coefficients: Floats
    errors: Floats
    likelihood: float


def fit_firth(
    design: Floats, cases: Floats, start: Floats | None = None, *, held: int | None = None
) -> FirthFit | None:
    """Firth's logistic regression (Firth, Biometrika 1993;80:27); None where the fit does not settle.

    Steps with the expected information, of a length at which the penalised score along them is about 0: the
    whole step overshoots twofold where a coefficient hangs on one person. ``held``: this coefficient stays
    at its start, the penalty is that of the full design (Heinze and Schemper, Stat Med 2002;21:2409).
    """
    n_columns = design.shape[1]
    coefficients = np.zeros(n_columns) if start is None else start.copy()
    if start is None:
        share = (cases.sum() + 0.5) / (len(cases) + 1)
        coefficients[0] = np.log(share / (1 - share)) / design[0, 0]
    free = np.array([column for column in range(n_columns) if column != held])
    state = _penalised(design, cases, coefficients)
    for _ in range(_MOST_FIRTH_STEPS):
        if state is None:
            return None
        step = np.zeros(n_columns)
        step[free] = (
            state.inverse @ state.score
            if held is None
            else np.linalg.solve(state.information[np.ix_(free, free)], state.score[free])
        )
        longest = float(np.abs(step).max())
        if longest < _SETTLED * max(1.0, float(np.abs(coefficients).max())):
            return FirthFit(coefficients, np.sqrt(np.diag(state.inverse)), state.likelihood)
        step *= min(1.0, _LONGEST_STEP / longest)
        scale, state = _along(design, cases, coefficients, step, state)
        coefficients = coefficients + scale * step
    return None


def _along(
    design: Floats, cases: Floats, coefficients: Floats, step: Floats, state: _State
) -> tuple[float, _State | None]:
    """How much of a step to go, and the state there: secants of the penalised score along it."""
    slope, scale = float(state.score @ step), 1.0
    for _ in range(_MOST_TRIES):
        tried = _penalised(design, cases, coefficients + scale * step)
        if tried is None:
            scale /= 4
            continue
        there = float(tried.score @ step)
        rises = tried.likelihood >= state.likelihood - 1e-10 * abs(state.likelihood)
        if rises and abs(there) <= _SMALL_SLOPE * abs(slope):
            return scale, tried
        gap = slope - there
        scale *= min(max(slope / gap, 0.1), 4.0) if gap > 0 and rises else 0.5 if not rises else 2.0
    return (scale, tried) if tried is not None and rises else (0.0, None)


def _penalised(design: Floats, cases: Floats, coefficients: Floats) -> _State | None:
    """The state at some coefficients; None: its information is singular."""
    predictor = design @ coefficients
    fitted = probabilities(predictor)
    weights = fitted * (1 - fitted)
    information = _information(design, weights)
    sign, log_determinant = np.linalg.slogdet(information)
    if sign <= 0 or not np.isfinite(log_determinant):
        return None
    inverse: Floats = np.asarray(np.linalg.inv(information), np.float64)
    leverages = weights * ((design @ inverse) * design).sum(axis=1)
    score = design.T @ (cases - fitted + leverages * (0.5 - fitted))
    likelihood = _log_likelihood(predictor, cases) + 0.5 * float(log_determinant)
    return _State(score, information, inverse, likelihood)
