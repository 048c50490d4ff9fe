"""KING-robust kinship: what pairs of samples share, counted on planes of one bit a site.

Calls come by chunks of 4,096 sites. Of a chunk each sample has two rows of 64 words: ``hom`` (the call is
homozygous) and ``ref`` (it has a reference allele), both zero where there is no call. They are the complement
of the low and the high bit of a packed call, so that making them is turning a matrix of bits. Of two samples,

    both heterozygous  ref_i & ref_j & ~(hom_i | hom_j)
    no allele shared   (ref_i ^ ref_j) & hom_i & hom_j        (IBS0)

and a count is a sum of bits. Kinship (Manichaikul et al., Bioinformatics 2010;26:2867, equation 11) is

    φ = ½ − (het_i + het_j − 2·both + 4·IBS0) / (4·min(het_i, het_j))

with all counts over the sites at which both samples have a call.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.bit_planes import Words, count_bits
from allofus_spark.genotypes.encoding import Packed, packed_width

CHUNK_SITES = 4_096
_WORDS = CHUNK_SITES // 64
# Samples whose planes (1 KiB each) stay in the first-level cache while all others pass by them.
_TILE = 16
NO_CALLS = 0xFF  # four missing calls

Counts = npt.NDArray[np.int32]


class ChunkPlanes(NamedTuple):
    """A block of n samples in one chunk: planes uint64[n, 64]; sites called and heterozygous, int32[n]."""

    hom: Words
    ref: Words
    n_called: Counts
    n_het: Counts


class Relatives(NamedTuple):
    """Pairs of samples, one an element: places in the first and second block, kinship and its counts."""

    first: Counts
    second: Counts
    kinship: npt.NDArray[np.float64]
    n_sites: Counts
    n_het_first: Counts
    n_het_second: Counts
    n_het_both: Counts
    n_ibs0: Counts


def no_calls(n_samples: int) -> Packed:
    """An empty chunk, uint8[4096, ceil(n / 4)]: rows that stay as they are have no call."""
    return np.full((CHUNK_SITES, packed_width(n_samples)), NO_CALLS, np.uint8)


def chunk_planes(packed: Packed, n_samples: int) -> ChunkPlanes:
    """Planes of a chunk of packed calls uint8[4096, ceil(n / 4)]; sites that it lacks are missing calls."""
    if packed.shape != (CHUNK_SITES, packed_width(n_samples)):
        raise ValueError(f"a chunk of {n_samples} samples is not of shape {packed.shape}")
    hom, ref = np.zeros((2, n_samples, _WORDS), np.uint64)
    n_called, n_het = np.zeros((2, n_samples), np.int32)
    _turn(packed, hom, ref)
    _count_calls(hom, ref, n_called, n_het)
    return ChunkPlanes(hom, ref, n_called, n_het)


class PairCounts:
    """Sums of all pairs of two blocks, or within one block; 20 bytes a pair, 8 where no call is missing.

    Counts are exact and their order does not matter.
    """

    def __init__(self, n_first: int, n_second: int, *, is_within: bool) -> None:
        """``is_within``: both are the same block, whose pairs i < j are counted."""
        self._is_within = is_within
        self._shared = np.zeros((2, n_first, n_second), np.int32)  # both het, IBS0
        # Sites, and hets of the first and the second, that the other sample's missing calls take away.
        self._lost = np.zeros((3, n_first, n_second), np.int32)
        self._n_sites = 0
        self.n_called_first = np.zeros(n_first, np.int32)
        self._n_het = np.zeros(n_first, np.int32), np.zeros(n_second, np.int32)

    def add(self, first: ChunkPlanes, second: ChunkPlanes, n_sites: int) -> None:
        """Add the ``n_sites`` sites of a chunk."""
        self._n_sites += n_sites
        self.n_called_first += first.n_called
        self._n_het[0][:] += first.n_het
        self._n_het[1][:] += second.n_het
        _add_shared(first.hom, first.ref, second.hom, second.ref, self._is_within, *self._shared)
        if min(first.n_called.min(), second.n_called.min()) < n_sites:
            _add_lost(first, second, n_sites, self._is_within, *self._lost)

    def relatives(self, min_kinship: float) -> Relatives:
        """Pairs of ``min_kinship`` or more. A pair in which one has no heterozygote is none."""
        sums = (*self._shared, *self._lost, *self._n_het)
        kinship = np.empty(_count_relatives(self._is_within, min_kinship, *sums), np.float64)
        places = np.empty((2, len(kinship)), np.int32)
        _fill_relatives(self._is_within, min_kinship, *sums, places, kinship)
        i, j = places
        both, ibs0 = (matrix[i, j] for matrix in self._shared)
        lost, lost_1, lost_2 = (matrix[i, j] for matrix in self._lost)
        het = self._n_het[0][i] - lost_1, self._n_het[1][j] - lost_2
        n_sites = (self._n_sites - lost).astype(np.int32)
        return Relatives(i, j, kinship, n_sites, *het, both, ibs0)


@numba.njit(cache=True, nogil=True, inline="always")
def _turned(rows):  # type: ignore[no-untyped-def]
    """Bit b of byte r becomes bit r of byte b (Warren, Hacker's Delight, 7-3)."""
    swap = (rows ^ (rows >> np.uint64(7))) & np.uint64(0x00AA00AA00AA00AA)
    rows = rows ^ swap ^ (swap << np.uint64(7))
    swap = (rows ^ (rows >> np.uint64(14))) & np.uint64(0x0000CCCC0000CCCC)
    rows = rows ^ swap ^ (swap << np.uint64(14))
    swap = (rows ^ (rows >> np.uint64(28))) & np.uint64(0x00000000F0F0F0F0)
    return rows ^ swap ^ (swap << np.uint64(28))


@numba.njit(cache=True, nogil=True)
def _turn(packed, hom, ref):  # type: ignore[no-untyped-def]
    lanes = np.zeros(8, np.uint64)
    for word in range(_WORDS):
        for byte in range(packed.shape[1]):
            lanes[:] = 0
            for octet in range(8):
                rows = np.uint64(0)
                for row in range(8):
                    value = np.uint64(packed[64 * word + 8 * octet + row, byte])
                    rows |= value << np.uint64(8 * row)
                rows = _turned(~rows)
                for bit in range(8):
                    lanes[bit] |= ((rows >> np.uint64(8 * bit)) & np.uint64(255)) << np.uint64(8 * octet)
            for sample in range(4 * byte, min(4 * byte + 4, hom.shape[0])):
                hom[sample, word] = lanes[2 * (sample - 4 * byte)]
                ref[sample, word] = lanes[2 * (sample - 4 * byte) + 1]


@numba.njit(cache=True, nogil=True)
def _count_calls(hom, ref, n_called, n_het):  # type: ignore[no-untyped-def]
    for sample in range(hom.shape[0]):
        for word in range(_WORDS):
            n_called[sample] += count_bits(hom[sample, word] | ref[sample, word])
            n_het[sample] += count_bits(ref[sample, word] & ~hom[sample, word])


@numba.njit(cache=True, nogil=True)
def _add_shared(hom_1, ref_1, hom_2, ref_2, is_within, het_both, ibs0):  # type: ignore[no-untyped-def]
    for begin in range(0, hom_2.shape[0], _TILE):
        end = min(begin + _TILE, hom_2.shape[0])
        for i in range(hom_1.shape[0]):
            for j in range(max(begin, i + 1) if is_within else begin, end):
                both = opposite = np.int64(0)
                for word in range(_WORDS):
                    hom_i, hom_j = hom_1[i, word], hom_2[j, word]
                    ref_i, ref_j = ref_1[i, word], ref_2[j, word]
                    both += count_bits(ref_i & ref_j & ~(hom_i | hom_j))
                    opposite += count_bits((ref_i ^ ref_j) & hom_i & hom_j)
                het_both[i, j] += both
                ibs0[i, j] += opposite


@numba.njit(cache=True, nogil=True)
def _add_lost(first, second, n_sites, is_within, lost, lost_1, lost_2):  # type: ignore[no-untyped-def]
    """Count, where a sample of a pair has a missing call, what is called in both; the rest is lost."""
    for begin in range(0, len(second.n_het), _TILE):
        end = min(begin + _TILE, len(second.n_het))
        for i in range(len(first.n_het)):
            for j in range(max(begin, i + 1) if is_within else begin, end):
                if first.n_called[i] == n_sites and second.n_called[j] == n_sites:
                    continue
                seen = het_1 = het_2 = np.int64(0)
                for word in range(_WORDS):
                    hom_i, hom_j = first.hom[i, word], second.hom[j, word]
                    ref_i, ref_j = first.ref[i, word], second.ref[j, word]
                    seen += count_bits((hom_i | ref_i) & (hom_j | ref_j))
                    het_1 += count_bits(ref_i & ~hom_i & (hom_j | ref_j))
                    het_2 += count_bits(ref_j & ~hom_j & (hom_i | ref_i))
                lost[i, j] += n_sites - seen
                lost_1[i, j] += first.n_het[i] - het_1
                lost_2[i, j] += second.n_het[j] - het_2


@numba.njit(cache=True, nogil=True, inline="always")
def _kinship(het_1, het_2, both, ibs0):  # type: ignore[no-untyped-def]
    """NaN where one has no heterozygote."""
    fewer = min(het_1, het_2)
    return 0.5 - (het_1 + het_2 - 2 * both + 4 * ibs0) / (4.0 * fewer) if fewer > 0 else np.nan


@numba.njit(cache=True, nogil=True)
def _count_relatives(  # type: ignore[no-untyped-def]
    is_within, min_kinship, both, ibs0, _lost, lost_1, lost_2, n_het_1, n_het_2
):
    n = 0
    for i in range(both.shape[0]):
        for j in range(i + 1 if is_within else 0, both.shape[1]):
            het_1, het_2 = np.int64(n_het_1[i] - lost_1[i, j]), np.int64(n_het_2[j] - lost_2[i, j])
            n += _kinship(het_1, het_2, np.int64(both[i, j]), np.int64(ibs0[i, j])) >= min_kinship
    return n


@numba.njit(cache=True, nogil=True)
def _fill_relatives(  # type: ignore[no-untyped-def]
    is_within, min_kinship, both, ibs0, _lost, lost_1, lost_2, n_het_1, n_het_2, places, kinship
):
    n = 0
    for i in range(both.shape[0]):
        for j in range(i + 1 if is_within else 0, both.shape[1]):
            het_1, het_2 = np.int64(n_het_1[i] - lost_1[i, j]), np.int64(n_het_2[j] - lost_2[i, j])
            value = _kinship(het_1, het_2, np.int64(both[i, j]), np.int64(ibs0[i, j]))
            if value >= min_kinship:
                places[0, n], places[1, n], kinship[n] = i, j, value
                n += 1
