"""−log10 p against mpmath at any size, and its inverse."""

from __future__ import annotations

import json
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.regression.p_values import (
    neg_log10_p_of_chi2,
    neg_log10_p_of_t,
    neg_log10_p_of_z,
    z_of_neg_log10_p,
)


def _of_t(t: float, degrees: float) -> float:
    with mpmath.workdps(50):
        t, degrees = mpmath.mpf(t), mpmath.mpf(degrees)
        x = degrees / (degrees + t * t)
        # (1 - x)^(1/2) with the series of Gauss converges everywhere: 2F1(a + 1/2, 1; a + 1; x).
        a = degrees / 2
        log = a * mpmath.log(x) + mpmath.log1p(-x) / 2 - mpmath.log(a) - mpmath.log(mpmath.beta(a, 0.5))
        return float(-(log + mpmath.log(mpmath.hyp2f1(a + mpmath.mpf(1) / 2, 1, a + 1, x))) / mpmath.log(10))


@pytest.mark.parametrize(
    "z", [1e-9, 1e-4, 0.05, 0.0707, 0.0708, 0.7, 1.959964, 5, 37, 38.6, 60, 200, 1e5, 1e9]
)
def test_normal_tails_equal_mpmath(z: float) -> None:
    with mpmath.workdps(60):
        expected = float(-mpmath.log10(mpmath.erfc(mpmath.mpf(z) / mpmath.sqrt(2))))
    assert neg_log10_p_of_z(np.array([z, -z])) == pytest.approx([expected, expected], rel=1e-12)


def test_case_22_is_finite_and_in_order(cases: Path) -> None:
    rows = json.loads((cases / "22_p_underflow" / "expected.json").read_text())["two_sided_normal"].values()
    found = neg_log10_p_of_z([row["z"] for row in rows])
    assert found == pytest.approx([row["neglog10p"] for row in rows], rel=1e-6)
    assert neg_log10_p_of_z([0, 60, 200]) == pytest.approx([0, 783.6064, 8688.29], rel=1e-6)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("degrees", [1, 2, 5, 30, 199, 200, 201, 500, 2389, 10_000, 245_000])
@pytest.mark.parametrize("t", [1e-3, 0.5, 1.5, 4, 10, 38, 60])
def test_students_tails_equal_mpmath(t: float, degrees: int) -> None:
    assert float(neg_log10_p_of_t(t, degrees)) == pytest.approx(_of_t(t, degrees), rel=1e-10)


@pytest.mark.parametrize("degrees", [200, 350, 2389, 10_000])
def test_students_tail_has_no_step_where_the_series_ends(degrees: int) -> None:
    edge = np.sqrt(0.2 * degrees)
    for t in (edge * (1 - 1e-9), edge * (1 + 1e-9), 3 * edge):
        assert float(neg_log10_p_of_t(t, degrees)) == pytest.approx(_of_t(t, degrees), rel=1e-10)


@pytest.mark.parametrize("degrees", [1, 2, 3, 5, 12, 40])
@pytest.mark.parametrize("chi2", [0.01, 0.7, 3.84, 11.0, 40.0, 300.0, 4000.0])
def test_chi2_tails_equal_mpmath(chi2: float, degrees: int) -> None:
    with mpmath.workdps(50):
        lower = mpmath.gammainc(mpmath.mpf(degrees) / 2, 0, mpmath.mpf(chi2) / 2, regularized=True)
        upper = mpmath.gammainc(mpmath.mpf(degrees) / 2, mpmath.mpf(chi2) / 2, mpmath.inf, regularized=True)
        expected = float(
            -mpmath.log(upper) / mpmath.log(10) if chi2 > 1 else -mpmath.log1p(-lower) / mpmath.log(10)
        )
    assert float(neg_log10_p_of_chi2(chi2, degrees)) == pytest.approx(expected, rel=1e-11)


def test_what_is_no_statistic_has_no_p() -> None:
    assert np.isnan(neg_log10_p_of_z(np.nan))
    assert np.isnan(neg_log10_p_of_t([1.0, 1.0, np.nan, np.inf], [0, -3, 5, 5])).all()
    assert np.isnan(neg_log10_p_of_chi2([-1.0, np.nan, 1.0], [1, 1, 0])).all()
    assert neg_log10_p_of_t(0.0, [3, 300]).tolist() == [0, 0]


@given(st.floats(1e-6, 1e6))
def test_a_p_goes_back_to_its_deviate(z: float) -> None:
    assert float(z_of_neg_log10_p(neg_log10_p_of_z(z))) == pytest.approx(z, rel=1e-9)


def test_the_deviate_of_one_half() -> None:
    assert float(z_of_neg_log10_p(np.log10(2)) ** 2) == pytest.approx(0.454936423119572, rel=1e-12)
    assert z_of_neg_log10_p(0.0) == 0
    assert np.isnan(z_of_neg_log10_p([-1.0, np.nan])).all()
