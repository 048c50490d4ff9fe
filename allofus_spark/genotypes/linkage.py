"""Linkage disequilibrium between sites of packed calls, and the sites that are left without it.

A window begins at each site of a contig in turn. In it, the first pair of each site whose r² is above the
threshold loses the site with the lower minor allele frequency (of equals the later one), and so again until
no pair is left. These are the sites that PLINK 2 keeps (``--indep-pairwise Nkb r2``), one by one.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.bit_planes import count_bits, to_planes
from allofus_spark.genotypes.encoding import Packed

_EQUAL_WITHIN = 1e-8  # of minor allele frequencies


@numba.njit(cache=True, nogil=True, inline="always")
def _r2_exceeds(het, hom, called, first, second, max_r2):  # type: ignore[no-untyped-def]
    """Whether the squared correlation of two sites' copies, over samples called at both, is above max_r2."""
    n = x1 = x2 = y1 = y2 = both1 = mixed = both2 = np.int64(0)
    for word in range(het.shape[1]):
        seen_x, seen_y = called[first, word], called[second, word]
        het_x, hom_x = het[first, word] & seen_y, hom[first, word] & seen_y
        het_y, hom_y = het[second, word] & seen_x, hom[second, word] & seen_x
        n += count_bits(seen_x & seen_y)
        x1 += count_bits(het_x)
        x2 += count_bits(hom_x)
        y1 += count_bits(het_y)
        y2 += count_bits(hom_y)
        both1 += count_bits(het_x & het_y)
        mixed += count_bits((het_x & hom_y) | (hom_x & het_y))
        both2 += count_bits(hom_x & hom_y)
    sum_x, sum_y = x1 + 2 * x2, y1 + 2 * y2
    covariance = n * (both1 + 2 * mixed + 4 * both2) - sum_x * sum_y
    variance_x = n * (x1 + 4 * x2) - sum_x * sum_x
    variance_y = n * (y1 + 4 * y2) - sum_y * sum_y
    return float(covariance) * float(covariance) > max_r2 * float(variance_x) * float(variance_y)


@numba.njit(cache=True, nogil=True)
def _prune_window(planes, maf, is_in, next_of, begin, end, max_r2):  # type: ignore[no-untyped-def]
    """Take sites of [begin, end) out of ``is_in``; ``next_of`` is what each is to be held against next."""
    het, hom, called = planes
    found = True
    while found:
        found = False
        for first in range(begin, end):
            if not is_in[first]:
                continue
            second = next_of[first]
            while second < end:
                if is_in[second] and _r2_exceeds(het, hom, called, first, second, max_r2):
                    found = True
                    if maf[first] < maf[second] * (1 - _EQUAL_WITHIN):
                        is_in[first] = False
                    else:
                        is_in[second] = False
                        second += 1
                    break
                second += 1
            next_of[first] = second


@numba.njit(cache=True, nogil=True)
def _prune(planes, position, maf, is_in, next_of, n_windows, window, max_r2):  # type: ignore[no-untyped-def]
    """Prune the windows that begin at each of the first ``n_windows`` sites."""
    end = 0
    for begin in range(n_windows):
        while end < len(position) and position[end] - position[begin] <= window:
            end += 1
        _prune_window(planes, maf, is_in, next_of, begin, end, max_r2)


class LinkagePruning:
    """Prunes the sites of one contig, batch after batch; holds those of one window and one batch.

    ``window_bases`` is the farthest that two sites lie apart which are held against each other. Minor allele
    frequencies come with the sites, as they may be counted among more samples than linkage is.
    """

    def __init__(self, n_samples: int, *, window_bases: int, max_r2: float) -> None:
        self._n_samples = n_samples
        self._window = window_bases
        self._max_r2 = max_r2
        self._position = np.zeros(0, np.int64)
        self._maf = np.zeros(0, np.float64)
        self._is_in = np.zeros(0, np.bool_)
        self._next_of = np.zeros(0, np.int64)
        self._planes = to_planes(np.zeros((0, (n_samples + 3) // 4), np.uint8), n_samples)

    def add(
        self, position: npt.NDArray[np.integer[Any]], maf: npt.NDArray[np.float64], packed: Packed
    ) -> npt.NDArray[np.bool_]:
        """Take in the next sites, rising in position; whether each site stays that is decided now.

        Sites are decided in their order: those more than a window before the last one given. ``packed``
        uint8[sites, ceil(n_samples / 4)].
        """
        n_held = len(self._position)
        self._position = np.concatenate([self._position, position.astype(np.int64)])
        self._maf = np.concatenate([self._maf, maf])
        self._is_in = np.concatenate([self._is_in, np.ones(len(position), np.bool_)])
        self._next_of = np.concatenate([self._next_of, np.arange(n_held, len(self._position)) + 1])
        new = to_planes(packed, self._n_samples)
        het, hom_alt, called = (np.concatenate(pair) for pair in zip(self._planes, new, strict=True))
        self._planes = het, hom_alt, called
        last = self._position[-1] if len(self._position) else 0
        return self._decide(int(np.searchsorted(self._position, last - self._window)))

    def finish(self) -> npt.NDArray[np.bool_]:
        """Whether each site stays that was not decided: the contig has ended."""
        return self._decide(len(self._position))

    def _decide(self, n: int) -> npt.NDArray[np.bool_]:
        """Prune the windows of the first ``n`` sites, and let these go."""
        arrays = (self._position, self._maf, self._is_in, self._next_of)
        _prune(self._planes, *arrays, n, self._window, self._max_r2)
        stays = self._is_in[:n]
        self._position, self._maf, self._is_in = self._position[n:], self._maf[n:], self._is_in[n:]
        self._next_of = self._next_of[n:] - n
        het, hom_alt, called = (plane[n:] for plane in self._planes)
        self._planes = het, hom_alt, called
        return stays
