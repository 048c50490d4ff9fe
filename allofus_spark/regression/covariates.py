"""Covariates as an orthonormal basis: which of them count, and the basis of any part of the people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allofus_spark.regression.models import Covariates, Floats

# A covariate is explained by earlier ones where the rest of it is shorter than this share of its length.
_COLLINEAR = 1e-7
_CONSTANT = 1e-12  # spread as a share of the largest value
_NO_PART = 1e-6  # a standardised coefficient under this names no covariate as an explanation
_SAFE_EIGENVALUE = 1e-4  # of a Gram matrix in the basis of everybody: nothing is near collinear

CONSTANT = "constant"
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Choice:
    """Covariates kept, as indices, and (index, why) of the others."""

    kept: tuple[int, ...]
    dropped: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Basis:
    """Basis of the kept covariates among everybody with all of them known.

    ``columns`` float64[n, k], the intercept (1) first, orthogonal, of mean square 1; rows of zeros where a
    covariate is not known. ``triangle`` float64[k, k]: standardised intercept and kept covariates are
    ``columns @ triangle``.
    """

    names: tuple[str, ...]
    values: Floats
    known: Mask
    choice: Choice
    columns: Floats
    triangle: Floats

    def choose(self, people: Mask, gram: Floats) -> Choice:
        """Which covariates count among some of the people; ``gram`` of their rows, as a mean."""
        if np.linalg.eigvalsh(gram)[0] > _SAFE_EIGENVALUE:
            return self.choice
        return choose(self.names, self.values[people])

    def starting_columns(self, choice: Choice) -> Floats:
        """float64[k, 1 + kept]: independent columns, in the basis, that span the intercept and a choice."""
        if choice.kept == self.choice.kept:
            return np.eye(len(self.triangle))
        kept = [0, *(1 + self.choice.kept.index(index) for index in choice.kept)]
        return self.triangle[:, kept]


def _standardised(values: Floats) -> Floats:
    """Columns of mean 0 and length 1; a constant one is NaN."""
    largest = np.max(np.abs(values), axis=0, initial=0)
    spread = np.ptp(values, axis=0) if len(values) else np.zeros(values.shape[1])
    centred = values - np.mean(values, axis=0) if len(values) else values
    centred = centred - (centred.mean(axis=0) if len(values) else 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = centred / np.sqrt((centred**2).sum(axis=0))
    scaled[:, spread <= _CONSTANT * largest] = np.nan
    return np.asarray(scaled)


def choose(names: tuple[str, ...], values: Floats) -> Choice:
    """Covariates that vary and are not explained by earlier ones, whatever their scale.

    ``values`` float64[people, len(names)], all known. A dropped one is `CONSTANT` or collinear with named
    covariates.
    """
    columns = _standardised(values)
    constant = np.isnan(columns).any(axis=0) if len(columns) else np.ones(len(names), np.bool_)
    dropped = {int(index): CONSTANT for index in np.flatnonzero(constant)}
    kept = [index for index in range(len(names)) if index not in dropped]
    while kept:
        triangle: Floats = np.asarray(np.linalg.qr(columns[:, kept])[1])
        if len(triangle) < len(kept):
            triangle = np.vstack([triangle, np.zeros((len(kept) - len(triangle), len(kept)))])
        short = np.flatnonzero(np.abs(np.diag(triangle)) <= _COLLINEAR)
        if not len(short):
            break
        place = int(short[0])
        parts = np.linalg.solve(triangle[:place, :place], triangle[:place, place])
        named = [names[kept[at]] for at in np.flatnonzero(np.abs(parts) > _NO_PART)]
        dropped[kept.pop(place)] = f"collinear with {', '.join(named)}"
    return Choice(tuple(kept), tuple(sorted(dropped.items())))


def basis_of(covariates: Covariates) -> Basis:
    """The basis of everybody whose covariates are all known."""
    known: Mask = np.asarray(np.isfinite(covariates.values).all(axis=1))
    values = covariates.values[known]
    choice = choose(covariates.names, values)
    n_known = len(values)
    if not n_known:
        return Basis(covariates.names, covariates.values, known, choice, np.zeros((len(known), 1)), np.eye(1))
    design = np.ones((n_known, 1 + len(choice.kept)))
    design[:, 1:] = _standardised(values[:, choice.kept]) * np.sqrt(n_known)
    columns = np.zeros((len(known), design.shape[1]))
    orthonormal, triangle = np.linalg.qr(design)
    signs = np.where(np.diag(triangle) < 0, -1.0, 1.0)  # the intercept is 1, not -1
    columns[known] = orthonormal * signs * np.sqrt(n_known)
    columns[known, 0] = 1
    triangle = triangle * signs[:, None] / np.sqrt(n_known)
    return Basis(covariates.names, covariates.values, known, choice, columns, triangle)


def orthonormal(columns: Floats, start: Floats) -> Floats:
    """float64[k, m], so that ``columns @`` it is orthonormal and spans ``columns @ start``, in that order.

    Cholesky factors of the Gram matrix, twice, as one loses digits where columns are near collinear.
    """
    transform = start / np.sqrt(((columns @ start) ** 2).sum(axis=0))
    for _ in range(2):
        made = columns @ transform
        transform = np.linalg.solve(np.linalg.cholesky(made.T @ made), transform.T).T
    return np.asarray(transform)
