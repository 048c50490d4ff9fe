"""Filtering allele frequency against Hail, and against its definition by root-finding."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import poisson

from allofus_spark.frequencies.frequency import filtering_frequency

BY_HAIL = Path(__file__).with_name("faf95_hail.json")


def test_equals_hail_within_its_step() -> None:
    ac, an, by_hail = np.array(json.loads(BY_HAIL.read_text())["ac_an_faf95"]).T
    assert len(ac) > 100
    ours = filtering_frequency(ac.astype(np.int64), an.astype(np.int64), 0.95)
    # Hail goes in steps of 1e-6.
    np.testing.assert_allclose(ours, by_hail, rtol=0, atol=1.1e-6)


@settings(max_examples=200, deadline=None)
@given(ac=st.integers(2, 200_000), spare=st.integers(0, 2_000_000), confidence=st.sampled_from((0.95, 0.99)))
def test_is_the_root_of_its_definition(ac: int, spare: int, confidence: float) -> None:
    """The f at which seeing ac or more among an has probability 1 - confidence."""
    an = ac + spare
    root = brentq(lambda f: poisson.cdf(ac - 1, an * f) - confidence, 0, ac / an, xtol=1e-15, rtol=1e-13)
    (ours,) = filtering_frequency(np.array([ac]), np.array([an]), confidence)
    np.testing.assert_allclose(ours, root, rtol=1e-9)
    assert 0 < ours < ac / an


def test_ends() -> None:
    ours = filtering_frequency(np.array([[0, 1, 2], [0, 5, 0]]), np.array([[10, 10, 10], [0, 5, 1]]), 0.95)
    np.testing.assert_array_equal(np.isnan(ours), [[False, False, False], [True, False, False]])
    assert ours[0, 0] == ours[0, 1] == ours[1, 2] == 0
    assert ours[0, 2] > 0
