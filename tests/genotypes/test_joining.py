"""Calls of several callsets side by side, and calls replaced by tables, against plain NumPy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.cohort import calls_meant
from allofus_spark.genotypes import CallBatch, join_calls, pack, recode_calls, unpack


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 40), st.integers(1, 40))
def test_joined_calls_stand_in_their_places(seed: int, n_rows: int, first: int, second: int) -> None:
    rng = np.random.default_rng(seed)
    one = rng.integers(0, 4, (n_rows, first)).astype(np.int8)
    rows = rng.permutation(n_rows)[: rng.integers(0, n_rows + 1)]
    other = rng.integers(0, 4, (len(rows), second)).astype(np.int8)
    expected = np.full((n_rows, first + second), 3, np.int8)
    expected[:, :first] = one
    expected[rows, first:] = other
    parts = [
        (CallBatch.of_packed(pack(one), first), np.arange(n_rows), 0),
        (CallBatch.of_packed(pack(other), second), rows, first),
    ]
    joined = join_calls(parts, n_rows, first + second)
    assert np.array_equal(unpack(joined.to_packed(), first + second), expected)
    assert np.array_equal(joined.to_packed(), pack(expected))  # pad bits are zero


@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.integers(1, 40))
def test_recoded_calls_are_those_of_the_tables(seed: int, n_rows: int, n_samples: int) -> None:
    rng = np.random.default_rng(seed)
    calls = rng.integers(0, 4, (n_rows, n_samples)).astype(np.int8)
    tables = rng.integers(0, 4, (4, 3, 4)).astype(np.uint8)
    of_row, of_sample = rng.integers(0, 4, n_rows), rng.integers(0, 3, n_samples)
    packed = pack(calls)
    found = unpack(recode_calls(packed, tables, of_row, of_sample).to_packed(), n_samples)
    assert np.array_equal(found, tables[of_row[:, None], of_sample[None], calls])
    assert np.array_equal(packed, pack(calls))


def test_what_calls_mean_by_region_and_sex() -> None:
    """Regions: diploid, non-PAR X, non-PAR Y, MT; classes: XX, XY, other; calls 0, 1, 2 and 3 missing."""
    everything, haploid, nothing = [0, 1, 2, 3], [0, 3, 2, 3], [3, 3, 3, 3]
    assert calls_meant(x_male_dosage=2).tolist() == [
        [everything, everything, everything],
        [everything, haploid, nothing],
        [nothing, haploid, nothing],
        [haploid, haploid, haploid],
    ]
    assert calls_meant(x_male_dosage=1)[1].tolist() == [everything, [0, 3, 1, 3], nothing]
