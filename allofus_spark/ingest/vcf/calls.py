"""Second pass over VCF lines: the genotypes of each record into packed calls, one row an alternate.

Policy for calls that are not plainly diploid, by how many copies are meant at the locus:

- a half call (``./1``, ``1/.``) is missing, except where one copy is meant (XY in non-PAR X and Y, anyone on
  MT): there it is the haploid call of the allele seen;
- a haploid call is stored as 0 or 2 where one copy may be meant (not for XX on X), and is missing elsewhere;
- more than two alleles are missing.

A call that the policy leaves is then held against the genotype filters.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genome import DIPLOID, MITOCHONDRIAL, X_NONPAR
from allofus_spark.ingest.vcf.quality import GT_VALUE, PASSES, failed_rule
from allofus_spark.ingest.vcf.scan import AD, COLON, DOT, DP, FT, GQ, GT, N_ALTS, N_KEYS, TAB, Reason

SEX_UNKNOWN, SEX_XX, SEX_XY = 0, 1, 2
# Columns of the tallies, as in tables.variant_tables.CALLS_MISSING; the genotype filters follow.
HALF, HAPLOID, POLYPLOID, FIRST_FILTER = range(4)
_ABSENT, _BAD = -1, -2
_COLUMN_COUNT, _BAD_GENOTYPE = int(Reason.COLUMN_COUNT), int(Reason.BAD_GENOTYPE)
_SLASH, _BAR = 47, 124


@numba.njit(cache=True, nogil=True)
def _parse_gt(data, at, end, n_alts, alleles):  # type: ignore[no-untyped-def]
    """Alleles of one GT value into ``alleles`` (the first two, -1 missing); the ploidy, or _BAD.

    A leading separator is the phase of the first allele (VCF 4.4). Ploidy over two gives 3, or 1 with a
    missing allele where all are missing.
    """
    if at < end and (data[at] == _SLASH or data[at] == _BAR):
        at += 1
    ploidy = 0
    called = 0
    while True:
        if at >= end:
            return _BAD
        if data[at] == DOT:
            allele = -1
            at += 1
        else:
            allele = 0
            first = at
            while at < end and 48 <= data[at] <= 57:
                allele = allele * 10 + (data[at] - 48)
                if allele > n_alts:
                    return _BAD
                at += 1
            if at == first or (data[first] == 48 and at - first > 1):
                return _BAD
            called += 1
        if ploidy < 2:
            alleles[ploidy] = allele
        ploidy += 1
        if at == end:
            break
        if data[at] != _SLASH and data[at] != _BAR:
            return _BAD
        at += 1
    if ploidy > 2:
        if called:
            return 3
        alleles[0] = -1
        return 1
    return ploidy


@numba.njit(cache=True, nogil=True)
def _settle(alleles, ploidy, region, sex, tally):  # type: ignore[no-untyped-def]
    """Apply the policy: 2 diploid, 1 haploid (allele in alleles[0]), 0 missing."""
    one_copy = region == MITOCHONDRIAL or (region != DIPLOID and sex == SEX_XY)
    if ploidy == 2:
        if alleles[0] >= 0 and alleles[1] >= 0:
            return 2
        if alleles[0] < 0 and alleles[1] < 0:
            return 0
        if one_copy:
            alleles[0] = max(alleles[0], alleles[1])
            return 1
        tally[HALF] += 1
        return 0
    if ploidy == 1:
        if alleles[0] < 0:
            return 0
        if region == DIPLOID or (region == X_NONPAR and sex == SEX_XX):
            tally[HAPLOID] += 1
            return 0
        return 1
    tally[POLYPLOID] += 1
    return 0


@numba.njit(cache=True, nogil=True)
def _store(packed, rows, n_alts, sample, copies, alleles):  # type: ignore[no-untyped-def]
    """Write one sample's call into the row of each kept alternate."""
    byte, shift = sample >> 2, (sample & 3) * 2
    if copies == 0:
        for alt in range(n_alts):
            if rows[alt] >= 0:
                packed[rows[alt], byte] |= np.uint8(3 << shift)
        return
    # A haploid alt is stored as two copies; a het adds one to each of its alleles.
    for place in range(copies):
        alt = alleles[place] - 1
        if alt >= 0 and rows[alt] >= 0:
            packed[rows[alt], byte] += np.uint8((3 - copies) << shift)


@numba.njit(cache=True, nogil=True)
def _next_values(data, at, end, slots, bounds):  # type: ignore[no-untyped-def]
    """Bounds of the values that are read in the sample field at ``at``; its end, or _BAD for too many values.

    ``slots`` says for each key of FORMAT which row of ``bounds`` its value has, or -1.
    """
    bounds[:] = _ABSENT
    place = 0
    first = at
    while True:
        if at == end or data[at] == TAB or data[at] == COLON:
            if place == len(slots):
                return _BAD
            if slots[place] >= 0:
                bounds[slots[place], 0], bounds[slots[place], 1] = first, at
            place += 1
            first = at + 1
            if at == end or data[at] == TAB:
                return at
        at += 1


# A diploid call of single-digit alleles and the tab after it, as one little-endian word.
_PHASED_REF = np.uint32(int.from_bytes(b"0|0\t", "little"))
_UNPHASED_REF = np.uint32(int.from_bytes(b"0/0\t", "little"))
_PUNCTUATION = np.uint32(0xFF00FF00)
_PHASED = np.uint32(_PHASED_REF & _PUNCTUATION)
_UNPHASED = np.uint32(_UNPHASED_REF & _PUNCTUATION)


@numba.njit(cache=True, nogil=True)
def _pack_words(words, first_word, sample, last, n_alts, rows, packed):  # type: ignore[no-untyped-def]
    """Pack plain diploid calls from ``sample`` up to ``last`` for as long as they come; the sample after.

    ``words`` are a call and its tab as one number each, that of sample 0 at ``first_word``.
    """
    while sample < last:
        word = words[first_word + sample]
        if word in (_PHASED_REF, _UNPHASED_REF):
            sample += 1
            continue
        punctuation = word & _PUNCTUATION
        if punctuation != _PHASED and punctuation != _UNPHASED:
            break
        first = np.int64(word & np.uint32(255)) - 48
        second = np.int64((word >> np.uint32(16)) & np.uint32(255)) - 48
        byte, shift = sample >> 2, (sample & 3) * 2
        if first == -2 and second == -2:
            for alt in range(n_alts):
                if rows[alt] >= 0:
                    packed[rows[alt], byte] |= np.uint8(3 << shift)
        elif 0 <= first <= n_alts and 0 <= second <= n_alts and first <= 9 and second <= 9:
            if first > 0 and rows[first - 1] >= 0:
                packed[rows[first - 1], byte] += np.uint8(1 << shift)
            if second > 0 and rows[second - 1] >= 0:
                packed[rows[second - 1], byte] += np.uint8(1 << shift)
        else:
            break
        sample += 1
    return sample


@numba.njit(cache=True, nogil=True)
def _slots(numbers):  # type: ignore[no-untyped-def]
    """int64[keys]: which of the values that are read each key of FORMAT is, or -1."""
    slots = np.full(numbers[N_KEYS], -1, np.int64)
    for slot, field in enumerate((GT, GQ, DP, AD, FT)):
        if numbers[field] >= 0:
            slots[numbers[field]] = slot
    return slots


@numba.njit(cache=True, nogil=True)
def _call(data, bounds, n_alts, region, sex, alleles, tally):  # type: ignore[no-untyped-def]
    """Copies called in one sample field (alleles in ``alleles``), by the policy on ploidy; or _BAD."""
    if bounds[GT_VALUE, 0] == _ABSENT:
        return 0
    ploidy = _parse_gt(data, bounds[GT_VALUE, 0], bounds[GT_VALUE, 1], n_alts, alleles)
    return _BAD if ploidy == _BAD else _settle(alleles, ploidy, region, sex, tally)


@numba.njit(cache=True, nogil=True)
def _pack_line(data, words, span, numbers, region, sex, rules, rows, packed, tally):  # type: ignore[no-untyped-def]
    """Pack one record; 0 or the reason why it is refused, and its high-quality calls (-1: cannot be told)."""
    at, end = span[0], span[1]
    n_samples, n_alts = len(sex), numbers[N_ALTS]
    graded = numbers[GQ] >= 0 and numbers[DP] >= 0 and numbers[AD] >= 0
    high_quality = 0 if graded else -1
    if n_samples == 0:
        return 0, high_quality
    alleles = np.zeros(2, np.int64)
    bounds = np.zeros((5, 2), np.int64)
    slots = _slots(numbers)
    filtered = rules[0].max() >= 0
    plain = numbers[GT] == 0 and numbers[N_KEYS] == 1 and not filtered
    sample = 0
    while sample < n_samples:
        if plain:
            # The last call has no tab behind it.
            last = min(n_samples - 1, sample + (end - at) // 4)
            after = _pack_words(words[at & 3], (at >> 2) - sample, sample, last, n_alts, rows, packed)
            at += 4 * (after - sample)
            sample = after
        if at > end:
            return _COLUMN_COUNT, high_quality
        stop = _next_values(data, at, end, slots, bounds)
        if stop == _BAD:
            return _BAD_GENOTYPE, high_quality
        copies = _call(data, bounds, n_alts, region, sex[sample], alleles, tally)
        if copies == _BAD:
            return _BAD_GENOTYPE, high_quality
        if copies > 0 and graded and failed_rule(data, bounds, alleles, copies, rules[1]) == PASSES:
            high_quality += 1
        if copies > 0 and filtered:
            failed = failed_rule(data, bounds, alleles, copies, rules[0])
            if failed != PASSES:
                tally[FIRST_FILTER + failed] += 1
                copies = 0
        if copies == 0 or alleles[0] > 0 or (copies == 2 and alleles[1] > 0):
            _store(packed, rows, n_alts, sample, copies, alleles)
        at = stop + 1
        sample += 1
    return 0 if at == end + 1 else _COLUMN_COUNT, high_quality


def words_of(data: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint32], ...]:
    """The buffer as 32-bit words that start at byte 0, 1, 2 and 3: views, nothing is copied."""
    return tuple(data[shift : shift + (len(data) - shift) // 4 * 4].view(np.uint32) for shift in range(4))


@numba.njit(cache=True, nogil=True)
def pack_records(  # type: ignore[no-untyped-def]
    data, words, calls, numbers, regions, sex, rules, rows, row_starts, packed, reason, tallies, high_quality
):
    """Pack the calls of records that have not been refused.

    Parameters
    ----------
    data, calls, numbers
        As from ``scan_records``, for the records to pack.
    words
        ``words_of(data)``.
    regions : int8[records]
        Ploidy region of each record.
    sex : int8[n_samples]
        SEX_UNKNOWN, SEX_XX or SEX_XY.
    rules : float64[2, 4]
        Genotype filters to apply, and the rules of a high-quality call; see ``GenotypeFilters.as_array``.
    rows : int64[alternates]
        Row of ``packed`` for each alternate of each record, -1 where it is dropped.
    row_starts : int64[records]
        Where the record's alternates begin in ``rows``.
    packed : uint8[rows, ceil(n_samples / 4)]
        Zeroed; filled here.
    reason : int8[records]
        Set where a record is refused; its rows are then to be dropped.
    tallies : int32[records, 7]
        Calls set to missing, by HALF, HAPLOID, POLYPLOID, and from FIRST_FILTER on by FT, GQ, DP, AB.
    high_quality : int32[records]
        Set to the high-quality calls, -1 where FORMAT lacks GQ, DP or AD.
    """
    for record in range(len(calls)):
        if reason[record] != 0:
            continue
        start = row_starts[record]
        reason[record], high_quality[record] = _pack_line(
            data,
            words,
            calls[record],
            numbers[record],
            regions[record],
            sex,
            rules,
            rows[start : start + numbers[record, N_ALTS]],
            packed,
            tallies[record],
        )
