"""Kernels that turn .pgen records into packed calls, one row an alternate.

A record begins with its main track, which calls an allele "alternate" whichever it is; the multi-allelic
track says in which samples it is not the first (patches). The tracks for phase and dosage come behind, and
are passed over by the record's length.

Source: PLINK 2 File Format Specification Draft, section "Multiallelic hard-calls".
"""

from __future__ import annotations

import numba
import numpy as np

from allofus_spark.genotypes.encoding import HET, HOM_ALT
from allofus_spark.genotypes.pgen_difflists import (
    BAD_SAMPLE,
    BAD_TYPE,
    NO_BASE,
    PAST_END,
    little_endian,
    read_difflist,
    read_main_track,
    set_call,
)

BAD_ALLELE, BAD_PATCH, LEFT_OVER = -5, -6, -7
PROBLEMS = {
    PAST_END: "its tracks reach past its end",
    BAD_SAMPLE: "its sample list is not a rising list of samples of the file",
    BAD_TYPE: "its form is none that the format defines",
    NO_BASE: "it refers to a record before it, and there is none in its block of 65,536",
    BAD_ALLELE: "it has calls of alternates that the variant does not have: the .pvar is of another file",
    BAD_PATCH: "its list of multi-allelic calls does not fit its calls",
    LEFT_OVER: "bytes follow its last track",
}
# Bits of a record type.
_FORM, _MULTIALLELIC, _LATER_TRACKS = 0x07, 0x08, 0xF0
_IS_LD = 0x06
_LISTED, _EMPTY = 1, 15


@numba.njit(cache=True, nogil=True)
def _het_width(n_alts):  # type: ignore[no-untyped-def]
    """Bits of the alternate's number, less 2, in a het patch."""
    if n_alts == 2:
        return 0
    return 1 if n_alts == 3 else _pair_width(n_alts - 1)


@numba.njit(cache=True, nogil=True)
def _pair_width(n_alts):  # type: ignore[no-untyped-def]
    """Bits of each alternate's number, less 1, in a patch of two alternates, where there are over two."""
    if n_alts <= 4:
        return 2
    if n_alts <= 16:
        return 4
    if n_alts <= 256:
        return 8
    return 16 if n_alts <= 65536 else 24


@numba.njit(cache=True, nogil=True)
def _number(data, at, index, bits):  # type: ignore[no-untyped-def]
    """Element ``index`` of a packed array of numbers of 0, 1, 2, 4, 8, 16 or 24 bits."""
    if bits >= 8:
        return little_endian(data, at + index * (bits // 8), bits // 8)
    if bits == 0:
        return np.int64(0)
    bit = index * bits
    return (np.int64(data[at + (bit >> 3)]) >> (bit & 7)) & ((1 << bits) - 1)


@numba.njit(cache=True, nogil=True)
def _call_of(row, sample):  # type: ignore[no-untyped-def]
    return (np.int64(row[sample >> 2]) >> ((sample & 3) * 2)) & 3


@numba.njit(cache=True, nogil=True)
def _has_bits_behind(data, behind, n_bits):  # type: ignore[no-untyped-def]
    """Whether the last byte of ``n_bits`` bits that end before ``behind`` has bits set after them."""
    return n_bits & 7 != 0 and data[behind - 1] >> (n_bits & 7) != 0


@numba.njit(cache=True, nogil=True)
def _patched_samples(data, at, end, form, call, n_samples, row, samples):  # type: ignore[no-untyped-def]
    """Samples with the main call ``call`` that a patch set names: (place behind or a code, how many)."""
    n_patched = np.int64(0)
    if form == _LISTED:
        at, n_patched, _ = read_difflist(data, at, end, n_samples, False, samples)
        if at < 0:
            return at, n_patched
        for entry in range(n_patched):
            if _call_of(row, np.int64(samples[entry])) != call:
                return BAD_PATCH, n_patched
        return at, n_patched
    if form != 0:
        return BAD_PATCH, n_patched
    n_called = np.int64(0)
    for sample in range(n_samples):
        if _call_of(row, sample) == call:
            if at + (n_called >> 3) >= end:
                return PAST_END, n_patched
            if (data[at + (n_called >> 3)] >> (n_called & 7)) & 1:
                samples[n_patched] = sample
                n_patched += 1
            n_called += 1
    behind = at + (n_called + 7) // 8
    if _has_bits_behind(data, behind, n_called):
        return BAD_PATCH, n_patched
    return behind, n_patched


@numba.njit(cache=True, nogil=True)
def _patches(data, at, end, form, call, bits, n_samples, row, samples):  # type: ignore[no-untyped-def]
    """A patch set with ``bits`` an entry: (place of its numbers or a code, place behind, how many)."""
    at, n_patched = _patched_samples(data, at, end, form, call, n_samples, row, samples)
    behind = at + (n_patched * bits + 7) // 8
    if at < 0:
        return at, behind, n_patched
    if behind > end:
        return np.int64(PAST_END), behind, n_patched
    if _has_bits_behind(data, behind, n_patched * bits):
        return np.int64(BAD_PATCH), behind, n_patched
    return at, behind, n_patched


@numba.njit(cache=True, nogil=True)
def _patch_hets(data, at, end, form, n_samples, rows, samples):  # type: ignore[no-untyped-def]
    """Move hets of the reference and a later alternate to that alternate's row."""
    n_alts = len(rows)
    bits = _het_width(n_alts)
    at, behind, n_patched = _patches(data, at, end, form, HET, bits, n_samples, rows[0], samples)
    if at < 0:
        return at
    for entry in range(n_patched):
        alt = _number(data, at, entry, bits) + 1
        if alt >= n_alts:
            return BAD_ALLELE
        sample = np.int64(samples[entry])
        set_call(rows[0], sample, 0)
        set_call(rows[alt], sample, HET)
    return behind


@numba.njit(cache=True, nogil=True)
def _patch_pairs(data, at, end, form, n_samples, rows, samples):  # type: ignore[no-untyped-def]
    """Give calls of two alternates, other than the first twice, to the rows of both."""
    n_alts = len(rows)
    bits = 1 if n_alts == 2 else 2 * _pair_width(n_alts)
    at, behind, n_patched = _patches(data, at, end, form, HOM_ALT, bits, n_samples, rows[0], samples)
    if at < 0:
        return at
    for entry in range(n_patched):
        if n_alts == 2:
            first, second = _number(data, at, entry, 1), np.int64(1)
        else:
            first = _number(data, at, 2 * entry, bits // 2)
            second = _number(data, at, 2 * entry + 1, bits // 2)
        if first > second or second >= n_alts:
            return BAD_ALLELE
        if second == 0:  # what the main track says already
            return BAD_PATCH
        sample = np.int64(samples[entry])
        set_call(rows[0], sample, 0)
        set_call(rows[first], sample, HET)
        set_call(rows[second], sample, HOM_ALT if first == second else HET)
    return behind


@numba.njit(cache=True, nogil=True)
def _read_alternates(data, at, end, record_type, n_samples, rows, samples):  # type: ignore[no-untyped-def]
    """Fill the rows of the later alternates, and take their calls out of the first's."""
    for alt in range(1, len(rows)):
        for byte in range(rows.shape[1]):
            missing = rows[0, byte] & (rows[0, byte] >> 1) & 0x55
            rows[alt, byte] = missing | (missing << 1)
    if not record_type & _MULTIALLELIC:
        return at
    if len(rows) < 2:
        return BAD_ALLELE
    if at >= end:
        return PAST_END
    het_form, pair_form = data[at] & 15, data[at] >> 4
    at += 1
    if het_form != _EMPTY:
        at = _patch_hets(data, at, end, het_form, n_samples, rows, samples)
    if at >= 0 and pair_form != _EMPTY:
        at = _patch_pairs(data, at, end, pair_form, n_samples, rows, samples)
    return at


@numba.njit(cache=True, nogil=True)
def decode_records(data, bounds, types, n_alts, n_samples, mask, base, packed):  # type: ignore[no-untyped-def]
    """Decode records that lie in a row; (-1, 0), or the first record that is damaged and its code.

    Parameters
    ----------
    data : uint8[bytes]
    bounds : int64[records + 1]
        Where each record begins in ``data``, and the end of the last.
    types : uint8[records]
    n_alts : int64[records]
    mask
        Bits of a row's last byte that belong to samples.
    base : uint8[ceil(n / 4)]
        The last main track before the first record that is not LD-compressed; of length 0: none.
    packed : uint8[sum(n_alts), ceil(n / 4)]
        Filled here.
    """
    samples = np.empty(n_samples, np.int32)
    row = 0
    for record in range(len(types)):
        at, end = bounds[record], bounds[record + 1]
        rows = packed[row : row + n_alts[record]]
        form = types[record] & _FORM
        at = read_main_track(data, at, end, form, n_samples, mask, base, rows[0], samples)
        if at < 0:
            return record, at
        followed_by_ld = record + 1 < len(types) and types[record + 1] & _IS_LD == 2
        if form & _IS_LD != 2 and followed_by_ld:
            base = rows[0].copy()
        at = _read_alternates(data, at, end, types[record], n_samples, rows, samples)
        if at < 0:
            return record, at
        if at != end and not types[record] & _LATER_TRACKS:
            return record, LEFT_OVER
        row += n_alts[record]
    return -1, 0
