"""Packed calls as planes of one bit a sample, so that 64 samples are counted by one instruction."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.encoding import Packed

Words = npt.NDArray[np.uint64]

_EVERY_2ND = np.uint64(0x5555555555555555)
_PAIRS = np.uint64(0x3333333333333333)
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_BYTES = np.uint64(0x0101010101010101)


@numba.njit(cache=True, nogil=True, inline="always")
def count_bits(word):  # type: ignore[no-untyped-def]
    """Bits of a uint64 that are set; the compiler makes one instruction of it where there is one."""
    word = word - ((word >> np.uint64(1)) & _EVERY_2ND)
    word = (word & _PAIRS) + ((word >> np.uint64(2)) & _PAIRS)
    word = (word + (word >> np.uint64(4))) & _NIBBLES
    return np.int64((word * _BYTES) >> np.uint64(56))


@numba.njit(cache=True, nogil=True, inline="always")
def _even_bits(word):  # type: ignore[no-untyped-def]
    """The 32 bits at even places of a uint64, together in its lower half."""
    word = word & _EVERY_2ND
    word = (word | (word >> np.uint64(1))) & _PAIRS
    word = (word | (word >> np.uint64(2))) & _NIBBLES
    word = (word | (word >> np.uint64(4))) & np.uint64(0x00FF00FF00FF00FF)
    word = (word | (word >> np.uint64(8))) & np.uint64(0x0000FFFF0000FFFF)
    return (word | (word >> np.uint64(16))) & np.uint64(0x00000000FFFFFFFF)


@numba.njit(cache=True, nogil=True)
def _split(halves, het, hom_alt, called, last):  # type: ignore[no-untyped-def]
    for row in range(halves.shape[0]):
        for half in range(halves.shape[1]):
            low = _even_bits(halves[row, half])
            high = _even_bits(halves[row, half] >> np.uint64(1))
            shift = np.uint64(32 * (half & 1))
            word = half >> 1
            het[row, word] |= (low & ~high) << shift
            hom_alt[row, word] |= (high & ~low) << shift
            called[row, word] |= (~(low & high) & np.uint64(0xFFFFFFFF)) << shift
        called[row, -1] &= last


def to_planes(packed: Packed, n_samples: int) -> tuple[Words, Words, Words]:
    """Which samples are het, are hom-alt and have a call, each uint64[rows, ceil(n_samples / 64)].

    Sample ``s`` is bit ``s % 64`` of word ``s // 64``; bits past the last sample are zero in all three.
    ``packed`` uint8[rows, ceil(n_samples / 4)].
    """
    rows, words = len(packed), (n_samples + 63) // 64
    padded = np.zeros((rows, 16 * words), np.uint8)
    padded[:, : packed.shape[1]] = packed
    het, hom_alt, called = (np.zeros((rows, words), np.uint64) for _ in range(3))
    over = 64 * words - n_samples
    last = np.uint64(0xFFFFFFFFFFFFFFFF >> over)
    if words:
        _split(padded.view(np.uint64), het, hom_alt, called, last)
    return het, hom_alt, called
