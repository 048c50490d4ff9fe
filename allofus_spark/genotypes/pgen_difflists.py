"""Kernels for the main track of a .pgen record: 2-bit, 1-bit, LD-compressed and difflist forms.

Every function reads within ``data[at:end]`` and returns the place behind what it read, or one of the negative
codes below. Sample ids of a difflist are proven to rise and to be below the sample count before anything is
written by them.

Source: PLINK 2 File Format Specification Draft, sections "Difflists" and "Main data track"
(https://github.com/chrchang/plink-ng/tree/master/pgen_spec).
"""

from __future__ import annotations

import numba
import numpy as np

PAST_END, BAD_SAMPLE, BAD_TYPE, NO_BASE = -1, -2, -3, -4
PLAIN, ONE_BIT, LD, LD_INVERTED, ALL_HOM_REF, _RESERVED, ALL_HOM_ALT, ALL_MISSING = range(8)
_GROUP = 64
_LEAST_GROUP_BYTES = 63

_BYTE = np.arange(256)
# Bit i of a byte moved to the low bit of two-bit lane i: uint16[256], eight samples.
_SPREAD = np.bitwise_or.reduce([((_BYTE >> bit) & 1) << (2 * bit) for bit in range(8)]).astype(np.uint16)
# Hom-ref and hom-alt exchanged in each lane: the high bit is flipped where the low bit is clear.
_INVERTED = (_BYTE ^ ((~_BYTE & 0x55) << 1)).astype(np.uint8)


@numba.njit(cache=True, nogil=True)
def _varint(data, at, end):  # type: ignore[no-untyped-def]
    """Base-128 number at ``at``: (number, place behind it or PAST_END)."""
    value = np.int64(0)
    for place in range(5):
        if at >= end:
            return value, PAST_END
        byte = np.int64(data[at])
        at += 1
        value |= (byte & 127) << (7 * place)
        if byte < 128:
            return value, at
    return value, BAD_SAMPLE


@numba.njit(cache=True, nogil=True)
def little_endian(data, at, n_bytes):  # type: ignore[no-untyped-def]
    """Unsigned number of ``n_bytes`` bytes; the caller has checked that they are there."""
    value = np.int64(0)
    for place in range(n_bytes):
        value |= np.int64(data[at + place]) << (8 * place)
    return value


@numba.njit(cache=True, nogil=True)
def _id_bytes(n_samples):  # type: ignore[no-untyped-def]
    if n_samples <= 1 << 8:
        return 1
    if n_samples <= 1 << 16:
        return 2
    return 3 if n_samples <= 1 << 24 else 4


@numba.njit(cache=True, nogil=True)
def read_difflist(data, at, end, n_samples, has_values, samples):  # type: ignore[no-untyped-def]
    """Sample indices of a difflist into ``samples`` int32[n_samples].

    Returns (place behind it or a code, number of entries, place of the packed values).
    """
    length, at = _varint(data, at, end)
    if at < 0 or length == 0:
        return at, np.int64(0), at
    if length > n_samples:
        return BAD_SAMPLE, length, at
    n_groups = (length + _GROUP - 1) // _GROUP
    id_bytes = _id_bytes(n_samples)
    first_at = at
    sizes_at = first_at + n_groups * id_bytes
    values_at = sizes_at + n_groups - 1
    at = values_at + ((length + 3) // 4 if has_values else 0)
    if at > end:
        return PAST_END, length, values_at
    previous = np.int64(-1)
    group_at = at
    for entry in range(length):
        if entry % _GROUP == 0:
            group = entry // _GROUP
            if group and at - group_at != np.int64(data[sizes_at + group - 1]) + _LEAST_GROUP_BYTES:
                return BAD_SAMPLE, length, values_at
            sample = little_endian(data, first_at + group * id_bytes, id_bytes)
            group_at = at
        else:
            step, at = _varint(data, at, end)
            if at < 0:
                return at, length, values_at
            sample = previous + step
        if sample <= previous or sample >= n_samples:
            return BAD_SAMPLE, length, values_at
        samples[entry] = sample
        previous = sample
    return at, length, values_at


@numba.njit(cache=True, nogil=True)
def set_call(row, sample, call):  # type: ignore[no-untyped-def]
    """Replace one call of a packed row."""
    shift = (sample & 3) * 2
    kept = np.int64(row[sample >> 2]) & ~(3 << shift)
    row[sample >> 2] = kept | (call << shift)


@numba.njit(cache=True, nogil=True)
def _apply_difflist(data, at, end, n_samples, row, samples):  # type: ignore[no-untyped-def]
    at, length, values_at = read_difflist(data, at, end, n_samples, True, samples)
    if at < 0:
        return at
    for entry in range(length):
        call = (np.int64(data[values_at + (entry >> 2)]) >> ((entry & 3) * 2)) & 3
        set_call(row, np.int64(samples[entry]), call)
    return at


@numba.njit(cache=True, nogil=True)
def _read_one_bit(data, at, end, n_samples, row):  # type: ignore[no-untyped-def]
    """A byte that names two calls, and a bit a sample that chooses between them."""
    n_bytes = (n_samples + 7) // 8
    if at + 1 + n_bytes > end:
        return PAST_END
    low, step = np.int64(data[at]) >> 2, np.int64(data[at]) & 3
    if step == 0 or low + step > 3:
        return BAD_TYPE
    if n_samples & 7 and data[at + n_bytes] >> (n_samples & 7):
        return BAD_SAMPLE
    at += 1
    width = len(row)
    for place in range(n_bytes):
        lanes = low * 0x5555 + step * np.int64(_SPREAD[data[at + place]])
        row[2 * place] = lanes & 255
        if 2 * place + 1 < width:
            row[2 * place + 1] = lanes >> 8
    return at + n_bytes


@numba.njit(cache=True, nogil=True)
def read_main_track(data, at, end, form, n_samples, mask, base, row, samples):  # type: ignore[no-untyped-def]
    """Fill ``row`` uint8[ceil(n / 4)] from the main track; pad bits zero.

    Parameters
    ----------
    form
        The low three bits of the record type.
    mask
        Bits of the last byte that belong to samples.
    base : uint8[ceil(n / 4)]
        The main track of the last record that is not LD-compressed; of length 0 where there is none.
    samples : int32[n_samples]
        Room for the indices of a difflist.
    """
    width = len(row)
    if form == PLAIN:
        if at + width > end:
            return PAST_END
        row[:] = data[at : at + width]
        at += width
    elif form == ONE_BIT:
        at = _read_one_bit(data, at, end, n_samples, row)
    elif form in (LD, LD_INVERTED):
        if len(base) != width:
            return NO_BASE
        row[:] = base
    elif form == ALL_HOM_REF:
        row[:] = 0
    elif form == ALL_HOM_ALT:
        row[:] = 0xAA
    elif form == ALL_MISSING:
        row[:] = 0xFF
    else:
        return BAD_TYPE
    if at >= 0 and form != PLAIN:
        at = _apply_difflist(data, at, end, n_samples, row, samples)
    if form == LD_INVERTED:
        # The list was applied as it stands: PLINK 2 inverts its values with the rest.
        for byte in range(width):
            row[byte] = _INVERTED[row[byte]]
    row[width - 1] &= mask
    return at
