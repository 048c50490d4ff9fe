"""Packed calls as standardised copies, for principal components.

A call of c copies at a site of allele frequency p is (c − 2p) / √(2p(1 − p) · n_sites), a missing one 0, so
that over the sites the products of two people add up to their genetic covariance: the scale of Hail's
``hwe_normalized_pca`` (Price et al., Nat Genet 2006;38:904, with the variance that Hardy-Weinberg expects).
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.encoding import Packed

Floats = npt.NDArray[np.float64]


@numba.njit(cache=True, nogil=True)
def _fill(packed, values, filled):  # type: ignore[no-untyped-def]
    n_samples = filled.shape[1]
    for row in range(packed.shape[0]):
        for byte in range(packed.shape[1]):
            value = packed[row, byte]
            first = 4 * byte
            for place in range(min(4, n_samples - first)):
                filled[row, first + place] = values[row, (value >> (2 * place)) & 3]


def standardised_values(frequency: Floats, n_sites: int) -> Floats:
    """What each call counts as at each site, float64[rows, 4] indexed by call.

    ``frequency`` float64[rows], of alt, strictly between 0 and 1; ``n_sites`` of the model in all.
    """
    scale = 1 / np.sqrt(2 * frequency * (1 - frequency) * n_sites)
    values = np.zeros((len(frequency), 4))
    for copies in range(3):
        values[:, copies] = (copies - 2 * frequency) * scale
    return values


def standardise(packed: Packed, values: Floats, n_samples: int) -> Floats:
    """float64[rows, n_samples] of packed rows uint8[rows, ceil(n_samples / 4)]; see `standardised_values`."""
    filled = np.empty((len(packed), n_samples))
    _fill(packed, values, filled)
    return filled
