"""Models of phenotypes as tasks receive them, and what a task derives from them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.bit_planes import Words
from allofus_spark.regression.models import SCANNED, Fit, Floats, TestRules

EVERYBODY = -1
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Pattern:
    """People with a value of a phenotype and all covariates.

    ``bits`` one a person, lowest first; ``everybody``: all people of the models. ``lacking`` int32: people
    with all covariates who are not among them; None where they are too many to be subtracted. ``sums``
    float64[k] of the basis over the people; ``transform`` float64[k, m]: ``basis @`` it is orthonormal there.
    """

    n_people: int
    bits: bytes
    everybody: bool
    lacking: npt.NDArray[np.int32] | None
    sums: Floats
    transform: Floats


@dataclass(frozen=True)
class LinearModel:
    """A quantitative phenotype: its pattern, degrees of freedom of a test, the unit that its residuals are
    in, and their sum of squares."""

    pattern: int
    degrees: int
    scale: float
    squares: float


@dataclass(frozen=True)
class LogisticModel:
    """A binary phenotype: its pattern; coefficients float64[k] in the basis, of the null model and of
    Firth's; ``weighted`` float64[k, m]: √w times ``basis @`` it is orthonormal, w the null's variances."""

    pattern: int
    null: Floats
    firth: Floats
    weighted: Floats


@dataclass(frozen=True)
class Models:
    """Fitted phenotypes of the people of an ancestry: what `fit_models` makes and tasks receive.

    ``fits`` has all phenotypes in the order given; `tested` those with columns in tests. ``columns``
    float64[n_people, padded]: the basis of the covariates, zero past ``n_columns``. ``residuals``
    float64[n_people, padded] and ``linear`` of the quantitative phenotypes that are scanned; ``cases``
    int8[n_people, .] (1, 0, -1: not analysed) and ``logistic`` of the binary ones. A pickle has these alone.
    """

    fits: tuple[Fit, ...]
    rules: TestRules
    n_people: int
    n_columns: int
    columns: Floats
    patterns: tuple[Pattern, ...]
    residuals: Floats
    linear: tuple[LinearModel, ...]
    cases: npt.NDArray[np.int8]
    logistic: tuple[LogisticModel, ...]

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def tested(self) -> tuple[Fit, ...]:
        """The phenotypes that are scanned, as the columns of tests."""
        return tuple(fit for fit in self.fits if fit.status == SCANNED)

    @cached_property
    def linear_places(self) -> npt.NDArray[np.int64]:
        """Columns of tests of the quantitative phenotypes."""
        return np.flatnonzero([not fit.is_binary for fit in self.tested])

    @cached_property
    def binary_places(self) -> npt.NDArray[np.int64]:
        """Columns of tests of the binary phenotypes."""
        return np.flatnonzero([fit.is_binary for fit in self.tested])

    @cached_property
    def mask_of_pattern(self) -> npt.NDArray[np.int64]:
        """Row of `masks` of each pattern; `EVERYBODY`: it needs none."""
        needs = np.array([not pattern.everybody for pattern in self.patterns], np.bool_)
        return np.where(needs, np.cumsum(needs) - 1, EVERYBODY)

    @cached_property
    def first_cases_mask(self) -> int:
        """Row of `masks` of the cases of the first binary phenotype; those of the others follow."""
        return int((self.mask_of_pattern != EVERYBODY).sum())

    @cached_property
    def masks(self) -> Words:
        """uint64[masks, words]: people of patterns, then cases of binary phenotypes, as bit planes."""
        n_masks = self.first_cases_mask + len(self.logistic)
        words = np.zeros((n_masks, (self.n_people + 63) // 64), np.uint64)
        bytes_of = words.view(np.uint8)
        for pattern, mask in zip(self.patterns, self.mask_of_pattern, strict=True):
            if mask != EVERYBODY:
                bytes_of[mask, : len(pattern.bits)] = np.frombuffer(pattern.bits, np.uint8)
        for place in range(len(self.logistic)):
            bits = np.packbits(self.cases[:, place] == 1, bitorder="little")
            bytes_of[self.first_cases_mask + place, : len(bits)] = bits
        return words

    @cached_property
    def members(self) -> Bytes:
        """uint8[n_people, masks]: the masks by person, 1 for a member."""
        members = np.zeros((self.n_people, len(self.masks)), np.uint8)
        for mask, words in enumerate(self.masks):
            members[:, mask] = np.unpackbits(words.view(np.uint8), count=self.n_people, bitorder="little")
        return members

    def people(self, pattern: int) -> npt.NDArray[np.bool_]:
        """bool[n_people]: who is in a pattern."""
        bits = np.frombuffer(self.patterns[pattern].bits, np.uint8)
        return np.unpackbits(bits, count=self.n_people, bitorder="little").astype(np.bool_)
