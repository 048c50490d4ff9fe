"""Power of known associations: laws, a plain restatement, and what happens in simulated studies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from allofus_spark.replication.power import power_of_known

cases = st.integers(1, 200_000)
controls = st.integers(1, 2_000_000)
frequencies = st.floats(0.001, 0.999)
odds_ratios = st.floats(0.2, 20)


def power(*values: float, cap: float = 50) -> float:
    (found,) = power_of_known(*([value] for value in values), max_controls_per_case=cap)
    return float(found)


def plainly(n_cases: float, n_controls: float, frequency: float, odds_ratio: float, cap: float = 50) -> float:
    """DESIGN's formula of one association, one step after the other."""
    k, n = n_controls / n_cases, n_cases + n_controls
    if k > cap:
        k, n = cap, cap * n_cases
    share, beta = 1 / (1 + k), math.log(odds_ratio)
    weights = [(1 - frequency) ** 2, 2 * frequency * (1 - frequency), frequency**2]

    def excess(intercept: float) -> float:
        return sum(w * expit(intercept + beta * g) for g, w in enumerate(weights)) - share

    intercept = brentq(excess, -60, 60, xtol=1e-14)
    likelihood = 0.0
    for copies, weight in enumerate(weights):
        q = float(expit(intercept + beta * copies))
        likelihood += weight * (q * math.log(q) + (1 - q) * math.log(1 - q))
    without = share * math.log(share) + (1 - share) * math.log(1 - share)
    root, z = math.sqrt(max(2 * n * (likelihood - without), 0.0)), norm.ppf(0.975)
    return float(norm.cdf(root - z) + norm.cdf(-root - z))


@given(cases, controls, frequencies, odds_ratios)
def test_power_is_that_of_the_formula(n_cases, n_controls, frequency, odds_ratio):
    expected = plainly(n_cases, n_controls, frequency, odds_ratio)
    assert power(n_cases, n_controls, frequency, odds_ratio) == pytest.approx(expected, abs=1e-5)


@given(cases, controls, frequencies, odds_ratios)
def test_power_does_not_depend_on_which_allele_is_counted(n_cases, n_controls, frequency, odds_ratio):
    turned = power(n_cases, n_controls, 1 - frequency, 1 / odds_ratio)
    assert power(n_cases, n_controls, frequency, odds_ratio) == pytest.approx(turned, abs=1e-9)


@given(cases, st.floats(1, 49), frequencies, odds_ratios)
def test_more_people_never_have_less_power(n_cases, per_case, frequency, odds_ratio):
    fewer = power(n_cases, per_case * n_cases, frequency, odds_ratio)
    assert power(2 * n_cases, 2 * per_case * n_cases, frequency, odds_ratio) >= fewer - 1e-9


def test_without_effect_or_carriers_power_is_the_share_of_false_positives():
    assert power(1_000, 5_000, 0.3, 1.0) == pytest.approx(0.05, abs=1e-6)
    assert power(1_000, 5_000, 0.0, 2.0) == pytest.approx(0.05, abs=1e-6)
    assert power(1_000, 5_000, 1.0, 2.0) == pytest.approx(0.05, abs=1e-6)


def test_controls_beyond_the_cap_do_not_count():
    assert power(500, 40_000, 0.2, 1.2) == power(500, 400_000, 0.2, 1.2)
    assert power(500, 40_000, 0.2, 1.2, cap=1_000) > power(500, 40_000, 0.2, 1.2)


@pytest.mark.parametrize(
    ("n_cases", "n_controls", "frequency", "odds_ratio"),
    [(400, 1_600, 0.3, 1.3), (150, 3_000, 0.1, 1.5), (1_000, 1_000, 0.7, 1.15)],
)
def test_power_is_the_share_of_simulated_studies_that_see_the_effect(
    n_cases, n_controls, frequency, odds_ratio
):
    """Genotypes of cases and controls drawn, tested for a trend (Cochran and Armitage)."""
    weights = np.array([(1 - frequency) ** 2, 2 * frequency * (1 - frequency), frequency**2])
    share, copies = n_cases / (n_cases + n_controls), np.arange(3)
    slope = math.log(odds_ratio) * copies
    risk = expit(brentq(lambda a: (weights * expit(a + slope)).sum() - share, -20, 20) + slope)
    chance, n_studies, n = np.random.default_rng(1), 20_000, n_cases + n_controls
    of_cases = chance.multinomial(n_cases, weights * risk / share, n_studies)
    of_controls = chance.multinomial(n_controls, weights * (1 - risk) / (1 - share), n_studies)
    together = of_cases + of_controls
    mean = together @ copies / n
    variance = share * (1 - share) * (together @ copies**2 - n * mean**2)
    z = (of_cases @ copies - n_cases * mean) / np.sqrt(variance)
    seen = (np.abs(z) > norm.ppf(0.975)).mean()
    assert power(n_cases, n_controls, frequency, odds_ratio) == pytest.approx(seen, abs=0.02)
