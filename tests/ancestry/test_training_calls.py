"""Products of standardised calls by blocks of sites, against plain NumPy and for any cut of the work."""

from __future__ import annotations

import itertools
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.ancestry import training_calls
from allofus_spark.ancestry.training import train_model
from allofus_spark.genotypes import pack

from .conftest import Trained, copy_of
from .populations import frequencies, simulate, standardised
from .test_stage import rows_of, training_places

CALLS = simulate(("afr", "eur"), 6, n_sites=90, missing=0.05).calls
CALLS = CALLS[(frequencies(CALLS) > 0) & (frequencies(CALLS) < 1)]
N_SITES, N_SAMPLES = CALLS.shape
X = standardised(CALLS, frequencies(CALLS), N_SITES)
VECTORS = np.random.default_rng(4).normal(size=(N_SAMPLES, 3))
OF_GROUP = 40  # sites
ROWS = pa.table(
    {
        "site": pa.array(np.arange(N_SITES, dtype=np.int32)),
        "packed": pa.array([row.tobytes() for row in pack(CALLS)], pa.binary()),
        "group": pa.array(np.arange(N_SITES, dtype=np.int32) // OF_GROUP),
    }
)


def parts(product: training_calls.Product, cuts: list[int], *, adds: bool) -> list[npt.NDArray[np.float64]]:
    """Parts by group and number, of batches that end at ``cuts``."""
    make = training_calls._BlockProducts(N_SAMPLES, frequencies(CALLS), product, adds)
    ends = sorted({0, N_SITES, *(cut % N_SITES for cut in cuts)})
    batches = [
        ROWS.slice(first, stop - first).combine_chunks().to_batches()[0]
        for first, stop in itertools.pairwise(ends)
    ]
    rows = [row for batch in make(batches) for row in batch.to_pylist()]
    assert [(row["group"], row["number"]) for row in rows] == sorted(
        (row["group"], row["number"]) for row in rows
    )
    return [np.frombuffer(row["part"]) for row in rows]


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> None:
    """Blocks of seven sites, so that a group of 40 is cut into six."""
    patch = pytest.MonkeyPatch()
    patch.setattr(training_calls, "_BLOCK_BYTES", 8 * N_SAMPLES * 7)
    yield  # type: ignore[misc]
    patch.undo()


@given(cuts=st.lists(st.integers(0, N_SITES), max_size=12))
def test_products_do_not_depend_on_how_batches_are_cut(cuts: list[int]) -> None:
    covariance = partial(training_calls._covariance_panel, 2, 9)
    for product, adds in ((covariance, True), (partial(training_calls._times, VECTORS), False)):
        for found, whole in zip(parts(product, cuts, adds=adds), parts(product, [], adds=adds), strict=True):
            np.testing.assert_array_equal(found, whole)


def test_products_are_those_of_the_whole_matrix() -> None:
    covariance = X.T @ X
    for product, expected in (
        (partial(training_calls._covariance_panel, 2, 9), covariance[2:, 2:9]),
        (training_calls._squares, np.diag(covariance)),
        (partial(training_calls._covariance_times, VECTORS), covariance @ VECTORS),
    ):
        sums = parts(product, [13, 50], adds=True)
        assert len(sums) == -(-N_SITES // OF_GROUP)
        np.testing.assert_allclose(sum(sums).reshape(expected.shape), expected, atol=1e-12)
    blocks = parts(partial(training_calls._times, VECTORS), [13, 50], adds=False)
    assert len(blocks) > len(sums)
    np.testing.assert_allclose(np.concatenate(blocks).reshape(N_SITES, 3), X @ VECTORS, atol=1e-12)


@pytest.mark.long
def test_a_covariance_made_in_panels_gives_the_same_model(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = copy_of(trained.warehouse, tmp_path)
    monkeypatch.setattr(training_calls, "_PARTIAL_BYTES", 8 * len(training_places()) * 30)
    model_id, _ = train_model(other, callset_id="panel", name="panels")
    rows = rows_of(other, "ancestry_loadings")
    found, expected = (
        np.array([row["loadings"] for row in rows if row["model_id"] == name])
        for name in (model_id, trained.model_id)
    )
    np.testing.assert_allclose(found, expected, atol=1e-10)
