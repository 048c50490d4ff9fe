"""Weighted sums of each sample's calls: what scores on principal components are made of.

Sums are whole numbers of a small unit, so that they are equal however rows are divided and ordered. Hom-ref
calls are the rest, so that a sparse row costs what its carriers cost.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.encoding import HET, HOM_ALT, MISSING, CallBatch

Integers = npt.NDArray[np.int64]

_BLOCK = 512  # bytes of calls: the sums of 2,048 samples stay in a core's cache from row to row


@numba.njit(cache=True, nogil=True)
def _add_dense(sums, packed, rows, weights):  # type: ignore[no-untyped-def]
    n_samples, n_sums = sums.shape
    for begin in range(0, packed.shape[1], _BLOCK):
        end = min(begin + _BLOCK, packed.shape[1])
        for at in range(packed.shape[0]):
            row = rows[at]
            for byte in range(begin, end):
                value = packed[at, byte]
                sample = 4 * byte
                while value and sample < n_samples:
                    call = value & 3
                    if call:
                        for place in range(n_sums):
                            sums[sample, place] += weights[row, call, place]
                    value >>= 2
                    sample += 1


@numba.njit(cache=True, nogil=True)
def _add_sparse(sums, offsets, indices, call, weights):  # type: ignore[no-untyped-def]
    for row in range(len(offsets) - 1):
        for at in range(offsets[row], offsets[row + 1]):
            sample = indices[at]
            for place in range(sums.shape[1]):
                sums[sample, place] += weights[row, call, place]


def add_weighted_calls(sums: Integers, batch: CallBatch, weights: Integers) -> None:
    """Add to each sample's sums the weights of its calls that are not hom-ref.

    Parameters
    ----------
    sums
        int64[n_samples, k], changed in place.
    batch
        Rows of one callset.
    weights
        int64[rows, 4, k], indexed by call; those of hom-ref are not looked at.
    """
    if len(sums) != batch.n_samples or weights.shape != (batch.n_rows, 4, sums.shape[1]):
        raise ValueError(f"sums {sums.shape} and weights {weights.shape} for {batch.n_rows} rows")
    _add_dense(sums, batch.packed, batch.dense_rows, weights)
    for (offsets, indices), call in ((batch.het, HET), (batch.hom_alt, HOM_ALT), (batch.missing, MISSING)):
        _add_sparse(sums, offsets, indices, call, weights)
