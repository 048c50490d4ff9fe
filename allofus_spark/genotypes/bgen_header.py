"""The header and sample block of a BGEN file (layout 2: BGEN 1.2 and 1.3).

Source: https://www.chg.ox.ac.uk/~gav/bgen_format/spec/latest.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import pyarrow as pa

from allofus_spark.errors import BadSource
from allofus_spark.genotypes.arrow_strings import strings_at
from allofus_spark.genotypes.byte_ranges import ByteFile, check_counts, read_range, refuse_cut, size_of
from allofus_spark.genotypes.sample_files import check_sample_ids

NOT_COMPRESSED, ZLIB, ZSTD = 0, 1, 2
_MAGICS = (b"bgen", bytes(4))
_OFFSET_BYTES = 4
_LEAST_HEADER_BYTES = 20
_SAMPLE_BLOCK_HEAD_BYTES = 8
_LAYOUT_1, _LAYOUT_2 = 1, 2


@dataclass(frozen=True)
class Bgen:
    """What a reader must know of a BGEN file; small, and the same for every task. Addresses are in bytes."""

    path: str
    size: int
    n_samples: int
    n_variants: int
    compression: int
    sample_block_at: int
    first_variant_at: int
    has_sample_ids: bool


def open_bgen(file: ByteFile, path: str, n_samples: int | None = None) -> Bgen:
    """Read and check the header.

    Parameters
    ----------
    n_samples
        Samples of the .sample file where there is one.

    Raises
    ------
    BadSource
        Where the file is not BGEN, is of layout 1 or an unknown compression, is cut short, or has not the
        samples of the .sample file.
    """
    size = size_of(file)
    head = read_range(file, path, 0, min(size, _OFFSET_BYTES + _LEAST_HEADER_BYTES), "the header")
    if len(head) < _OFFSET_BYTES + _LEAST_HEADER_BYTES or head[16:20].tobytes() not in _MAGICS:
        raise BadSource(
            f"{path}: has not 'bgen' at byte 16, so is not a BGEN file, or is one that was cut short"
        )
    offset, header_bytes, n_variants, found_samples = (int(number) for number in head[:16].view("<u4"))
    if not _LEAST_HEADER_BYTES <= header_bytes <= offset or offset + _OFFSET_BYTES > size:
        raise BadSource(
            f"{path}: the header is said to have {header_bytes} bytes and the first variant to lie "
            f"{offset} bytes behind byte 4, in a file of {size} bytes: it was cut short, or its header is "
            "damaged"
        )
    flags = int(read_range(file, path, header_bytes, 4, "the flags").view("<u4")[0])
    compression, layout = flags & 3, (flags >> 2) & 15
    _check_form(path, layout, compression)
    check_counts(path, "samples", found_samples, n_samples, "its .sample file")
    return Bgen(
        path,
        size,
        found_samples,
        n_variants,
        compression,
        _OFFSET_BYTES + header_bytes,
        _OFFSET_BYTES + offset,
        bool(flags >> 31),
    )


def _check_form(path: str, layout: int, compression: int) -> None:
    if layout == _LAYOUT_1:
        raise BadSource(
            f"{path}: is BGEN 1.1 (layout 1), which is not read. Convert it: "
            "plink2 --bgen OLD.bgen ref-first --sample OLD.sample --export bgen-1.2 bits=16 ref-first "
            "--out NEW"
        )
    if layout != _LAYOUT_2 or compression > ZSTD:
        raise BadSource(
            f"{path}: is of layout {layout} and compression {compression}; BGEN has layout 1 or 2 and "
            "compression 0, 1 or 2: its header is damaged"
        )


@numba.njit(cache=True, nogil=True)
def _slice_ids(data, slices):  # type: ignore[no-untyped-def]
    """Where the ids lie, each behind its length; (how many are whole, place behind them)."""
    at, end = np.int64(0), len(data)
    for sample in range(len(slices)):
        if at + 2 > end:
            return sample, at
        n_bytes = np.int64(data[at]) | (np.int64(data[at + 1]) << 8)
        if at + 2 + n_bytes > end:
            return sample, at
        slices[sample, 0] = at + 2
        slices[sample, 1] = at + 2 + n_bytes
        at += 2 + n_bytes
    return len(slices), at


def read_bgen_samples(file: ByteFile, bgen: Bgen) -> pa.StringArray:
    """The sample ids of the file itself, string[n_samples].

    Raises
    ------
    BadSource
        Where the file has none (give its .sample file to ``read_oxford_samples``), the block is damaged, or
        an id comes twice.
    """
    if not bgen.has_sample_ids:
        raise BadSource(
            f"{bgen.path}: has no sample ids in it. Give the .sample file that was written with it "
            f"({bgen.n_samples} samples)"
        )
    at, end = bgen.sample_block_at, bgen.first_variant_at
    if end - at < _SAMPLE_BLOCK_HEAD_BYTES:
        refuse_cut(bgen.path, "the sample block", at, _SAMPLE_BLOCK_HEAD_BYTES, end - at)
    data = read_range(file, bgen.path, at, end - at, "the sample block")
    n_bytes, n_samples = (int(number) for number in data[:_SAMPLE_BLOCK_HEAD_BYTES].view("<u4"))
    check_counts(bgen.path, "samples in its sample block", n_samples, bgen.n_samples, "its header")
    ids = data[_SAMPLE_BLOCK_HEAD_BYTES:n_bytes]
    slices = np.zeros((min(n_samples, len(ids) // 2), 2), np.int64)
    n_whole, behind = _slice_ids(ids, slices)
    if n_whole < n_samples or _SAMPLE_BLOCK_HEAD_BYTES + behind != n_bytes:
        raise BadSource(
            f"{bgen.path}: the sample block at byte {at} has {n_whole} whole ids in its {n_bytes} bytes, and "
            f"should have {n_samples}: it is damaged"
        )
    return check_sample_ids(strings_at(ids, slices, bgen.path), bgen.path)
