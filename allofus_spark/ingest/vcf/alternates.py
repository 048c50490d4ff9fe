"""The alternates of each record, and which of them become alleles of the callset."""

from __future__ import annotations

import numba
import numpy as np

from allofus_spark.ingest.vcf.scan import ALT, COMMA, LESS, STAR

EXPLICIT, SYMBOLIC, DROPPED = 0, 1, 2


@numba.njit(cache=True, nogil=True)
def _kind(data, start, end):  # type: ignore[no-untyped-def]
    """EXPLICIT bases; SYMBOLIC or breakend, kept as written; DROPPED: ``*``, ``<*>``, ``<NON_REF>``."""
    first = data[start]
    if first == STAR:
        return DROPPED
    if first == LESS:
        if end - start == 3 and data[start + 1] == STAR:
            return DROPPED
        name = (78, 79, 78, 95, 82, 69, 70)  # NON_REF
        if end - start == 9:
            same = True
            for at in range(7):
                same = same and data[start + 1 + at] == name[at]
            if same:
                return DROPPED
        return SYMBOLIC
    for at in range(start, end):
        letter = data[at] | 32
        if letter < 97 or letter > 122:
            return SYMBOLIC
    return EXPLICIT


@numba.njit(cache=True, nogil=True)
def split_alternates(data, fields, numbers, reason):  # type: ignore[no-untyped-def]
    """Slices of the alternates of the records that have not been refused.

    Returns
    -------
    first : int64[records + 1]
        Where each record's alternates begin; a refused record has none.
    slices : int64[alternates, 2]
    kinds : int8[alternates]
    """
    records = len(reason)
    first = np.zeros(records + 1, np.int64)
    for record in range(records):
        first[record + 1] = first[record] + (numbers[record, 1] if reason[record] == 0 else 0)
    slices = np.zeros((first[records], 2), np.int64)
    kinds = np.zeros(first[records], np.int8)
    for record in range(records):
        if first[record + 1] == first[record]:
            continue
        index = first[record]
        start, end = fields[record, ALT, 0], fields[record, ALT, 1]
        for at in range(start, end + 1):
            if at == end or data[at] == COMMA:
                slices[index, 0], slices[index, 1] = start, at
                kinds[index] = _kind(data, start, at)
                index += 1
                start = at + 1
    return first, slices, kinds
