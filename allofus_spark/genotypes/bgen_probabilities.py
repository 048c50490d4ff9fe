"""Kernels that call genotypes from the probabilities of one BGEN variant.

The rule is PLINK 2's default (``--hard-call-threshold 0.1``). With x_i the expected copies of allele i, the
nearest call has round(x_i) copies of each; it is made where ½ Σ |x_i − round(x_i)| is at most 0.1, else the
call is missing. For two alleles that is |dosage − call| ≤ 0.1. Dosages are rounded to 1/16384 before, as
PLINK 2 stores them, so 0.1 is 1638/16384. Phase does not matter: copies of both haplotypes are added. The
copy of a haploid sample counts twice, as PLINK 2 counts it, so that its call is 0 or 2; where PLINK 2 calls
it het, near one half, the call is missing here.

Sources: https://www.chg.ox.ac.uk/~gav/bgen_format/spec/latest.html, "Probability data storage";
https://www.cog-genomics.org/plink/2.0/input#oxford_gen
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes.encoding import HET, HOM_ALT, HOM_REF, MISSING

BAD_LENGTH, BAD_SUM = -1, -2
MAX_PLOIDY = 63
PLOIDY_AT = 8
_PLOIDY, _IS_MISSING = 0x3F, 0x80
_UNIT = 16384  # of PLINK 2: parts of one copy
_THRESHOLD = 1638  # 0.1 of it, rounded down as PLINK 2 does


def copy_limits(bits: int) -> npt.NDArray[np.int64]:
    """int64[4]: most copies for a call of 0, least and most for 1, least for 2.

    In units of ``1 / (2**bits - 1)`` copies. They are where the rounded dosage comes to the threshold, so
    that no sample needs a division.
    """
    scale = (1 << bits) - 1

    def most(parts: int) -> int:
        return ((parts + 1) * scale - 1 - scale // 2) // _UNIT

    near_1, near_2 = _UNIT - _THRESHOLD, 2 * _UNIT - _THRESHOLD
    limits = [most(_THRESHOLD), most(near_1 - 1) + 1, most(_UNIT + _THRESHOLD), most(near_2 - 1) + 1]
    return np.array(limits, np.int64)


@numba.njit(cache=True, nogil=True)
def count_values(data, n_samples, values_a_ploidy):  # type: ignore[no-untyped-def]
    """(Probabilities stored, whether all samples are diploid)."""
    n_values, all_diploid = np.int64(0), True
    for sample in range(n_samples):
        ploidy = data[PLOIDY_AT + sample] & _PLOIDY
        n_values += values_a_ploidy[ploidy]
        all_diploid &= ploidy == 2
    return n_values, all_diploid


@numba.njit(cache=True, nogil=True)
def call_pairs(data, at, n_samples, is_phased, bits, ref_place, limits, row):  # type: ignore[no-untyped-def]
    """Calls of diploid samples at a variant of two alleles; 0 or BAD_SUM."""
    scale = (np.int64(1) << bits) - 1
    weight = np.int64(1) if is_phased else np.int64(2)
    held, n_held, is_sound = np.int64(0), 0, True
    for sample in range(n_samples):
        # Both numbers at once would not fit into 64 bits behind what is held.
        while n_held < bits:
            held |= np.int64(data[at]) << n_held
            at += 1
            n_held += 8
        first = held & scale
        held >>= bits
        n_held -= bits
        while n_held < bits:
            held |= np.int64(data[at]) << n_held
            at += 1
            n_held += 8
        second = held & scale
        held >>= bits
        n_held -= bits
        is_missing = data[PLOIDY_AT + sample] & _IS_MISSING != 0
        is_sound &= is_phased or is_missing or first + second <= scale
        copies = weight * first + second
        if ref_place == 0:
            copies = 2 * scale - copies
        call = MISSING
        if copies <= limits[0]:
            call = HOM_REF
        elif copies >= limits[3]:
            call = HOM_ALT
        elif limits[1] <= copies <= limits[2]:
            call = HET
        if is_missing:
            call = MISSING
        row[sample >> 2] |= np.uint8(call << (2 * (sample & 3)))
    return 0 if is_sound else BAD_SUM


@numba.njit(cache=True, nogil=True)
def _next_number(data, state, bits):  # type: ignore[no-untyped-def]
    """The next number of ``bits`` bits. State: next byte, bits in hand, their value."""
    while state[1] < bits:
        state[2] |= np.int64(data[state[0]]) << state[1]
        state[0] += 1
        state[1] += 8
    value = state[2] & ((np.int64(1) << bits) - 1)
    state[2] >>= bits
    state[1] -= bits
    return value


@numba.njit(cache=True, nogil=True)
def _add_haplotypes(data, state, bits, ploidy, copies):  # type: ignore[no-untyped-def]
    """Add the probabilities of each haplotype's alleles to ``copies``; False where they are over 1."""
    last = len(copies) - 1
    for _ in range(ploidy):
        rest = (np.int64(1) << bits) - 1
        for allele in range(last):
            value = _next_number(data, state, bits)
            copies[allele] += value
            rest -= value
        if rest < 0:
            return False
        copies[last] += rest
    return True


@numba.njit(cache=True, nogil=True)
def _add_genotypes(data, state, bits, ploidy, copies):  # type: ignore[no-untyped-def]
    """Add each genotype's probability to ``copies`` of its alleles; False where they are over 1.

    Genotypes come in the order of VCF: 0/0, 0/1, 1/1, 0/2, 1/2, 2/2, .. The last is what is left to 1.
    """
    last = len(copies) - 1
    rest = (np.int64(1) << bits) - 1
    for second in range(last + 1):
        for first in range(second + 1 if ploidy == 2 else 1):
            is_last = second == last and (ploidy == 1 or first == last)
            if is_last and rest < 0:
                return False
            value = rest if is_last else _next_number(data, state, bits)
            rest -= value
            copies[second] += value
            if ploidy == 2:
                copies[first] += value
    return True


@numba.njit(cache=True, nogil=True)
def _store_call(copies, scale, ploidy, ref_place, rows, sample):  # type: ignore[no-untyped-def]
    """Write the nearest call to the rows of all alternates, missing where it is not near."""
    distance, is_half = np.int64(0), False
    for allele in range(len(copies)):
        parts = ((3 - ploidy) * copies[allele] * _UNIT + scale // 2) // scale
        copies[allele] = (parts + _UNIT // 2) // _UNIT
        distance += abs(parts - copies[allele] * _UNIT)
        is_half |= ploidy == 1 and copies[allele] == 1
    is_called = distance <= 2 * _THRESHOLD and not is_half
    byte, shift = sample >> 2, (sample & 3) * 2
    row = 0
    for allele in range(len(copies)):
        if allele != ref_place:
            rows[row, byte] |= np.uint8((copies[allele] if is_called else MISSING) << shift)
            row += 1


@numba.njit(cache=True, nogil=True)
def call_samples(  # type: ignore[no-untyped-def]
    data, at, n_samples, n_alleles, is_phased, bits, ref_place, values_a_ploidy, rows, haploid
):
    """Calls of any ploidy, number of alleles and bits; (samples of ploidy over 2, 0 or BAD_SUM).

    Parameters
    ----------
    data : uint8[bytes]
        The inflated genotypes of one variant, proven to hold all probabilities from ``at`` on.
    values_a_ploidy : int64[64]
        Probabilities stored for a sample, by its ploidy.
    rows : uint8[n_alleles - 1, ceil(n / 4)]
        Zeroed; the calls of each alternate are written here.
    haploid : uint8[ceil(n / 4)]
        Zeroed; 1 is written to the two bits of each sample of ploidy 1.
    """
    state = np.zeros(3, np.int64)
    state[0] = at
    scale = (np.int64(1) << bits) - 1
    copies = np.empty(n_alleles, np.int64)
    n_polyploid = 0
    for sample in range(n_samples):
        ploidy = np.int64(data[PLOIDY_AT + sample] & _PLOIDY)
        byte, shift = sample >> 2, (sample & 3) * 2
        if ploidy > 2:
            n_polyploid += 1
        if ploidy == 1:
            haploid[byte] |= np.uint8(1 << shift)
        if ploidy == 0 or ploidy > 2 or data[PLOIDY_AT + sample] & _IS_MISSING:
            for _ in range(values_a_ploidy[ploidy]):
                _next_number(data, state, bits)
            rows[:, byte] |= np.uint8(MISSING << shift)
            continue
        copies[:] = 0
        if is_phased:
            is_sound = _add_haplotypes(data, state, bits, ploidy, copies)
        else:
            is_sound = _add_genotypes(data, state, bits, ploidy, copies)
        if not is_sound:
            return n_polyploid, BAD_SUM
        _store_call(copies, scale, ploidy, ref_place, rows, sample)
    return n_polyploid, 0
