"""Bit planes and linkage pruning against plain NumPy; what PLINK 2 keeps is in tests/reference."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.genotypes import HET, HOM_ALT, MISSING, pack
from allofus_spark.genotypes.bit_planes import to_planes
from allofus_spark.genotypes.linkage import LinkagePruning

Calls = npt.NDArray[np.int64]
MAX_R2 = 0.2


def as_calls(plane: npt.NDArray[np.uint64], n_samples: int) -> npt.NDArray[np.bool_]:
    bits = np.unpackbits(plane.view(np.uint8), axis=1, bitorder="little")
    assert not bits[:, n_samples:].any(), "bits past the last sample are zero"
    return bits[:, :n_samples].astype(bool)


@pytest.mark.parametrize("n_samples", [1, 3, 4, 31, 32, 33, 63, 64, 65, 127, 128, 2504])
def test_planes_are_the_calls(n_samples: int) -> None:
    calls = np.random.default_rng(n_samples).integers(0, 4, (7, n_samples))
    het, hom_alt, called = (as_calls(plane, n_samples) for plane in to_planes(pack(calls), n_samples))
    assert (het == (calls == HET)).all()
    assert (hom_alt == (calls == HOM_ALT)).all()
    assert (called == (calls != MISSING)).all()


def linked_calls(rng: np.random.Generator, n_sites: int, n_samples: int) -> Calls:
    """Sites that resemble those before them, with some calls missing."""
    calls = rng.integers(0, 3, (n_sites, n_samples))
    for site in range(1, n_sites):
        same = rng.random(n_samples) < rng.choice([0, 0.5, 0.9, 1])
        calls[site, same] = calls[site - 1, same]
    calls[rng.random(calls.shape) < 0.05] = MISSING
    return calls


def squared_correlation(first: Calls, second: Calls) -> float:
    """Pearson's r², over samples called at both; 0 where either does not vary."""
    both = (first != MISSING) & (second != MISSING)
    x, y = first[both], second[both]
    if len(x) < 2 or x.std() == 0 or y.std() == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1] ** 2)


def plainly_pruned(
    calls: Calls, position: Calls, maf: npt.NDArray[np.float64], window: int
) -> npt.NDArray[np.bool_]:
    """The rule of the module's docstring, pair by pair."""
    stays = np.ones(len(calls), bool)
    for begin in range(len(calls)):
        inside = [site for site in range(begin, len(calls)) if position[site] - position[begin] <= window]
        again = True
        while again:
            again = False
            for first in inside:
                for second in inside:
                    pair = second > first and stays[first] and stays[second]
                    if pair and squared_correlation(calls[first], calls[second]) > MAX_R2:
                        stays[first if maf[first] < maf[second] else second] = False
                        again = True
                        break
    return stays


@given(
    seed=st.integers(0, 10_000),
    n_samples=st.sampled_from([5, 64, 70, 130]),
    window=st.sampled_from([0, 30, 100, 10_000]),
    cuts=st.lists(st.integers(0, 30), max_size=4),
)
def test_pruning_in_any_batches_is_the_plain_rule(
    seed: int, n_samples: int, window: int, cuts: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    calls = linked_calls(rng, 30, n_samples)
    position = np.sort(rng.choice(500, 30, replace=False))
    maf = rng.integers(1, 6, 30) / 10
    pruning = LinkagePruning(n_samples, window_bases=window, max_r2=MAX_R2)
    edges = [0, *sorted(cuts), 30]
    parts = [
        pruning.add(position[begin:end], maf[begin:end], pack(calls[begin:end]))
        for begin, end in itertools.pairwise(edges)
    ]
    stays = np.concatenate([*parts, pruning.finish()])
    assert stays.tolist() == plainly_pruned(calls, position, maf, window).tolist()


def test_a_window_is_all_that_is_held() -> None:
    pruning = LinkagePruning(8, window_bases=10, max_r2=0.5)
    calls = pack(np.random.default_rng(0).integers(0, 3, (100, 8)))
    decided = pruning.add(np.arange(100) * 5, np.full(100, 0.5), calls)
    assert len(decided) == 97, "the last three lie within ten bases of the last one"
    assert len(pruning.finish()) == 3
