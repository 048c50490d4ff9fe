"""Packed calls for some of the samples, and as PLINK 1 codes them."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.encoding import Packed, packed_width

# PLINK 1 codes hom-ref, het, hom-alt, missing as these where A1 is the alternate allele.
_BED_CODES = (3, 2, 0, 1)
_BED_BYTES = np.array(
    [sum(_BED_CODES[(value >> shift) & 3] << shift for shift in (0, 2, 4, 6)) for value in range(256)],
    np.uint8,
)


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


def bed_from_packed(packed: Packed, n_samples: int) -> Packed:
    """Rows of a variant-major ``.bed`` with A1 = alt, ``uint8[rows, ceil(n / 4)]``; pad bits are zero."""
    coded = _BED_BYTES[packed]
    if n_samples % 4:
        coded[:, -1] &= (1 << (2 * (n_samples % 4))) - 1
    return coded
