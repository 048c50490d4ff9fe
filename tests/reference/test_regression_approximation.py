"""Approximate Firth regression against the exact one, on real exonic sites of 2,504 people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from allofus_spark import regression
from allofus_spark.regression.models import TEST_NAMES
from benchmarks import calibration
from tests.regression.cohorts import batch, binary, rules

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def people(realdata: Path) -> calibration.People:
    """Everybody, every tenth site."""
    sites = calibration.load(realdata)
    some = calibration.Sites(sites.calls[::10], sites.groups, sites.is_male)
    return some.people(None)


@pytest.mark.parametrize(("n_cases", "bar"), [(250, 0.1), (49, 0.4)])
def test_approximate_p_is_near_the_exact_one(people: calibration.People, n_cases: int, bar: float) -> None:
    """99th percentile of |Δ −log10 p| where Firth's test is used, at MAC of 20 or more and under."""
    random = np.random.default_rng(n_cases)
    n_people = people.calls.shape[1]
    cases = np.zeros(n_people)
    cases[random.choice(n_people, n_cases, replace=False)] = 1
    calls = batch(people.calls)
    with threadpool_limits(1):
        models = regression.fit_models([binary(cases)], people.covariates, rules(min_mac=5))
        scanned = regression.test_variants(models, calls)
        followed = np.flatnonzero(scanned.test[:, 0] == TEST_NAMES.index("firth_approximate"))
        assert len(followed) > 100
        exact = regression.refit(models, calls, followed, np.zeros_like(followed))
    off = np.abs(exact.neg_log10_p[:, 0] - scanned.neg_log10_p[followed, 0])
    assert np.isfinite(off).all()
    assert np.percentile(off, 99) <= bar
