"""Phenotypes on covariates, once for a whole scan: what every task needs of them, no more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from allofus_spark.regression.covariates import Basis, Choice, Mask, basis_of, orthonormal
from allofus_spark.regression.fitted import LinearModel, LogisticModel, Models, Pattern
from allofus_spark.regression.models import SCANNED, Covariates, Fit, Floats, Phenotype, TestRules
from allofus_spark.regression.null_models import fit_firth, fit_logistic, probabilities
from allofus_spark.regression.products import padded

_NO_SPREAD = 1e-13  # of a phenotype's squares about the covariates, as a share of those about 0
# Sums over everybody less those over the people whom a phenotype lacks, up to this share of them; else the
# phenotype's people are summed.
_MOST_LACKING = 0.25


class _Fitting:
    """The growing parts of `Models`."""

    def __init__(self, basis: Basis, rules: TestRules) -> None:
        self.basis, self.rules = basis, rules
        self.patterns: list[Pattern] = []
        self.choices: list[Choice] = []
        self.places: dict[bytes, int] = {}
        self.residuals: list[Floats] = []
        self.linear: list[LinearModel] = []
        self.cases: list[np.ndarray[tuple[int], np.dtype[np.int8]]] = []
        self.logistic: list[LogisticModel] = []

    def pattern(self, people: Mask) -> int:
        """Place of the pattern of some people with known covariates, made where it is new."""
        key = np.packbits(people, bitorder="little").tobytes()
        if key not in self.places:
            self.places[key] = len(self.patterns)
            pattern, choice = _pattern(self.basis, people, key)
            self.patterns.append(pattern)
            self.choices.append(choice)
        return self.places[key]

    def add(self, phenotype: Phenotype) -> Fit:
        """Fit a phenotype, and keep its model where it is to be scanned."""
        valued = np.isfinite(phenotype.values)
        people = valued & self.basis.known
        values = phenotype.values[people]
        n_cases = int((values == 1).sum()) if phenotype.is_binary else 0
        n_controls = len(values) - n_cases if phenotype.is_binary else 0
        status = self._too_few(phenotype, len(values), n_cases, n_controls)
        kept: tuple[str, ...] = ()
        dropped: tuple[tuple[str, str], ...] = ()
        if len(values):
            place = self.pattern(people)
            choice, names = self.choices[place], self.basis.names
            kept = tuple(names[index] for index in choice.kept)
            dropped = tuple((names[index], why) for index, why in choice.dropped)
            if status == SCANNED:
                add = self._add_logistic if phenotype.is_binary else self._add_linear
                status = add(values, people, place)
        return Fit(
            phenotype.phenotype_id,
            phenotype.is_binary,
            status,
            len(values),
            n_cases,
            n_controls,
            int((valued & ~people).sum()),
            kept,
            dropped,
        )

    def _too_few(self, phenotype: Phenotype, n_people: int, n_cases: int, n_controls: int) -> str:
        if phenotype.is_binary:
            if n_cases < max(self.rules.min_cases, 1):
                return "too_few_cases"
            return "too_few_controls" if n_controls < max(self.rules.min_cases, 1) else SCANNED
        return "too_few_people" if n_people < self.rules.min_people else SCANNED

    def _add_linear(self, values: Floats, people: Mask, place: int) -> str:
        pattern = self.patterns[place]
        degrees = len(values) - pattern.transform.shape[1] - 1
        if degrees < 1:
            return "too_few_people"
        centred = values - values.mean()
        scale = float(np.sqrt((centred**2).mean()))
        if np.ptp(values) <= _NO_SPREAD * np.abs(values).max() or not np.isfinite(scale) or scale == 0:
            return "constant"
        rest = centred / scale
        columns = self.basis.columns[people] @ pattern.transform
        for _ in range(2):
            rest = rest - columns @ (columns.T @ rest)
        squares = float(rest @ rest)
        if squares <= _NO_SPREAD * len(rest):
            return "constant"
        residuals = np.zeros(len(people))
        residuals[people] = rest
        self.residuals.append(residuals)
        self.linear.append(LinearModel(place, degrees, scale, squares))
        return SCANNED

    def _add_logistic(self, values: Floats, people: Mask, place: int) -> str:
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
        cases = np.full(len(people), -1, np.int8)
        cases[people] = values
        self.cases.append(cases)
        self.logistic.append(LogisticModel(place, transform @ null, transform @ firth.coefficients, weighted))
        return SCANNED


def _pattern(basis: Basis, people: Mask, key: bytes) -> tuple[Pattern, Choice]:
    lacking = np.flatnonzero(basis.known & ~people).astype(np.int32)
    own = len(lacking) > _MOST_LACKING * basis.known.sum()
    columns = basis.columns[people]
    gram = columns.T @ columns
    choice = basis.choose(people, gram / len(columns))
    transform = orthonormal(columns, basis.starting_columns(choice))
    everybody = len(columns) == len(people)
    return Pattern(len(columns), key, everybody, None if own else lacking, gram[0], transform), choice


def fit_models(phenotypes: Sequence[Phenotype], covariates: Covariates, rules: TestRules) -> Models:
    """Fit the phenotypes of the people of an ancestry to their covariates.

    Quantitative ones by least squares, binary ones by logistic regression and by Firth's for the offset. A
    phenotype that cannot be scanned says why in its `Fit`; it has no column in the tests. The result takes
    about as many bytes as phenotypes and covariates (binary phenotypes: one byte a person).
    """
    _check(phenotypes, covariates)
    basis = basis_of(covariates)
    fitting = _Fitting(basis, rules)
    fits = tuple(fitting.add(phenotype) for phenotype in phenotypes)
    n_people = len(basis.known)
    residuals = np.zeros((n_people, padded(len(fitting.residuals))))
    for place, column in enumerate(fitting.residuals):
        residuals[:, place] = column
    cases = np.zeros((n_people, len(fitting.cases)), np.int8)
    for place, flags in enumerate(fitting.cases):
        cases[:, place] = flags
    columns = np.zeros((n_people, padded(basis.columns.shape[1])))
    columns[:, : basis.columns.shape[1]] = basis.columns
    return Models(
        fits=fits,
        rules=rules,
        n_people=n_people,
        n_columns=basis.columns.shape[1],
        columns=columns,
        patterns=tuple(fitting.patterns),
        residuals=residuals,
        linear=tuple(fitting.linear),
        cases=cases,
        logistic=tuple(fitting.logistic),
    )


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
