"""First pass over VCF lines: where the fixed fields lie, and whether the record is understood.

The kernel reads whole lines in a byte buffer and copies nothing. It is strict: a line that it does not
understand gets a reason and is refused as a whole, never read in part.
"""

from __future__ import annotations

from enum import IntEnum

import numba
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]

TAB, COLON, COMMA, DOT, STAR, LESS, MORE, HASH = 9, 58, 44, 46, 42, 60, 62, 35
# Columns of a record; FORMAT and samples may be absent.
CHROM, POS, ID, REF, ALT, QUAL, FILTER, INFO, FORMAT = range(9)
# Columns of ``numbers``: what was read of a record, and where FORMAT has the fields that are read (-1: not).
POSITION, N_ALTS, N_KEYS, GT, GQ, DP, AD, FT = range(8)
MAX_POSITION = 2**31 - 2
# As a number of columns: the fixed ones count, whatever follows them.
FIXED_ONLY = 0


class Reason(IntEnum):
    """Why a record was refused. The names, in lower case, are the closed list of ``rejected_records``."""

    NONE = 0
    COLUMN_COUNT = 1  # not the columns that the header announces
    BAD_CHROM = 2  # no contig name: empty, beginning with #, or with characters that VCF forbids there
    BAD_POSITION = 3  # not a whole number from 1 on
    BAD_REF = 4  # empty, or other letters than IUPAC bases
    BAD_ALT = 5  # empty, repeated, equal to REF, or neither bases, symbolic nor breakend
    BAD_FORMAT = 6  # repeated GT
    BAD_GENOTYPE = 7  # not alleles of the record between / or |, or more fields than FORMAT
    BAD_QUAL = 8  # not a number
    EXCESS_ALLELES = 9  # more alternates than the settings allow
    POSITION_PAST_CONTIG = 10  # REF reaches past the contig's end
    REF_MISMATCH = 11  # REF is not the reference sequence
    DUPLICATE_ALLELE = 12  # another record has the same allele with other calls
    AMBIGUOUS_REFERENCE = 13  # of two alleles either could be the reference (PLINK and BGEN files)


# As plain numbers, for the kernels.
_COLUMN_COUNT, _BAD_CHROM = int(Reason.COLUMN_COUNT), int(Reason.BAD_CHROM)
_BAD_POSITION, _BAD_REF, _BAD_ALT = int(Reason.BAD_POSITION), int(Reason.BAD_REF), int(Reason.BAD_ALT)
_BAD_FORMAT, _EXCESS_ALLELES = int(Reason.BAD_FORMAT), int(Reason.EXCESS_ALLELES)


def _table(letters: bytes) -> Bytes:
    table = np.zeros(256, np.uint8)
    table[list(letters + letters.lower())] = 1
    return table


_REF_BASE = _table(b"ACGTNRYSWKMBDHV")
_ALT_BASE = _table(b"ACGTN")
# Printable ASCII without the brackets, quotes, commas and backslashes that the VCF specification leaves out.
_CONTIG_CHARACTER = _table(bytes(set(range(33, 127)) - set(b"\\,\"'`()[]{}<>")))


@numba.njit(cache=True, nogil=True)
def _all_in(data, start, end, table):  # type: ignore[no-untyped-def]
    for at in range(start, end):
        if table[data[at]] == 0:
            return False
    return end > start


@numba.njit(cache=True, nogil=True)
def _is_contig_name(data, start, end):  # type: ignore[no-untyped-def]
    """Whether a slice is a contig name, or one in angle brackets (a contig of an assembly file)."""
    if end - start > 2 and data[start] == LESS and data[end - 1] == MORE:
        start, end = start + 1, end - 1
    return _all_in(data, start, end, _CONTIG_CHARACTER) and data[start] != HASH


@numba.njit(cache=True, nogil=True)
def _same(data, start, end, other, other_end):  # type: ignore[no-untyped-def]
    """Whether two slices are equal, letters compared without case."""
    if end - start != other_end - other:
        return False
    for at in range(end - start):
        first, second = data[start + at], data[other + at]
        if first != second and ((first | 32) != (second | 32) or (first | 32) < 97):
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _symbolic(data, start, end):  # type: ignore[no-untyped-def]
    """Whether the slice is <NAME>, a breakend, or a single breakend (a dot at one end of bases)."""
    first, last = data[start], data[end - 1]
    if first == LESS:
        if last != 62 or end - start < 3:
            return False
        inside_is_plain = True
        for at in range(start + 1, end - 1):
            inside_is_plain = inside_is_plain and data[at] not in (32, 60, 62)
        return inside_is_plain
    if end - start > 1 and (first == DOT) != (last == DOT):
        return _all_in(data, start + (first == DOT), end - (last == DOT), _ALT_BASE)
    brackets = 0
    bracket = 0
    for at in range(start, end):
        if data[at] == 91 or data[at] == 93:
            if brackets and data[at] != bracket:
                return False
            bracket = data[at]
            brackets += 1
        elif data[at] == 32:
            return False
    return brackets == 2 and (first == bracket) != (last == bracket)


@numba.njit(cache=True, nogil=True)
def _check_alts(data, fields):  # type: ignore[no-untyped-def]
    """Number of alternates, 0 where ALT is a dot, -1 where one of them is not understood."""
    start, end = fields[ALT, 0], fields[ALT, 1]
    if end - start == 1 and data[start] == DOT:
        return 0
    count = 0
    first = start
    for at in range(start, end + 1):
        if at < end and data[at] != COMMA:
            continue
        if at == first:
            return -1
        star = at - first == 1 and data[first] == STAR
        if not star and not _all_in(data, first, at, _ALT_BASE) and not _symbolic(data, first, at):
            return -1
        if _same(data, first, at, fields[REF, 0], fields[REF, 1]):
            return -1
        other = start
        for earlier in range(start, first):
            if data[earlier] == COMMA:
                if _same(data, first, at, other, earlier):
                    return -1
                other = earlier + 1
        count += 1
        first = at + 1
    return count


@numba.njit(cache=True, nogil=True)
def _position(data, start, end):  # type: ignore[no-untyped-def]
    """POS, or -1 where it is not a whole number from 1 on."""
    if end == start or end - start > 10:
        return -1
    value = 0
    for at in range(start, end):
        digit = data[at] - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value if 1 <= value <= MAX_POSITION else -1


@numba.njit(cache=True, nogil=True)
def _field(data, start, end):  # type: ignore[no-untyped-def]
    """Column of ``numbers`` that holds the place of a FORMAT key, or -1: GT, GQ, DP, AD and FT are read."""
    if end - start != 2:
        return -1
    first, second = data[start], data[start + 1]
    if first == 71:  # G
        return GT if second == 84 else GQ if second == 81 else -1
    if first == 68 and second == 80:
        return DP
    if first == 65 and second == 68:
        return AD
    return FT if first == 70 and second == 84 else -1


@numba.njit(cache=True, nogil=True)
def _find_fields(data, start, end, numbers):  # type: ignore[no-untyped-def]
    """Places of the fields that are read among FORMAT's keys, and their number; whether GT is unique."""
    numbers[GT:] = -1
    keys = 0
    first = start
    for at in range(start, end + 1):
        if at == end or data[at] == COLON:
            field = _field(data, first, at)
            if field == GT and numbers[GT] >= 0:
                return False
            if field >= 0 and numbers[field] < 0:
                numbers[field] = keys
            keys += 1
            first = at + 1
    numbers[N_KEYS] = keys
    return True


@numba.njit(cache=True, nogil=True)
def _is_header(data, start, end):  # type: ignore[no-untyped-def]
    """Whether a line is ## or #CHROM; any other # is a record that somebody took out by hand."""
    if data[start] != HASH or end - start < 2:
        return False
    if data[start + 1] == HASH:
        return True
    name = (67, 72, 82, 79, 77, 9)  # CHROM and a tab
    same = end - start > len(name)
    for at in range(len(name)):
        same = same and data[start + 1 + at] == name[at]
    return same


@numba.njit(cache=True, nogil=True)
def _split_fields(data, start, end, n_columns, fields):  # type: ignore[no-untyped-def]
    """Fill ``fields`` with the slices of the fixed columns; the place after them, or -1."""
    at = start
    wanted = min(n_columns, 9) if n_columns != FIXED_ONLY else 8
    for column in range(wanted):
        fields[column, 0] = at
        while at < end and data[at] != TAB:
            at += 1
        fields[column, 1] = at
        if column < wanted - 1:
            if at >= end:
                return -1
            at += 1
    if n_columns == FIXED_ONLY:
        return at
    if n_columns > wanted:
        return at + 1 if at < end else -1
    return at if at == end else -1


@numba.njit(cache=True, nogil=True)
def scan_records(data, starts, n_columns, max_alts):  # type: ignore[no-untyped-def]
    """Locate the fields of each line and judge the fixed ones.

    Parameters
    ----------
    data, starts
        Buffer of whole lines, where they begin, and its length.
    n_columns
        Columns that the header announces: 8, or 9 + samples; FIXED_ONLY: at least 8.
    max_alts
        Alternates allowed in a record.

    Returns
    -------
    kind : int8[lines]
        0 record, 1 header line, 2 blank line.
    reason : int8[lines]
    fields : int64[lines, 9, 2]
        Slices of the columns CHROM to FORMAT.
    calls : int64[lines, 2]
        Slice of the sample columns.
    numbers : int64[lines, 8]
        Position, alternates, keys in FORMAT, and the places of GT, GQ, DP, AD and FT there (-1: absent).
    """
    lines = len(starts) - 1
    kind = np.zeros(lines, np.int8)
    reason = np.zeros(lines, np.int8)
    fields = np.zeros((lines, 9, 2), np.int64)
    calls = np.zeros((lines, 2), np.int64)
    numbers = np.zeros((lines, 8), np.int64)
    for line in range(lines):
        start, end = starts[line], starts[line + 1] - 1
        if end > start and data[end - 1] == 13:
            end -= 1
        if end == start:
            kind[line] = 2
            continue
        if _is_header(data, start, end):
            kind[line] = 1
            continue
        after = _split_fields(data, start, end, n_columns, fields[line])
        calls[line, 0], calls[line, 1] = after, end
        numbers[line, GT:] = -1
        if after < 0:
            reason[line] = _COLUMN_COUNT
            continue
        reason[line] = _judge(data, fields[line], numbers[line], n_columns, max_alts)
    return kind, reason, fields, calls, numbers


@numba.njit(cache=True, nogil=True)
def _judge(data, fields, numbers, n_columns, max_alts):  # type: ignore[no-untyped-def]
    """Fill ``numbers`` and return the reason why the fixed columns are refused, or 0."""
    if not _is_contig_name(data, fields[CHROM, 0], fields[CHROM, 1]):
        return _BAD_CHROM
    numbers[POSITION] = _position(data, fields[POS, 0], fields[POS, 1])
    if numbers[POSITION] < 0:
        return _BAD_POSITION
    if not _all_in(data, fields[REF, 0], fields[REF, 1], _REF_BASE):
        return _BAD_REF
    numbers[N_ALTS] = _check_alts(data, fields)
    if numbers[N_ALTS] < 0:
        return _BAD_ALT
    if n_columns > 9 and not _find_fields(data, fields[FORMAT, 0], fields[FORMAT, 1], numbers):
        return _BAD_FORMAT
    if numbers[N_ALTS] > max_alts:
        return _EXCESS_ALLELES
    return 0
