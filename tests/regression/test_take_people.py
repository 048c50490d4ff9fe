"""Calls of some people: what is taken equals the columns of the matrix, in either encoding."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.genotypes.encoding import unpack
from allofus_spark.genotypes.subset import take_people

from .cohorts import batch, dense, random_calls, sparse


@given(
    seed=st.integers(0, 2**32 - 1),
    n_samples=st.integers(1, 300),
    encoding=st.sampled_from([batch, dense, sparse]),
    n_absent=st.integers(0, 3),
)
def test_people_are_columns_and_the_absent_are_missing(seed, n_samples, encoding, n_absent) -> None:
    random = np.random.default_rng(seed)
    calls = random_calls(random, 12, n_samples, 0.1)
    n_taken = int(random.integers(0, n_samples + 1))
    n_people = n_taken + n_absent
    places = np.full(n_samples, -1, np.int32)
    places[random.permutation(n_samples)[:n_taken]] = random.permutation(n_people)[:n_taken]
    expected = np.full((len(calls), n_people), 3)
    expected[:, places[places >= 0]] = calls[:, places >= 0]

    taken = take_people(encoding(calls), places, n_people)

    np.testing.assert_array_equal(unpack(taken.to_packed(), n_people), expected)
    np.testing.assert_array_equal(taken.dense_rows, encoding(calls).dense_rows)
    for offsets, indices in (taken.het, taken.hom_alt, taken.missing):
        for row in range(len(calls)):
            assert (np.diff(indices[offsets[row] : offsets[row + 1]]) > 0).all()


def test_a_rare_variant_stays_a_list_of_carriers() -> None:
    calls = np.zeros((3, 4000), np.int64)
    calls[0, [5, 17, 3999]] = [1, 2, 3]
    places = np.arange(4000, dtype=np.int32)[::-1].copy()
    places[:10] = -1
    taken = take_people(batch(calls), places, 3990)
    assert not len(taken.dense_rows)
    assert [indices.tolist() for _, indices in (taken.het, taken.hom_alt, taken.missing)] == [[], [3982], [0]]


def test_everybody_in_order_is_the_batch_itself() -> None:
    calls = batch(random_calls(np.random.default_rng(1), 5, 50))
    assert take_people(calls, np.arange(50, dtype=np.int32), 50) is calls
