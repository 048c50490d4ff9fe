"""Packed calls of some of the samples."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.encoding import MISSING, CallBatch, Lists, Packed, packed_width


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


@numba.njit(cache=True, nogil=True)
def _map_lists(  # type: ignore[no-untyped-def]
    offsets, indices, places, added, n_added, mapped_offsets, mapped
):
    """Places of the indices of each row and the first ``n_added[row]`` of ``added``, sorted."""
    at = 0
    for row in range(len(offsets) - 1):
        first = at
        in_order = True
        for index in indices[offsets[row] : offsets[row + 1]]:
            if places[index] >= 0:
                mapped[at] = places[index]
                in_order &= at == first or mapped[at] > mapped[at - 1]
                at += 1
        for place in added[: n_added[row]]:
            mapped[at] = place
            in_order &= at == first or mapped[at] > mapped[at - 1]
            at += 1
        if not in_order:
            mapped[first:at].sort()
        mapped_offsets[row + 1] = at


def _mapped(
    lists: Lists,
    places: npt.NDArray[np.int32],
    added: npt.NDArray[np.int32],
    n_added: npt.NDArray[np.int64],
) -> Lists:
    offsets, indices = lists
    mapped_offsets = np.zeros(len(offsets), np.int32)
    mapped = np.empty(len(indices) + int(n_added.sum()), np.int32)
    _map_lists(offsets, indices, places, added, n_added, mapped_offsets, mapped)
    return mapped_offsets, mapped[: mapped_offsets[-1]]


def take_people(calls: CallBatch, places: npt.NDArray[np.int32], n_people: int) -> CallBatch:
    """Calls of some people, in an order of their own; sparse rows stay sparse, at the cost of their carriers.

    Parameters
    ----------
    calls
        Of ``n_samples`` samples.
    places
        int32[n_samples], the place of each sample among the people, each at most once; -1: not one of them.
    n_people
        Of the result. A person at whose place there is no sample has a missing call everywhere.
    """
    samples = np.flatnonzero(places >= 0)
    sample_of = np.full(n_people, -1, np.int64)
    sample_of[places[samples]] = samples
    if len(samples) == n_people == calls.n_samples and np.array_equal(sample_of, np.arange(n_people)):
        return calls
    absent = np.flatnonzero(sample_of < 0).astype(np.int32)
    packed = take_samples(calls.packed, np.maximum(sample_of, 0))
    if len(absent):
        missing = np.zeros(packed.shape[1], np.uint8)
        np.bitwise_or.at(missing, absent >> 2, (MISSING << ((absent & 3) * 2)).astype(np.uint8))
        packed |= missing
    is_sparse = np.ones(calls.n_rows, np.bool_)
    is_sparse[calls.dense_rows] = False
    n_added = np.where(is_sparse, len(absent), 0)
    nobody = np.zeros(calls.n_rows, np.int64)
    return CallBatch(
        calls.n_rows,
        n_people,
        calls.dense_rows,
        packed,
        _mapped(calls.het, places, absent, nobody),
        _mapped(calls.hom_alt, places, absent, nobody),
        _mapped(calls.missing, places, absent, n_added),
    )
