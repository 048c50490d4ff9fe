"""A small part of the calibration benchmark: its measures find what is off, and chance is not."""

from __future__ import annotations

import numpy as np
import pytest

from allofus_spark.regression.p_values import neg_log10_p_of_z
from benchmarks import calibration

from .cohorts import covariates

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def people() -> calibration.People:
    """2,500 unlinked sites of 600 people in Hardy-Weinberg equilibrium."""
    random = np.random.default_rng(21)
    frequency = random.uniform(0.02, 0.5, 2500)
    calls = random.binomial(2, frequency[:, None], (2500, 600)).astype(np.int8)
    return calibration.People(calls, covariates(sex=random.random(600) < 0.5, pc1=random.normal(size=600)))


@pytest.mark.parametrize("n_cases", [None, 300])
def test_phenotypes_of_chance_have_p_of_chance(people: calibration.People, n_cases: int | None) -> None:
    tests = calibration.scan(people, calibration.shuffled(600, n_cases, 20, seed=3))
    rates = calibration.rates_of(tests)
    assert sum(rate.n for rate in rates) > 48_000
    assert not calibration.missed("chance", rates)
    assert 0.97 < calibration.lambdas_of(tests).mean() < 1.03


def test_few_cases_err_on_the_safe_side(people: calibration.People) -> None:
    tests = calibration.scan(people, calibration.shuffled(600, 49, 20, seed=4), firth_below_p=1.0)
    assert not calibration.missed_by_few_cases("49 cases", calibration.rates_of(tests))


def test_planted_effects_come_back_within_their_errors(people: calibration.People) -> None:
    for off in calibration.planted(people, seed=5):
        assert 0.85 < np.sqrt((off**2).mean()) < 1.15


def test_what_is_off_is_named() -> None:
    rates = [calibration.Rates((0.05, 0.51), 100_000, (0.054, 0.001))]
    assert calibration.missed("EUR normal", rates) == [
        "EUR normal, MAF 0.05 to 0.51: 0.05400 of 100,000 p are under 0.05, the bars are 0.04642 and 0.05358"
    ]
    assert len(calibration.missed_by_few_cases("few", [calibration.Rates((0, 1), 9, (0.01, 0.01))])) == 2
    assert float(neg_log10_p_of_z(1.959964)) == pytest.approx(-np.log10(calibration.LEVELS[0]), rel=1e-6)
