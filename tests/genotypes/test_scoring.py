"""Kernels of standardised calls and weighted sums against plain NumPy, for dense and sparse rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.genotypes import (
    SPARSE,
    add_weighted_calls,
    decode,
    encode,
    pack,
    standardise,
    standardised_values,
)

NAMES = ("het_index", "hom_alt_index", "missing_index", "calls")


@given(n=st.integers(1, 300), rows=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
def test_standardised_calls_are_those_of_the_formula(n: int, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    calls, p = rng.integers(0, 4, (rows, n)), rng.uniform(0.001, 0.999, rows)
    found = standardise(pack(calls), standardised_values(p, 77), n)
    for row in range(rows):
        for sample in range(n):
            copies = calls[row, sample]
            value = 0.0 if copies == 3 else (copies - 2 * p[row]) / np.sqrt(2 * p[row] * (1 - p[row]) * 77)
            assert found[row, sample] == pytest.approx(value, rel=1e-12, abs=1e-15)


@given(n=st.integers(1, 5000), rows=st.integers(1, 6), rare=st.floats(0, 1), seed=st.integers(0, 2**32 - 1))
def test_weighted_sums_are_those_of_numpy(n: int, rows: int, rare: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = np.where(rng.random((rows, 1)) < rare, 0.002, 0.6)
    calls = rng.integers(1, 4, (rows, n)) * (rng.random((rows, n)) < shares)
    columns = encode(pack(calls), n)
    batch = pa.RecordBatch.from_arrays([columns[name] for name in NAMES], names=list(NAMES))
    weights = rng.integers(-(2**50), 2**50, (rows, 4, 3))
    weights[:, 0] = 0
    sums = rng.integers(-5, 5, (n, 3))
    expected = sums + sum(weights[row, calls[row]] for row in range(rows))
    add_weighted_calls(sums, decode(batch, n), weights)
    np.testing.assert_array_equal(sums, expected)


def test_dense_and_sparse_rows_of_the_same_calls_add_the_same() -> None:
    rng = np.random.default_rng(5)
    calls = rng.integers(1, 4, (4, 1000)) * (rng.random((4, 1000)) < 0.01)
    weights = rng.integers(-9, 9, (4, 4, 2))
    columns = encode(pack(calls), 1000)
    assert set(columns["encoding"].to_pylist()) == {SPARSE}
    sparse = pa.RecordBatch.from_arrays([columns[name] for name in NAMES], names=list(NAMES))
    dense = pa.RecordBatch.from_arrays(
        [pa.nulls(4, pa.list_(pa.int32()))] * 3
        + [pa.array([row.tobytes() for row in pack(calls)], pa.binary())],
        names=list(NAMES),
    )
    found = []
    for batch in (sparse, dense):
        sums = np.zeros((1000, 2), np.int64)
        add_weighted_calls(sums, decode(batch, 1000), weights)
        found.append(sums)
    np.testing.assert_array_equal(*found)


def test_weights_of_other_rows_are_refused() -> None:
    columns = encode(pack(np.zeros((2, 5), np.int64)), 5)
    batch = pa.RecordBatch.from_arrays([columns[name] for name in NAMES], names=list(NAMES))
    with pytest.raises(ValueError, match=r"sums \(5, 2\) and weights \(3, 4, 2\) for 2 rows"):
        add_weighted_calls(np.zeros((5, 2), np.int64), decode(batch, 5), np.zeros((3, 4, 2), np.int64))
