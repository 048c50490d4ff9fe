"""What is tested: phenotypes and covariates of the people of one ancestry, and the outcome of each test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Phenotype:
    """One phenotype of the people of an ancestry.

    ``values`` float64[n]: NaN where somebody is not analysed; of a binary phenotype 1 for a case, 0 for a
    control.
    """

    phenotype_id: str
    is_binary: bool
    values: Floats


@dataclass(frozen=True)
class Covariates:
    """Covariates of the same people, without an intercept: values float64[n, len(names)], NaN: not known."""

    names: tuple[str, ...]
    values: Floats


@dataclass(frozen=True)
class TestRules:
    """Which test follows which; see the settings of association of the same names."""

    min_cases: int
    min_people: int
    few_cases: int
    min_mac: int
    min_mac_few_cases: int
    min_maf: float
    firth_below_p: float
    firth_below_mac: int
    exact_below_p: float
    model_bytes: int


@dataclass(frozen=True)
class Tests:
    """Outcomes of some variants in the fitted phenotypes of an ancestry, all [variants, phenotypes].

    ``test`` int8, places in TEST_NAMES, -1: none; ``status`` int8, places in STATUS_NAMES. beta, se and
    neg_log10_p float64, NaN where there is none. ac and an int64 of the analysed people, and of the cases
    among them (0 where quantitative). ``needs_exact`` bool: an approximate test whose p asks for `refit`.
    """

    test: Codes
    status: Codes
    beta: Floats
    se: Floats
    neg_log10_p: Floats
    ac: Integers
    an: Integers
    ac_cases: Integers
    an_cases: Integers
    needs_exact: npt.NDArray[np.bool_]


SCANNED = "scanned"


@dataclass(frozen=True)
class Fit:
    """A phenotype on the covariates.

    ``status`` is `SCANNED`, or why it is not: too_few_cases, too_few_controls, too_few_people, constant
    (nothing is left of a quantitative phenotype), no_fit (a logistic model does not settle). ``n_people``
    have a value and all covariates, ``n_no_covariate`` a value but not all covariates. ``covariates`` are
    kept; of those ``dropped``, each with a reason.
    """

    phenotype_id: str
    is_binary: bool
    status: str
    n_people: int
    n_cases: int
    n_controls: int
    n_no_covariate: int
    covariates: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]


TEST_NAMES: Sequence[str] = ("linear", "score", "firth_approximate", "firth_exact")
STATUS_NAMES: Sequence[str] = (
    "ok",
    "no_variation",
    "too_rare",
    "collinear",
    "no_convergence",
    "perfect_fit",
)
