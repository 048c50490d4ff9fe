"""Where each variant of a BGEN file lies, and its site columns.

BGEN has no index of its own. `index_bgen` walks from header to header, passing over the genotypes by their
lengths, and keeps the header bytes; the columns are cut out of these afterwards, without a Python object a
row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, NoReturn

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.errors import BadSource
from allofus_spark.genotypes.arrow_strings import strings_at
from allofus_spark.genotypes.bgen_header import NOT_COMPRESSED, Bgen
from allofus_spark.genotypes.byte_ranges import ByteFile, Bytes, read_range
from allofus_spark.genotypes.pgen_difflists import little_endian
from allofus_spark.genotypes.sites import SITES

# Columns of spans.
ADDRESS, N_STORED, N_INFLATED, N_ALLELES = range(4)
Spans = npt.NDArray[np.int64]
"""int64[variants, 4]: address of the genotypes, their bytes as stored and inflated, number of alleles."""

_READ_BYTES = 1 << 20
_SHORT_READ_BYTES = 1 << 12
_FAR_BYTES = 1 << 15  # between headers: from here on, reading single headers is less than reading all
_TABLE_BYTES = 1 << 26
_MOST_HEADER_BYTES = 1 << 28  # of a variant; a damaged length shall not read all of a large file
_DONE, _NEEDS_MORE, _TOO_LONG = 0, 1, 2


class BgenIndex(NamedTuple):
    """``spans`` (slice them for a task) and ``sites``, the columns ``SITES`` of the same variants."""

    spans: Spans
    sites: pa.Table


@numba.njit(cache=True, nogil=True)
def _header_end(data, at):  # type: ignore[no-untyped-def]
    """(Place behind the alleles, or -1 where ``data`` ends before; their number) of the variant at ``at``."""
    end = len(data)
    for _ in range(3):
        if at + 2 > end:
            return np.int64(-1), np.int64(0)
        at += 2 + little_endian(data, at, 2)
    if at + 6 > end:
        return np.int64(-1), np.int64(0)
    n_alleles = little_endian(data, at + 4, 2)
    at += 6
    for _ in range(n_alleles):
        if at + 4 > end:
            return np.int64(-1), n_alleles
        at += 4 + little_endian(data, at, 4)
    return (at, n_alleles) if at <= end else (np.int64(-1), n_alleles)


@numba.njit(cache=True, nogil=True)
def _walk(data, address, size, is_compressed, spans, headers):  # type: ignore[no-untyped-def]
    """Variants whose headers lie whole in ``data``, which begins with one at the file's byte ``address``.

    Fills a row of ``spans`` for each, and copies the headers end to end. Returns (variants, bytes of headers,
    address behind the last variant, why it ended).
    """
    at, copied = np.int64(0), np.int64(0)
    n_lengths = 8 if is_compressed else 4
    for variant in range(len(spans)):
        if at >= len(data):
            return variant, copied, address + at, _NEEDS_MORE
        end, n_alleles = _header_end(data, at)
        if end < 0 or end + n_lengths > len(data):
            return variant, copied, address + at, _NEEDS_MORE
        n_bytes = little_endian(data, end, 4)
        stored = n_bytes - 4 if is_compressed else n_bytes
        begin = address + end + n_lengths
        if stored < 0 or begin + stored > size:
            return variant, copied, address + at, _TOO_LONG
        spans[variant, ADDRESS] = begin
        spans[variant, N_STORED] = stored
        spans[variant, N_INFLATED] = little_endian(data, end + 4, 4) if is_compressed else stored
        spans[variant, N_ALLELES] = n_alleles
        headers[copied : copied + end - at] = data[at:end]
        copied += end - at
        at = end + n_lengths + stored
    return len(spans), copied, address + at, _DONE


def index_bgen(file: ByteFile, bgen: Bgen, *, ref_first: bool) -> BgenIndex:
    """Walk all variants.

    Parameters
    ----------
    ref_first
        Whether the first allele of each variant is the reference, else the last (as PLINK 2's ``ref-first``
        and ``ref-last``).

    Raises
    ------
    BadSource
        Where a header is damaged, reaches past the file, or the variants do not end with the file.
    """
    spans, headers, tables = [np.zeros((0, 4), np.int64)], bytearray(), [SITES.empty_table()]
    n_in_headers = 0

    def cut_out() -> None:
        rows = np.concatenate(spans)[-n_in_headers:] if n_in_headers else spans[0]
        tables.append(_sites(np.frombuffer(bytes(headers), np.uint8), rows, ref_first, bgen.path))

    for found, copied, _ in _walked(file, bgen):
        spans.append(found)
        headers += copied.data
        n_in_headers += len(found)
        if len(headers) > _TABLE_BYTES:
            cut_out()
            headers, n_in_headers = bytearray(), 0
    cut_out()
    return BgenIndex(np.concatenate(spans), pa.concat_tables(tables))


def cut_bgen(file: ByteFile, bgen: Bgen, n_parts: int) -> list[Bgen]:
    """The file as at most ``n_parts`` files in a row, for ``index_bgen`` of each; variants of similar bytes.

    Raises as ``index_bgen``; memory does not grow with the variants.
    """
    step = max(1, -(-(bgen.size - bgen.first_variant_at) // n_parts))
    parts, begin, n = [], bgen.first_variant_at, 0
    for found, _, behind in _walked(file, bgen):
        n += len(found)
        if behind - begin >= step or behind == bgen.size:
            parts.append(replace(bgen, size=behind, n_variants=n, first_variant_at=begin))
            begin, n = behind, 0
    return parts


def _walked(file: ByteFile, bgen: Bgen) -> Iterator[tuple[Spans, Bytes, int]]:
    """(Spans, headers end to end, address behind) of some variants after the other, all in all."""
    address, n_read, n_left = bgen.first_variant_at, _READ_BYTES, bgen.n_variants
    while n_left:
        data = read_range(file, bgen.path, address, min(n_read, bgen.size - address), "a variant")
        found = np.empty((min(n_left, len(data) // 16 + 1), 4), np.int64)
        copied = np.empty(len(data), np.uint8)
        n, n_copied, behind, reason = _walk(
            data, address, bgen.size, bgen.compression != NOT_COMPRESSED, found, copied
        )
        is_last_try = address + len(data) == bgen.size or len(data) > _MOST_HEADER_BYTES
        if reason == _TOO_LONG or (not n and is_last_try):
            _refuse_variant(bgen, bgen.n_variants - n_left + n, behind)
        are_far = behind - address > n * _FAR_BYTES
        n_read = 4 * len(data) if not n else _SHORT_READ_BYTES if are_far else _READ_BYTES
        n_left, address = n_left - n, behind
        yield found[:n], copied[:n_copied], behind
    if address != bgen.size:
        raise BadSource(
            f"{bgen.path}: the {bgen.n_variants} variants end at byte {address}, but the file has "
            f"{bgen.size}: its header is damaged, or writing it was broken off. Make the file again"
        )


def _refuse_variant(bgen: Bgen, variant: int, address: int) -> NoReturn:
    raise BadSource(
        f"{bgen.path}: variant {variant} (counted from 0, of {bgen.n_variants}) at byte {address} reaches "
        f"past the end of the file at {bgen.size}, or its header is over {_MOST_HEADER_BYTES} bytes: the "
        "file was cut short, or is damaged. Copy or make it again"
    )


@numba.njit(cache=True, nogil=True)
def _slice_headers(headers, ids, contigs, positions, alleles):  # type: ignore[no-untyped-def]
    """Where the second id, contig and alleles lie in headers end to end, and the positions."""
    at, allele = np.int64(0), 0
    for variant in range(len(ids)):
        at += 2 + little_endian(headers, at, 2)
        for slices in (ids, contigs):
            n_bytes = little_endian(headers, at, 2)
            slices[variant, 0] = at + 2
            slices[variant, 1] = at + 2 + n_bytes
            at += 2 + n_bytes
        positions[variant] = little_endian(headers, at, 4)
        n_alleles = little_endian(headers, at + 4, 2)
        at += 6
        for _ in range(n_alleles):
            n_bytes = little_endian(headers, at, 4)
            alleles[allele, 0] = at + 4
            alleles[allele, 1] = at + 4 + n_bytes
            at += 4 + n_bytes
            allele += 1


def _sites(headers: Bytes, spans: Spans, ref_first: bool, path: str) -> pa.Table:
    """Site columns of the variants whose headers lie end to end."""
    n_alleles = spans[:, N_ALLELES]
    if (few := np.flatnonzero(n_alleles < 2)).size:
        raise BadSource(
            f"{path}: {few.size} variants have fewer than two alleles, the first with its genotypes at byte "
            f"{spans[few[0], ADDRESS]}: it is damaged, or made by a program that writes other than BGEN"
        )
    ids, contigs = np.empty((len(spans), 2), np.int64), np.empty((len(spans), 2), np.int64)
    positions = np.empty(len(spans), np.int64)
    alleles = np.empty((int(n_alleles.sum()), 2), np.int64)
    _slice_headers(headers, ids, contigs, positions, alleles)
    if positions.size and positions.max() > np.iinfo(np.int32).max:
        raise BadSource(f"{path}: a position is {positions.max()}, more than a chromosome has: it is damaged")
    bounds = np.concatenate([[0], np.cumsum(n_alleles)])
    refs = bounds[:-1] if ref_first else bounds[1:] - 1
    is_alt = np.ones(len(alleles), np.bool_)
    is_alt[refs] = False
    offsets = pa.array((bounds - np.arange(len(bounds))).astype(np.int32))
    identifiers = strings_at(headers, ids, path)
    absent = pa.repeat(".", len(spans))
    columns = [
        strings_at(headers, contigs, path),
        pa.array(positions.astype(np.int32)),
        pc.if_else(pc.equal(identifiers, ""), ".", identifiers),
        strings_at(headers, alleles[refs], path),
        pa.ListArray.from_arrays(offsets, strings_at(headers, alleles[is_alt], path)),
        absent,
        absent,
    ]
    return pa.Table.from_arrays(columns, schema=SITES)
