"""Packed calls of some of the samples."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.encoding import Packed, packed_width


@numba.njit(cache=True, nogil=True)
def _take(packed, samples, taken):  # type: ignore[no-untyped-def]
    """Write the calls of ``samples`` into the zeroed ``taken``."""
    for row in range(packed.shape[0]):
        for place in range(len(samples)):
            sample = samples[place]
            call = (packed[row, sample >> 2] >> ((sample & 3) * 2)) & 3
            taken[row, place >> 2] |= np.uint8(call << ((place & 3) * 2))


def take_samples(packed: Packed, samples: npt.NDArray[np.int64]) -> Packed:
    """Calls of some samples, ``uint8[rows, ceil(len(samples) / 4)]``, in the order of ``samples``.

    Parameters
    ----------
    packed
        uint8[rows, ceil(n / 4)].
    samples
        int64[m], indices in 0 .. n - 1; the pad bits of the result are zero.
    """
    taken = np.zeros((len(packed), packed_width(len(samples))), np.uint8)
    _take(packed, samples, taken)
    return taken
