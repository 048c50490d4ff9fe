"""Meta-analysis against statsmodels and plain sums; counts of p and inflation against exact medians."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from allofus_spark.regression.histogram import bin_of, lambda_gc
from allofus_spark.regression.meta import meta_analyse
from allofus_spark.regression.p_values import neg_log10_p_of_z
from allofus_spark.tables.association_tables import QQ_EDGES


def _effects(n_rows: int = 200) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    beta, se = random.normal(0.2, 0.3, (n_rows, 5)), random.uniform(0.05, 0.5, (n_rows, 5))
    beta[random.random(beta.shape) < 0.3] = np.nan
    return beta, se


def test_pooled_effects_equal_statsmodels() -> None:
    beta, se = _effects()
    found = meta_analyse(beta, se)
    for row in range(len(beta)):
        has = np.isfinite(beta[row])
        assert found.n_studies[row] == has.sum()
        if has.sum() < 2:
            continue
        expected = combine_effects(beta[row, has], se[row, has] ** 2, method_re="iterated")
        assert found.beta[row] == pytest.approx(expected.mean_effect_fe, rel=1e-12)
        assert found.se[row] == pytest.approx(expected.sd_eff_w_fe, rel=1e-12)
        assert found.q[row] == pytest.approx(expected.q, rel=1e-10)
        assert found.i2[row] == pytest.approx(max(0, expected.i2), rel=1e-9, abs=1e-12)
        p = stats.chi2.sf(expected.q, has.sum() - 1)
        assert found.q_neg_log10_p[row] == pytest.approx(-np.log10(p), rel=1e-8)


def test_leaving_one_out_is_the_analysis_of_the_others() -> None:
    beta, se = _effects()
    found = meta_analyse(beta, se)
    for without in range(beta.shape[1]):
        others = meta_analyse(np.delete(beta, without, axis=1), np.delete(se, without, axis=1))
        has = np.isfinite(beta[:, without]) & (others.n_studies > 0)
        for left_out, whole in (
            (found.beta_without, others.beta),
            (found.se_without, others.se),
            (found.neg_log10_p_without, others.neg_log10_p),
        ):
            np.testing.assert_allclose(left_out[has, without], whole[has], rtol=1e-12)
            assert np.isnan(left_out[~has, without]).all()


def test_one_ancestry_or_none() -> None:
    beta = np.array([[0.5, np.nan], [np.nan, np.nan], [0.5, 0.5]])
    se = np.array([[0.1, 0.2], [0.1, 0.2], [0.1, 0.0]])
    found = meta_analyse(beta, se)
    assert found.n_studies.tolist() == [1, 0, 1]
    assert found.beta[[0, 2]].tolist() == [0.5, 0.5]
    assert found.neg_log10_p[0] == pytest.approx(float(neg_log10_p_of_z(5.0)))
    for none in (found.beta[1], found.se[1], found.neg_log10_p[1], *found.q, *found.i2, *found.q_neg_log10_p):
        assert np.isnan(none)
    assert np.isnan(found.beta_without).all()


def test_studies_that_agree_have_no_heterogeneity() -> None:
    found = meta_analyse(np.full((1, 3), 0.25), np.array([[0.1, 0.2, 0.4]]))
    assert (found.q[0], found.i2[0], found.q_neg_log10_p[0]) == (0, 0, 0)


@pytest.mark.parametrize("scale", [1e-160, 1.0, 1e160])
def test_the_unit_of_a_phenotype_does_not_matter(scale: float) -> None:
    beta, se = _effects(20)
    plain, scaled = meta_analyse(beta, se), meta_analyse(beta * scale, se * scale)
    np.testing.assert_allclose(scaled.neg_log10_p, plain.neg_log10_p, rtol=1e-10)
    np.testing.assert_allclose(scaled.i2, plain.i2, atol=1e-10)


def count_by_edges(p: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    """Counts of tests [bins, phenotypes] of −log10 p [variants, phenotypes]; NaN is no test."""
    bins = bin_of(p, np.array(edges))
    counts = np.zeros((len(edges) + 1, p.shape[1]), np.int64)
    for phenotype, tested in enumerate(~np.isnan(p).T):
        np.add.at(counts[:, phenotype], bins[tested, phenotype], 1)
    return counts


@pytest.mark.parametrize("inflation", [0.8, 1.0, 1.03, 1.5, 4.0])
def test_inflation_from_counts_is_that_of_the_median(inflation: float) -> None:
    z = np.random.default_rng(5).normal(0, np.sqrt(inflation), 200_000)
    counts = count_by_edges(neg_log10_p_of_z(z)[:, None], QQ_EDGES)
    exact = np.median(z**2) / stats.chi2.ppf(0.5, 1)
    assert lambda_gc(counts, QQ_EDGES)[0] == pytest.approx(exact, rel=2e-3)


def test_counts_add_up_over_tasks_and_leave_out_what_was_not_tested() -> None:
    random = np.random.default_rng(6)
    p = random.exponential(1.0, (5000, 3))
    p[random.random(p.shape) < 0.1] = np.nan
    whole = count_by_edges(p, QQ_EDGES)
    parts = sum(count_by_edges(part, QQ_EDGES) for part in np.array_split(p, 7))
    np.testing.assert_array_equal(whole, parts)
    np.testing.assert_array_equal(whole.sum(axis=0), np.isfinite(p).sum(axis=0))


def test_a_bin_holds_its_upper_edge() -> None:
    counts = count_by_edges(np.array([[0.0], [0.5], [0.50001], [1.0], [7.0]]), (0.5, 1.0))
    assert counts[:, 0].tolist() == [2, 2, 1]


def test_no_tests_no_inflation() -> None:
    assert np.isnan(lambda_gc(count_by_edges(np.full((4, 1), np.nan), QQ_EDGES), QQ_EDGES)).all()
