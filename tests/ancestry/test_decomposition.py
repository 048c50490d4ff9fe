"""Eigenpairs, exact and randomised, and scores of samples that were left out."""

from __future__ import annotations

import numpy as np
import pytest

from allofus_spark.ancestry.decomposition import Components, exact_components, randomised_components

from .populations import components, frequencies, left_out_scores, simulate, standardised

GROUPS = ("afr", "eas", "eur", "sas")
N_PCS = 6


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    calls = simulate(GROUPS, 30, n_sites=500, missing=0.02).calls
    return standardised(calls, frequencies(calls), len(calls))


@pytest.fixture(scope="module")
def exact(x: np.ndarray) -> Components:
    return exact_components(x.T @ x, N_PCS)


def test_exact_components_are_the_singular_vectors(x: np.ndarray, exact: Components) -> None:
    eigenvalues, scores, _ = components(x, N_PCS)
    np.testing.assert_allclose(exact.eigenvalues, eigenvalues, rtol=1e-11)
    np.testing.assert_allclose(np.abs(exact.scores), np.abs(scores), atol=1e-9)


def test_left_out_scores_are_those_on_loadings_without_the_sample(x: np.ndarray, exact: Components) -> None:
    np.testing.assert_allclose(np.abs(exact.left_out_scores()), np.abs(left_out_scores(x, N_PCS)), atol=1e-10)


def test_left_out_scores_shrink_as_those_of_new_people_do() -> None:
    """Of two halves of the same populations, one makes the loadings: the other lies nearer to the middle."""
    calls = simulate(GROUPS, 60, n_sites=500).calls
    train, rest = calls[:, ::2], calls[:, 1::2]
    p = frequencies(train)
    is_varied = (p > 0) & (p < 1)
    x, new = (standardised(half[is_varied], p[is_varied], is_varied.sum()) for half in (train, rest))
    made = exact_components(x.T @ x, 8)
    loadings = x @ made.vectors / np.sqrt(made.eigenvalues)
    spread = (new.T @ loadings).std(axis=0)
    noise = slice(4, 8)  # three PCs tell four populations apart
    assert np.all(spread[noise] < 0.5 * made.scores.std(axis=0)[noise])
    np.testing.assert_allclose(made.left_out_scores().std(axis=0)[noise], spread[noise], rtol=0.4)


def test_randomised_components_are_the_exact_ones(x: np.ndarray, exact: Components) -> None:
    covariance = x.T @ x
    found = randomised_components(lambda q: covariance @ q, np.diag(covariance), N_PCS)
    np.testing.assert_allclose(found.eigenvalues[:3], exact.eigenvalues[:3], rtol=1e-6)
    for pc in range(3):
        assert abs(np.corrcoef(found.scores[:, pc], exact.scores[:, pc])[0, 1]) > 1 - 1e-6
    again = randomised_components(lambda q: covariance @ q, np.diag(covariance), N_PCS)
    np.testing.assert_array_equal(found.vectors, again.vectors)


def test_a_set_smaller_than_the_oversampling_is_decomposed_wholly() -> None:
    calls = simulate(GROUPS, 3, n_sites=300).calls
    p = frequencies(calls)
    is_varied = (p > 0) & (p < 1)
    x = standardised(calls[is_varied], p[is_varied], is_varied.sum())
    found = randomised_components(lambda q: x.T @ (x @ q), np.diag(x.T @ x), 5)
    np.testing.assert_allclose(found.eigenvalues, exact_components(x.T @ x, 5).eigenvalues, rtol=1e-10)
