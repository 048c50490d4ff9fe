"""Calls, phenotypes and rules for tests of regressions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.genotypes.encoding import CallBatch, decode, encode, pack
from allofus_spark.regression import Covariates, Phenotype, TestRules

Calls = npt.NDArray[np.integer[Any]]


def batch(calls: Calls) -> CallBatch:
    """Calls [variants, people] of 0 to 3 as the genotype table stores them."""
    n_people = calls.shape[1]
    columns = encode(pack(calls), n_people)
    return decode(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), n_people)


def dense(calls: Calls) -> CallBatch:
    """The same with every row packed."""
    none = (np.zeros(len(calls) + 1, np.int32), np.zeros(0, np.int32))
    return CallBatch(len(calls), calls.shape[1], np.arange(len(calls)), pack(calls), none, none, none)


def sparse(calls: Calls) -> CallBatch:
    """The same with every row as lists."""
    lists = []
    for call in (1, 2, 3):
        offsets = np.zeros(len(calls) + 1, np.int32)
        np.cumsum((calls == call).sum(axis=1), out=offsets[1:])
        lists.append((offsets, np.nonzero(calls == call)[1].astype(np.int32)))
    packed = np.zeros((0, (calls.shape[1] + 3) // 4), np.uint8)
    return CallBatch(len(calls), calls.shape[1], np.zeros(0, np.int64), packed, *lists)


def rules(**changed: Any) -> TestRules:
    """Rules that test as much as there is to test, with changes."""
    values: dict[str, Any] = {
        "min_cases": 1,
        "min_people": 3,
        "few_cases": 1,
        "min_mac": 1,
        "min_mac_few_cases": 1,
        "min_maf": 0.0,
        "firth_below_p": 0.05,
        "firth_below_mac": 20,
        "exact_below_p": 1e-4,
        "model_bytes": 1 << 28,
    }
    return TestRules(**(values | changed))


def quantitative(values: npt.ArrayLike, name: str = "q") -> Phenotype:
    return Phenotype(name, False, np.asarray(values, np.float64))


def binary(values: npt.ArrayLike, name: str = "b") -> Phenotype:
    return Phenotype(name, True, np.asarray(values, np.float64))


def covariates(**columns: npt.ArrayLike) -> Covariates:
    """Covariates by name, in order."""
    return Covariates(tuple(columns), np.column_stack([np.asarray(c, np.float64) for c in columns.values()]))


def no_covariates(n_people: int) -> Covariates:
    return Covariates((), np.zeros((n_people, 0)))


def imputed(calls: Calls) -> npt.NDArray[np.float64]:
    """Copies of alt of one row, a missing call as the mean of the others."""
    copies = np.where(calls == 3, np.nan, calls.astype(np.float64))
    return np.where(np.isnan(copies), np.nanmean(copies), copies)


def random_calls(
    random: np.random.Generator, n_variants: int, n_people: int, missing: float = 0.02
) -> npt.NDArray[np.int64]:
    """Calls of variants from rare to nearly fixed."""
    frequency = 10 ** random.uniform(-2.5, -0.01, n_variants)
    calls = random.binomial(2, frequency[:, None], (n_variants, n_people))
    calls[random.random(calls.shape) < missing] = 3
    return calls
