"""Genotype rows as the tests read them: of the minor allele, common rows packed, rare ones as carriers."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes import bit_planes
from allofus_spark.genotypes.bit_planes import count_bits
from allofus_spark.genotypes.encoding import CallBatch, Packed

# A row with fewer carriers and missing calls than this share of the people is summed over them alone: a
# carrier costs as much as about ten people in a matrix product.
RARE_SHARE = 1 / 16
_LOW = np.uint64(0x5555555555555555)


@dataclass(frozen=True)
class MinorRows:
    """Rows of a batch, the common ones first, each relative to its minor allele among all the people.

    ``order`` int64[n]: places in the batch; ``flipped`` bool[n]: the minor allele is ref; ``counts``
    int64[n, 3]: het, hom of the minor allele, missing, among all. ``packed`` uint8[n_common, width].
    The rare row ``n_common + i`` has ``calls[offsets[i] : offsets[i + 1]]`` (1, 2 or 3 for missing) of the
    same entries of ``people``, ascending.
    """

    n_people: int
    order: npt.NDArray[np.int64]
    flipped: npt.NDArray[np.bool_]
    counts: npt.NDArray[np.int64]
    packed: Packed
    offsets: npt.NDArray[np.int64]
    people: npt.NDArray[np.int32]
    calls: npt.NDArray[np.uint8]

    @property
    def n_common(self) -> int:
        """Rows of ``packed``."""
        return len(self.packed)

    def some(self, first: int, stop: int) -> MinorRows:
        """The rows from ``first`` up to ``stop``."""
        a, b = (min(max(edge - self.n_common, 0), len(self.offsets) - 1) for edge in (first, stop))
        begin, end = self.offsets[a], self.offsets[b]
        return MinorRows(
            self.n_people,
            self.order[first:stop],
            self.flipped[first:stop],
            self.counts[first:stop],
            self.packed[first:stop],
            self.offsets[a : b + 1] - begin,
            self.people[begin:end],
            self.calls[begin:end],
        )

    def planes(self) -> tuple[bit_planes.Words, bit_planes.Words, bit_planes.Words]:
        """Which people are het, hom and without a call in the common rows, uint64[n_common, words]."""
        het, hom, called = bit_planes.to_planes(self.packed, self.n_people)
        missing = ~called
        over = -self.n_people % 64
        missing[:, -1] &= np.uint64(0xFFFFFFFFFFFFFFFF >> over)
        return het, hom, missing


@numba.njit(cache=True, nogil=True)
def _count(words, counts):  # type: ignore[no-untyped-def]
    for row in range(words.shape[0]):
        het = hom = missing = 0
        for word in words[row]:
            low, high = word & _LOW, (word >> np.uint64(1)) & _LOW
            het += count_bits(low & ~high)
            hom += count_bits(high & ~low)
            missing += count_bits(low & high)
        counts[row, 0], counts[row, 1], counts[row, 2] = het, hom, missing


@numba.njit(cache=True, nogil=True)
def _flip(packed, rows, n_people):  # type: ignore[no-untyped-def]
    """Swap 0 and 2 in some rows; pad bits stay zero."""
    last = packed.shape[1] - 1
    pad = np.uint8(0xFF >> (2 * (-n_people % 4)))
    for row in rows:
        for byte in range(last + 1):
            value = packed[row, byte]
            packed[row, byte] = value ^ ((~value & np.uint8(0x55)) << np.uint8(1))
        packed[row, last] &= pad


@numba.njit(cache=True, nogil=True)
def _list_calls(packed, rows, offsets, people, calls):  # type: ignore[no-untyped-def]
    for place in range(len(rows)):
        at = offsets[place]
        for byte in range(packed.shape[1]):
            value = packed[rows[place], byte]
            person = 4 * byte
            while value:
                if value & 3:
                    people[at], calls[at] = person, value & 3
                    at += 1
                value >>= 2
                person += 1


@numba.njit(cache=True, nogil=True)
def _merge_lists(  # type: ignore[no-untyped-def]
    rows, het_offsets, het, hom_offsets, hom, missing_offsets, missing, offsets, people, calls
):
    """The three sorted lists of each row as one."""
    for place in range(len(rows)):
        row = rows[place]
        a, b, c = het_offsets[row], hom_offsets[row], missing_offsets[row]
        for at in range(offsets[place], offsets[place + 1]):
            first = het[a] if a < het_offsets[row + 1] else np.int32(0x7FFFFFFF)
            second = hom[b] if b < hom_offsets[row + 1] else np.int32(0x7FFFFFFF)
            third = missing[c] if c < missing_offsets[row + 1] else np.int32(0x7FFFFFFF)
            if first < second and first < third:
                people[at], calls[at] = first, 1
                a += 1
            elif second < third:
                people[at], calls[at] = second, 2
                b += 1
            else:
                people[at], calls[at] = third, 3
                c += 1


def _flips(counts: npt.NDArray[np.int64], n_people: int) -> npt.NDArray[np.bool_]:
    """Rows where alt is the more frequent allele."""
    return np.asarray(counts[:, 0] + 2 * counts[:, 1] > n_people - counts[:, 2])


def _packed_rows(calls: CallBatch, stay: npt.NDArray[np.bool_]) -> tuple[Packed, npt.NDArray[np.int64]]:
    """Rows other than those that ``stay`` sparse, packed, and their places."""
    places = np.flatnonzero(~stay)
    if np.array_equal(places, calls.dense_rows):
        return calls.packed.copy(), places
    return calls.to_packed()[places], places


def minor_rows(calls: CallBatch) -> MinorRows:
    """Count, orient and sort out the rows of a batch; the encoding of a row has no part in what comes out."""
    n_people, most = calls.n_samples, int(RARE_SHARE * calls.n_samples)
    lists = (calls.het, calls.hom_alt, calls.missing)
    listed = np.stack([np.diff(offsets) for offsets, _ in lists], axis=1).astype(np.int64)
    stay = (listed.sum(axis=1) <= most) & ~_flips(listed, n_people)
    stay[calls.dense_rows] = False
    packed, packed_places = _packed_rows(calls, stay)
    counts = _counts(packed)
    flips = _flips(counts, n_people)
    _flip(packed, np.flatnonzero(flips), n_people)
    counts[flips, 1] = n_people - counts[flips].sum(axis=1)
    thin, kept = counts.sum(axis=1) <= most, np.flatnonzero(stay)
    rare_counts = np.concatenate([counts[thin], listed[kept]])
    offsets = np.zeros(len(rare_counts) + 1, np.int64)
    np.cumsum(rare_counts.sum(axis=1), out=offsets[1:])
    people, values = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.uint8)
    n_thin = int(thin.sum())
    _list_calls(packed, np.flatnonzero(thin), offsets, people, values)
    _merge_lists(kept, *calls.het, *calls.hom_alt, *calls.missing, offsets[n_thin:], people, values)
    return MinorRows(
        n_people,
        np.concatenate([packed_places[~thin], packed_places[thin], kept]),
        np.concatenate([flips[~thin], flips[thin], np.zeros(len(kept), np.bool_)]),
        np.concatenate([counts[~thin], rare_counts]),
        packed if not n_thin else packed[~thin],
        offsets,
        people,
        values,
    )


def _counts(packed: Packed) -> npt.NDArray[np.int64]:
    counts = np.zeros((len(packed), 3), np.int64)
    words = np.zeros((len(packed), (packed.shape[1] + 7) // 8), np.uint64)
    words.view(np.uint8)[:, : packed.shape[1]] = packed
    _count(words, counts)
    return counts


@numba.njit(cache=True, nogil=True)
def expand(minor, at, n_common, packed, offsets, people, calls, missing_value):  # type: ignore[no-untyped-def]
    """Copies of the minor allele of the row ``at`` into ``minor`` float64[n], missing calls as a value."""
    n_people = len(minor)
    if at < n_common:
        for person in range(n_people):
            call = (packed[at, person >> 2] >> np.uint8((person & 3) * 2)) & 3
            minor[person] = missing_value if call == 3 else np.float64(call)
        return
    minor[:] = 0
    for entry in range(offsets[at - n_common], offsets[at - n_common + 1]):
        call = calls[entry]
        minor[people[entry]] = missing_value if call == 3 else np.float64(call)
