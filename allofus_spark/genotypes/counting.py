"""Counts of calls by stratum, straight from packed or sparse rows."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.encoding import HET, HOM_ALT, MISSING, CallBatch

Counts = npt.NDArray[np.int32]


@numba.njit(cache=True, nogil=True)
def _count_dense(packed, rows, stratum, counts):  # type: ignore[no-untyped-def]
    """Add the calls of packed rows to ``counts[row, stratum, call]``."""
    n_samples = len(stratum)
    for at in range(packed.shape[0]):
        row = rows[at]
        for byte in range(packed.shape[1]):
            value = packed[at, byte]
            if value == 0:
                continue
            first = 4 * byte
            for place in range(min(4, n_samples - first)):
                call = (value >> (2 * place)) & 3
                if call:
                    counts[row, stratum[first + place], call] += 1


@numba.njit(cache=True, nogil=True)
def _count_sparse(offsets, indices, stratum, counts, call):  # type: ignore[no-untyped-def]
    """Add one kind of call of sparse rows to ``counts[row, stratum, call]``."""
    for row in range(len(offsets) - 1):
        for at in range(offsets[row], offsets[row + 1]):
            counts[row, stratum[indices[at]], call] += 1


def count_by_stratum(batch: CallBatch, stratum: npt.NDArray[np.int32], n_strata: int) -> Counts:
    """Calls of each kind in each stratum.

    Parameters
    ----------
    batch
        Rows of one callset.
    stratum
        int32[n_samples], the stratum of each sample, in 0 .. n_strata - 1.

    Returns
    -------
    int32[rows, n_strata, 4]
        Indexed by call; hom-ref is left at zero (it is the rest of the stratum).
    """
    if len(stratum) != batch.n_samples:
        raise ValueError(f"{len(stratum)} strata for {batch.n_samples} samples")
    counts = np.zeros((batch.n_rows, n_strata, 4), np.int32)
    _count_dense(batch.packed, batch.dense_rows, stratum, counts)
    for (offsets, indices), call in ((batch.het, HET), (batch.hom_alt, HOM_ALT), (batch.missing, MISSING)):
        _count_sparse(offsets, indices, stratum, counts, call)
    return counts
