"""Logistic regression on covariates alone: maximum likelihood, and Firth's penalised likelihood."""

from __future__ import annotations

import numpy as np

from allofus_spark.regression.models import Floats

_MOST_STEPS = 60
_MOST_FIRTH_STEPS = 500
_SETTLED = 1e-9  # of a coefficient of a column of mean square 1
_LONGEST_STEP = 5.0


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
            step = np.linalg.solve(
                _information(design, fitted * (1 - fitted)), design.T @ (cases - fitted)
            )
        except np.linalg.LinAlgError:
            return None
        scale = 1.0
        while True:
            tried = coefficients + scale * step
            reached = _log_likelihood(design @ tried, cases)
            if reached >= likelihood - 1e-9 * abs(likelihood) or scale < 1e-3:
                break
            scale /= 2
        coefficients, likelihood = tried, reached
        if not np.isfinite(coefficients).all():
            return None
        if np.abs(scale * step).max() < _SETTLED * max(1.0, float(np.abs(coefficients).max())):
            return coefficients
    return None


def fit_firth(
    design: Floats, cases: Floats, start: Floats | None = None, *, held: int | None = None
) -> tuple[Floats, float, Floats] | None:
    """Firth's logistic regression (Firth, Biometrika 1993;80:27): coefficients, penalised log-likelihood, se.

    Newton steps with the expected information, halved while the penalised likelihood falls. ``held``: this
    coefficient stays at its start, the penalty is that of the full design (Heinze and Schemper, Stat Med
    2002;21:2409). None where the fit does not settle.
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
        score, information, inverse, likelihood = state
        step = np.zeros(n_columns)
        step[free] = (
            inverse @ score if held is None else np.linalg.solve(information[np.ix_(free, free)], score[free])
        )
        longest = float(np.abs(step).max())
        scale = min(1.0, _LONGEST_STEP / longest) if longest else 1.0
        settled = longest < _SETTLED * max(1.0, float(np.abs(coefficients).max()))
        if settled:
            return coefficients, likelihood, np.sqrt(np.diag(inverse))
        while True:
            tried = _penalised(design, cases, coefficients + scale * step)
            if tried is not None and tried[3] >= likelihood - 1e-10 * abs(likelihood):
                break
            if scale < 1e-6:
                return None
            scale /= 2
        coefficients, state = coefficients + scale * step, tried
    return None


def _penalised(
    design: Floats, cases: Floats, coefficients: Floats
) -> tuple[Floats, Floats, Floats, float] | None:
    """Penalised score, information, its inverse and the penalised log-likelihood; None: singular."""
    predictor = design @ coefficients
    fitted = probabilities(predictor)
    weights = fitted * (1 - fitted)
    information = _information(design, weights)
    sign, log_determinant = np.linalg.slogdet(information)
    if sign <= 0 or not np.isfinite(log_determinant):
        return None
    inverse = np.linalg.inv(information)
    leverages = weights * ((design @ inverse) * design).sum(axis=1)
    score = design.T @ (cases - fitted + leverages * (0.5 - fitted))
    return score, information, inverse, _log_likelihood(predictor, cases) + 0.5 * float(log_determinant)
