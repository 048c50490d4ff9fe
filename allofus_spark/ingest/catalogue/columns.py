"""Delimited files of sites: where their columns are, and their rows as lines of VCF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from allofus_spark.errors import BadSource, shown
from allofus_spark.ingest.bytes import LineChunk
from allofus_spark.ingest.vcf.scan import Bytes, Offsets

# Names of a column, compared without case and without a # in front; the first of them that is there is used.
# `start` is no position: in BED it is 0-based.
_NAMES = {
    "contig": ("chrom", "chr", "contig", "chromosome"),
    "position": ("pos", "position"),
    "id": ("id", "rsid", "rs_id", "known_id", "rs", "snp_id"),
    "ref": ("ref", "ref_allele", "reference", "reference_allele"),
    "alt": ("alt", "alt_allele", "alternate", "alternate_allele"),
}
_VARIANT_NAMES = ("vid", "variant_id", "variant")
_TAB, _COMMA = 9, 44


@dataclass(frozen=True)
class SiteColumns:
    """Where a file has what of a site.

    ``places`` are the columns of contig, position, id, ref and alt, 0-based, -1 where there is none;
    ``variant`` that of ids such as ``22-19963748-G-A``, -1 where the places say it all. ``n_head_lines``
    lines go before the first row, the last of which, ``header``, names the columns.
    """

    delimiter: int
    n_columns: int
    places: tuple[int, int, int, int, int]
    variant: int
    n_head_lines: int
    header: bytes


def find_columns(head: Sequence[bytes], path: str) -> SiteColumns:
    """The columns that the first line without ``##`` names.

    Raises BadSource naming the columns that are missing and those that are there.
    """
    named = (number for number, line in enumerate(head) if line and not line.startswith(b"##"))
    before = next(named, None)
    if before is None:
        raise BadSource(f"{path}: no line that names columns; give a VCF, or a TSV or CSV with a header")
    header = head[before]
    delimiter = _TAB if b"\t" in header or b"," not in header else _COMMA
    names = [_plain_name(text) for text in header.split(bytes([delimiter]))]
    found = {what: _first_of(names, choices) for what, choices in _NAMES.items()}
    variant = _first_of(names, _VARIANT_NAMES)
    missing = [what for what in ("contig", "position", "ref", "alt") if found[what] < 0]
    if missing and variant < 0:
        wanted = "; ".join(f"{what} ({', '.join(_NAMES[what])})" for what in missing)
        raise BadSource(
            f"{path}: neither a VCF (##fileformat=VCFv4.x) nor a table of sites: it has no column for "
            f"{wanted}, nor one of whole variants ({', '.join(_VARIANT_NAMES)}); its first line names: "
            f"{shown([name[:40] for name in names])}. Rename the columns in the file's header."
        )
    contig, position, ref, alt = (found[what] for what in ("contig", "position", "ref", "alt"))
    return SiteColumns(
        delimiter,
        len(names),
        (contig, position, found["id"], ref, alt) if not missing else (-1, -1, found["id"], -1, -1),
        variant if missing else -1,
        before + 1,
        header,
    )


def _plain_name(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace").strip(' "\r').lstrip("#").lower()


def _first_of(names: Sequence[str], choices: Sequence[str]) -> int:
    return next((names.index(choice) for choice in choices if choice in names), -1)


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
def _split_variant(data, start, end, slices):  # type: ignore[no-untyped-def]
    """Fill the slices of contig, position, ref and alt: between the last three dashes, else colons."""
    for separator in (45, 58):
        cuts = np.zeros(3, np.int64)
        found = 0
        for at in range(end - 1, start - 1, -1):
            if data[at] == separator and found < 3:
                cuts[2 - found] = at
                found += 1
        if found == 3:
            slices[0, 0], slices[0, 1] = start, cuts[0]
            slices[1, 0], slices[1, 1] = cuts[0] + 1, cuts[1]
            slices[3, 0], slices[3, 1] = cuts[1] + 1, cuts[2]
            slices[4, 0], slices[4, 1] = cuts[2] + 1, end
            return
    slices[0, 0], slices[0, 1] = start, end


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
                _split_variant(data, fields[variant, 0], fields[variant, 1], slices)
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


def head_lines_in(chunk: LineChunk, n_before: int, columns: SiteColumns) -> int:
    """Lines of the head in a chunk that ``n_before`` lines of the file go before."""
    return int(min(max(columns.n_head_lines - n_before, 0), len(chunk.line_starts) - 1))
