"""Calls of some samples, and PLINK 1's codes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.genotypes import bed_from_packed, pack, take_samples, unpack

from .test_encoding import Calls, any_calls


@given(calls=any_calls(), data=st.data())
def test_calls_of_some_samples(calls: Calls, data: st.DataObject) -> None:
    n_samples = calls.shape[1]
    chosen = data.draw(st.lists(st.integers(0, n_samples - 1), min_size=1, max_size=n_samples, unique=True))
    taken = take_samples(pack(calls), np.array(chosen, np.int64))
    np.testing.assert_array_equal(taken, pack(calls[:, chosen]))


@given(calls=any_calls())
def test_bed_codes(calls: Calls) -> None:
    """Two bits a sample: 3 is homozygous for A2 (ref), 2 het, 0 homozygous for A1 (alt), 1 missing."""
    n_samples = calls.shape[1]
    coded = bed_from_packed(pack(calls), n_samples)
    expected = np.array([3, 2, 0, 1], np.int8)[calls]
    np.testing.assert_array_equal(coded, pack(expected))
    np.testing.assert_array_equal(unpack(coded, n_samples), expected)
