"""Phenotypes on covariates, once for a whole scan: what every task needs of them, no more."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from allofus_spark.regression.covariates import Basis, Choice, Mask, basis_of, orthonormal
from allofus_spark.regression.fitted import LinearModel, LogisticModel, Models, Pattern
from allofus_spark.regression.models import SCANNED, Covariates, Fit, Floats, Phenotype, TestRules
from allofus_spark.regression.null_models import fit_firth, fit_logistic, probabilities
from allofus_spark.regression.products import padded

_NO_SPREAD = 1e-13  # of a phenotype's squares about the covariates, as a share of those about 0
# Sums over everybody less those over the people whom a phenotype lacks, up to this share of them; else the
# phenotype's people are summed.
_MOST_LACKING = 0.25


Model = LinearModel | LogisticModel
Column = npt.NDArray[Any]
Places = npt.NDArray[np.int64]


def fit_models(phenotypes: Sequence[Phenotype], covariates: Covariates, rules: TestRules) -> Models:
    """Fit the phenotypes of the people of an ancestry to their covariates, on all cores of this machine.

    Quantitative ones by least squares, binary ones by logistic regression and by Firth's for the offset. A
    phenotype that cannot be scanned says why in its `Fit`; it has no column in the tests. The result takes
    about as many bytes as phenotypes and covariates (binary phenotypes: one byte a person).
    """
    _check(phenotypes, covariates)
    basis = basis_of(covariates)
    n_people, n_binary = len(basis.known), sum(item.is_binary for item in phenotypes)
    residuals = np.zeros((n_people, padded(len(phenotypes) - n_binary)))
    cases = np.full((n_people, n_binary), -1, np.int8)
    quantitative, binary = iter(residuals.T), iter(cases.T)
    columns: list[Column] = [next(binary if item.is_binary else quantitative) for item in phenotypes]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        fitting = _Fitting(basis, rules, phenotypes, pool)
        found = list(pool.map(fitting.fit, phenotypes, fitting.people, columns))
    return Models(
        fits=tuple(fit for fit, _ in found),
        rules=rules,
        n_people=n_people,
        n_columns=basis.columns.shape[1],
        columns=_padded(basis.columns, np.arange(basis.columns.shape[1])),
        patterns=tuple(fitting.patterns),
        residuals=_padded(residuals, _scanned(found, is_binary=False)),
        linear=tuple(model for _, model in found if isinstance(model, LinearModel)),
        cases=cases[:, _scanned(found, is_binary=True)],
        logistic=tuple(model for _, model in found if isinstance(model, LogisticModel)),
    )


def _scanned(found: Sequence[tuple[Fit, Model | None]], *, is_binary: bool) -> Places:
    """Places of the phenotypes that are scanned, among those of their kind."""
    return np.flatnonzero([model is not None for fit, model in found if fit.is_binary == is_binary])


def _padded(columns: Floats, places: Places) -> Floats:
    """The columns at some places, and zeros up to the width of products; others are zero where given."""
    width = padded(len(places))
    if columns.shape[1] == width and np.array_equal(places, np.arange(len(places))):
        return columns
    chosen = np.zeros((len(columns), width))
    chosen[:, : len(places)] = columns[:, places]
    return chosen


class _Fitting:
    """What the fits of all phenotypes share: the basis, and the patterns of their people."""

    def __init__(
        self, basis: Basis, rules: TestRules, phenotypes: Sequence[Phenotype], pool: ThreadPoolExecutor
    ) -> None:
        self.basis, self.rules = basis, rules
        self.people = list(pool.map(self._people, phenotypes))
        different = [bits for bits in dict.fromkeys(self.people) if any(bits)]
        made = list(pool.map(partial(_pattern, basis), different))
        self.patterns = [pattern for pattern, _ in made]
        self.choices = [choice for _, choice in made]
        self.places = {bits: place for place, bits in enumerate(different)}

    def _people(self, phenotype: Phenotype) -> bytes:
        """Those with a value and all covariates, as a bit each, lowest first."""
        return np.packbits(np.isfinite(phenotype.values) & self.basis.known, bitorder="little").tobytes()

    def fit(self, phenotype: Phenotype, bits: bytes, column: Column) -> tuple[Fit, Model | None]:
        """Fit a phenotype; its residuals or cases go into ``column`` where it is to be scanned."""
        valued = np.isfinite(phenotype.values)
        people = valued & self.basis.known
        values = phenotype.values[people]
        n_cases = int((values == 1).sum()) if phenotype.is_binary else 0
        n_controls = len(values) - n_cases if phenotype.is_binary else 0
        status = self._too_few(phenotype, len(values), n_cases, n_controls)
        kept: tuple[str, ...] = ()
        dropped: tuple[tuple[str, str], ...] = ()
        model: Model | None = None
        if len(values):
            place, names = self.places[bits], self.basis.names
            kept = tuple(names[index] for index in self.choices[place].kept)
            dropped = tuple((names[index], why) for index, why in self.choices[place].dropped)
            if status == SCANNED:
                of_kind = self._logistic if phenotype.is_binary else self._linear
                found = of_kind(values, people, place, column)
                status, model = (found, None) if isinstance(found, str) else (SCANNED, found)
        n_lacking = int((valued & ~people).sum())
        of_people = len(values), n_cases, n_controls, n_lacking
        return Fit(phenotype.phenotype_id, phenotype.is_binary, status, *of_people, kept, dropped), model

    def _too_few(self, phenotype: Phenotype, n_people: int, n_cases: int, n_controls: int) -> str:
        if phenotype.is_binary:
            if n_cases < max(self.rules.min_cases, 1):
                return "too_few_cases"
            return "too_few_controls" if n_controls < max(self.rules.min_cases, 1) else SCANNED
        return "too_few_people" if n_people < self.rules.min_people else SCANNED

    def _linear(self, values: Floats, people: Mask, place: int, column: Column) -> LinearModel | str:
        """The model, or why there is none."""
        pattern = self.patterns[place]
        degrees = len(values) - pattern.transform.shape[1] - 1
        if degrees < 1:
            return "too_few_people"
        _, power = np.frexp(np.abs(values).max())
        values = np.ldexp(values, -power)  # without it squares of large values are infinite, of small ones 0
        if np.ptp(values) <= _NO_SPREAD:
            return "constant"
        centred = values - values.mean()
        spread = float(np.sqrt((centred**2).mean()))
        rest = centred / spread
        columns = self.basis.columns[people] @ pattern.transform
        for _ in range(2):
            rest = rest - columns @ (columns.T @ rest)
        squares = float(rest @ rest)
        if squares <= _NO_SPREAD * len(rest):
            return "constant"
        column[people] = rest
        return LinearModel(place, degrees, float(np.ldexp(spread, power)), squares)

    def _logistic(self, values: Floats, people: Mask, place: int, column: Column) -> LogisticModel | str:
        """The model, or why there is none."""
        transform = self.patterns[place].transform * np.sqrt(len(values))
        if len(values) <= transform.shape[1] + 1:
            return "too_few_people"
        columns = self.basis.columns[people]
        design = columns @ transform
        null = fit_logistic(design, values)
        firth = fit_firth(design, values, null)
        if firth is None and null is not None:
            firth = fit_firth(design, values)
        if firth is None:
            return "no_fit"
        null = firth.coefficients if null is None else null
        fitted = probabilities(design @ null)
        weights = np.sqrt(fitted * (1 - fitted))[:, None]
        try:
            weighted = orthonormal(columns * weights, transform)
        except np.linalg.LinAlgError:
            return "no_fit"
        column[people] = values
        return LogisticModel(place, transform @ null, transform @ firth.coefficients, weighted)


def _pattern(basis: Basis, bits: bytes) -> tuple[Pattern, Choice]:
    packed = np.frombuffer(bits, np.uint8)
    people = np.unpackbits(packed, count=len(basis.known), bitorder="little").astype(np.bool_)
    lacking = np.flatnonzero(basis.known & ~people).astype(np.int32)
    own = len(lacking) > _MOST_LACKING * basis.known.sum()
    columns = basis.columns[people]
    gram = columns.T @ columns
    choice = basis.choose(people, gram / len(columns))
    transform = orthonormal(columns, basis.starting_columns(choice))
    everybody = len(columns) == len(people)
    return Pattern(len(columns), bits, everybody, None if own else lacking, gram[0], transform), choice


def _check(phenotypes: Sequence[Phenotype], covariates: Covariates) -> None:
    n_people = len(covariates.values)
    if covariates.values.shape != (n_people, len(covariates.names)):
        raise ValueError(f"{len(covariates.names)} covariates named, values are {covariates.values.shape}")
    for phenotype in phenotypes:
        if phenotype.values.shape != (n_people,):
            raise ValueError(
                f"phenotype {phenotype.phenotype_id} has {phenotype.values.shape} values, the covariates "
                f"{n_people}"
            )
        known = phenotype.values[np.isfinite(phenotype.values)]
        if phenotype.is_binary and not np.isin(known, (0, 1)).all():
            raise ValueError(f"binary phenotype {phenotype.phenotype_id} has values other than 0 and 1")
