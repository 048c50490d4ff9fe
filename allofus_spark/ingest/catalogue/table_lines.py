"""Rows of delimited files of sites as lines of VCF."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from allofus_spark.ingest.bytes import LineChunk
from allofus_spark.ingest.catalogue.columns import SiteColumns
from allofus_spark.ingest.vcf.scan import Bytes, Offsets


@dataclass(frozen=True)
class TableLines:
    """Rows as lines of VCF, one for each line of ``chunk``; they lie where its lines lie."""

    chunk: LineChunk
    data: Bytes
    line_starts: Offsets

    def locate(self, line_starts: Offsets, /) -> Offsets:
        """Where in the file each line stood."""
        lines = np.searchsorted(self.line_starts, line_starts)
        return self.chunk.locate(self.chunk.line_starts[lines])


def table_lines(chunk: LineChunk, columns: SiteColumns, n_head_lines: int) -> TableLines:
    """The lines of a chunk as lines of VCF, of which the first ``n_head_lines`` are the file's head.

    Lines of the head, and the header where it comes again, become header lines. A row with other columns than
    the header names becomes its first value alone, which is no record.
    """
    data, starts = _as_vcf(
        chunk.data,
        chunk.line_starts,
        n_head_lines,
        np.frombuffer(columns.header, np.uint8),
        columns.delimiter,
        columns.n_columns,
        np.array(columns.places, np.int64),
        columns.variant,
    )
    return TableLines(chunk, data, starts)


def head_lines_in(chunk: LineChunk, n_before: int, columns: SiteColumns) -> int:
    """Lines of the head in a chunk that ``n_before`` lines of the file go before."""
    return int(min(max(columns.n_head_lines - n_before, 0), len(chunk.line_starts) - 1))


@numba.njit(cache=True, nogil=True)
def _split(data, start, end, delimiter, fields):  # type: ignore[no-untyped-def]
    """Fill ``fields`` with the slices of a line's values, quotes of CSV left out; the number of values."""
    count = 0
    first = start
    quoted = False
    for at in range(start, end + 1):
        if at < end and data[at] == 34 and delimiter == 44:
            quoted = not quoted
        if at < end and (data[at] != delimiter or quoted):
            continue
        if count < len(fields):
            inside = at - first > 1 and data[first] == 34 and data[at - 1] == 34 and delimiter == 44
            fields[count, 0], fields[count, 1] = first + inside, at - inside
        count += 1
        first = at + 1
    return count


@numba.njit(cache=True, nogil=True)
def _all_between(data, start, end, low, high):  # type: ignore[no-untyped-def]
    """Whether the bytes of a slice, in lower case, lie in a range, and there is one."""
    for at in range(start, end):
        if data[at] | 32 < low or data[at] | 32 > high:
            return False
    return end > start


@numba.njit(cache=True, nogil=True)
def _is_ref(data, start, end, separator):  # type: ignore[no-untyped-def]
    """Letters; between dashes also length, colon and 16 hexadecimal digits."""
    if _all_between(data, start, end, 97, 122):
        return True
    colon = end - 17
    if separator != 45 or colon <= start or data[colon] != 58:
        return False
    for at in range(colon + 1, end):
        if not (48 <= data[at] <= 57 or 97 <= data[at] <= 102):
            return False
    return _is_digits(data, start, colon)


@numba.njit(cache=True, nogil=True)
def _is_digits(data, start, end):  # type: ignore[no-untyped-def]
    for at in range(start, end):
        if data[at] < 48 or data[at] > 57:
            return False
    return end > start


@numba.njit(cache=True, nogil=True)
def _contig_end(data, start, end):  # type: ignore[no-untyped-def]
    """Where a contig's name must have ended: at the first bracket."""
    for at in range(start, end):
        if data[at] in (60, 62, 91, 93):
            return at
    return end


@numba.njit(cache=True, nogil=True)
def split_variant(data, start, end, slices):  # type: ignore[no-untyped-def]
    """Fill the slices of contig, position, ref and alt as `parse_variant_id` reads them; whether it does.

    Where it does not, they are what lies between the last three dashes, else colons, so that the record is
    refused for what is wrong in it.
    """
    contig_end = _contig_end(data, start, end)
    for strict in (True, False):
        for separator in (45, 58):
            last = middle = -1  # of the two separators after the one at hand
            for at in range(end - 1, start, -1):
                if data[at] != separator:
                    continue
                if last >= 0 and (
                    not strict
                    or (
                        at <= contig_end
                        and middle - at <= 11
                        and last < end - 1
                        and _is_digits(data, at + 1, middle)
                        and _is_ref(data, middle + 1, last, separator)
                    )
                ):
                    slices[0, 0], slices[0, 1] = start, at
                    slices[1, 0], slices[1, 1] = at + 1, middle
                    slices[3, 0], slices[3, 1] = middle + 1, last
                    slices[4, 0], slices[4, 1] = last + 1, end
                    return strict
                last, middle = middle, at
    slices[0, 0], slices[0, 1] = start, end
    return False


@numba.njit(cache=True, nogil=True)
def _is_header_line(data, start, end, header):  # type: ignore[no-untyped-def]
    if end - start != len(header):
        return False
    same = True
    for at in range(end - start):
        same = same and data[start + at] == header[at]
    return same


@numba.njit(cache=True, nogil=True)
def _as_vcf(data, starts, head, header, delimiter, n_columns, places, variant):  # type: ignore[no-untyped-def]
    """Bytes of VCF lines, and where they begin: a line each, with dots for what there is not."""
    lines = len(starts) - 1
    made = np.empty(len(data) + 16 * lines, np.uint8)
    made_starts = np.zeros(lines + 1, np.int64)
    fields = np.zeros((n_columns, 2), np.int64)
    slices = np.zeros((5, 2), np.int64)
    at = 0
    for line in range(lines):
        start, end = starts[line], starts[line + 1] - 1
        if end > start and data[end - 1] == 13:
            end -= 1
        if line < head or _is_header_line(data, start, end, header):
            made[at : at + 2] = 35
            at += 2
        elif end > start:
            whole = _split(data, start, end, delimiter, fields) == n_columns
            slices[:] = 0
            for column in range(5):
                if whole and places[column] >= 0:
                    slices[column] = fields[places[column]]
            if whole and variant >= 0:
                split_variant(data, fields[variant, 0], fields[variant, 1], slices)
            if not whole:
                slices[0] = fields[0]
            for column in range(5 if whole else 1):
                first, last = slices[column, 0], slices[column, 1]
                made[at : at + last - first] = data[first:last]
                at += last - first
                if last == first and column == (2 if whole else 0):
                    made[at] = 46
                    at += 1
                made[at] = 9
                at += 1
            for _ in range(3 if whole else 0):
                made[at], made[at + 1] = 46, 9
                at += 2
            at -= 1  # the last tab
        made[at] = 10
        at += 1
        made_starts[line + 1] = at
    return made[:at], made_starts
