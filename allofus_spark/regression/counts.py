"""Exact counts of calls among the people of many masks: popcounts for common rows, carriers for rare ones."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.bit_planes import count_bits
from allofus_spark.regression.fitted import Models
from allofus_spark.regression.rows import MinorRows

Counts = npt.NDArray[np.int32]


@numba.njit(cache=True, nogil=True)
def _count_planes(het, hom, missing, masks, counts):  # type: ignore[no-untyped-def]
    for row in range(het.shape[0]):
        for mask in range(masks.shape[0]):
            n_het = n_hom = n_missing = 0
            for word in range(masks.shape[1]):
                people = masks[mask, word]
                n_het += count_bits(het[row, word] & people)
                n_hom += count_bits(hom[row, word] & people)
                n_missing += count_bits(missing[row, word] & people)
            counts[row, 0, mask], counts[row, 1, mask], counts[row, 2, mask] = n_het, n_hom, n_missing


@numba.njit(cache=True, nogil=True)
def _count_carriers(offsets, people, calls, members, counts):  # type: ignore[no-untyped-def]
    for row in range(counts.shape[0]):
        for at in range(offsets[row], offsets[row + 1]):
            call, person = calls[at] - 1, people[at]
            for mask in range(members.shape[1]):
                counts[row, call, mask] += members[person, mask]


def count_masks(rows: MinorRows, models: Models) -> Counts:
    """int32[rows, 3, masks]: het, hom of the minor allele and missing calls among the people of each mask."""
    counts = np.zeros((len(rows.order), 3, len(models.masks)), np.int32)
    if len(models.masks):
        if rows.n_common:
            _count_planes(*rows.planes(), models.masks, counts)
        rare = counts[rows.n_common :]
        _count_carriers(rows.offsets, rows.people, rows.calls, models.members, rare)
    return counts
