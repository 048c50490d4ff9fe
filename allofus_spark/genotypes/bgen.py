"""BGEN 1.2 and 1.3 (layout 2): packed hard calls of a range of variants, one row an alternate.

``open_bgen`` and ``index_bgen`` read the file's frame once; the header and a slice of the spans go to each
task, which calls ``read_bgen``. How a call is made of probabilities stands in ``bgen_probabilities``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import NoReturn, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from isal import isal_zlib

from allofus_spark.errors import BadSource
from allofus_spark.genotypes.bgen_header import ZLIB, ZSTD, Bgen, open_bgen, read_bgen_samples
from allofus_spark.genotypes.bgen_index import (
    ADDRESS,
    N_ALLELES,
    N_INFLATED,
    N_STORED,
    BgenIndex,
    Spans,
    index_bgen,
)
from allofus_spark.genotypes.bgen_probabilities import (
    MAX_PLOIDY,
    call_pairs,
    call_samples,
    copy_limits,
    count_values,
)
from allofus_spark.genotypes.byte_ranges import ByteFile, Bytes, read_range
from allofus_spark.genotypes.encoding import Packed, packed_width

__all__ = ["Bgen", "BgenCalls", "BgenIndex", "index_bgen", "open_bgen", "read_bgen", "read_bgen_samples"]

_HEAD_BYTES, _TAIL_BYTES = 8, 2
_MAX_BITS = 32
_MOST_VALUES = 1 << 32  # of a sample: more do not fit into a variant

_INFLATE_ERROR = cast("type[Exception]", isal_zlib.error)  # isal's stubs declare it as an instance
_copy_limits = lru_cache(copy_limits)


@dataclass(frozen=True)
class BgenCalls:
    """Calls of variants in a row.

    ``packed`` uint8[alternates, ceil(n / 4)], ``haploid`` uint8[variants, ceil(n / 4)] with 1 in the two
    bits of each sample of ploidy 1, and ``n_polyploid`` int64[variants], calls set to missing for a ploidy
    over 2.
    """

    packed: Packed
    haploid: Packed
    n_polyploid: npt.NDArray[np.int64]


def read_bgen(file: ByteFile, bgen: Bgen, spans: Spans, *, ref_first: bool) -> BgenCalls:
    """Call the genotypes of the variants of ``spans``, which are rows of ``index_bgen(..).spans``.

    A haploid call of the alternate is stored as 2, of the reference as 0. At a variant of several alternates
    a call of another one counts as not this one.

    Parameters
    ----------
    ref_first
        Whether the first allele of each variant is the reference, else the last.

    Raises
    ------
    BadSource
        Where the genotypes of a variant cannot be inflated to the length that is said, are of another number
        of samples or alleles, or have probabilities that add up to more than 1.
    """
    too_short = spans[:, N_INFLATED] < _HEAD_BYTES + bgen.n_samples + _TAIL_BYTES
    if too_short.any():
        _refuse(bgen, spans[too_short.argmax()], f"are too short for {bgen.n_samples} samples")
    width = packed_width(bgen.n_samples)
    n_alts = spans[:, N_ALLELES] - 1
    packed = np.zeros((int(n_alts.sum()), width), np.uint8)
    haploid = np.zeros((len(spans), width), np.uint8)
    n_polyploid = np.zeros(len(spans), np.int64)
    row = 0
    for variant, span in enumerate(spans):
        data = _inflated(file, bgen, span)
        rows = packed[row : row + n_alts[variant]]
        n_polyploid[variant] = _call(bgen, span, data, ref_first, rows, haploid[variant])
        row += len(rows)
    return BgenCalls(packed, haploid, n_polyploid)


def _inflated(file: ByteFile, bgen: Bgen, span: Spans) -> Bytes:
    """The genotypes of a variant, uint8[as many as are said]."""
    stored = read_range(file, bgen.path, int(span[ADDRESS]), int(span[N_STORED]), "the genotypes")
    expected = int(span[N_INFLATED])
    try:
        if bgen.compression == ZLIB:
            # One byte more than is said, so that no damage can fill the memory.
            inflater = isal_zlib.decompressobj()
            data = inflater.decompress(stored, expected + 1)
            if not inflater.eof or inflater.unused_data or len(data) != expected:
                _refuse(bgen, span, f"do not inflate to the {expected} bytes that are said, and end there")
            return np.frombuffer(data, np.uint8)
        if bgen.compression == ZSTD:
            return np.frombuffer(pa.Codec("zstd").decompress(pa.py_buffer(stored), expected), np.uint8)
    except (_INFLATE_ERROR, OSError, pa.ArrowException, MemoryError) as error:
        _refuse(bgen, span, f"do not inflate to the {expected} bytes that are said ({error})")
    return stored


@lru_cache(maxsize=256)
def _values_a_ploidy(n_alleles: int, is_phased: bool) -> npt.NDArray[np.int64]:
    """int64[64]: probabilities stored for a sample, by its ploidy."""
    ploidies = range(MAX_PLOIDY + 1)
    if is_phased:
        counts = [ploidy * (n_alleles - 1) for ploidy in ploidies]
    else:
        counts = [comb(ploidy + n_alleles - 1, n_alleles - 1) - 1 for ploidy in ploidies]
    return np.array([min(count, _MOST_VALUES) for count in counts], np.int64)


def _call(bgen: Bgen, span: Spans, data: Bytes, ref_first: bool, rows: Packed, haploid: Packed) -> int:
    """Fill the rows of one variant; calls set to missing for a ploidy over 2."""
    n_samples, n_alleles = bgen.n_samples, int(span[N_ALLELES])
    values_at = _HEAD_BYTES + n_samples + _TAIL_BYTES
    found = int(data[:4].view("<u4")[0]), int(data[4:6].view("<u2")[0])
    if found != (n_samples, n_alleles):
        _refuse(
            bgen, span, f"are of {found[0]} samples and {found[1]} alleles, not {n_samples} and {n_alleles}"
        )
    is_phased, bits = int(data[values_at - 2]), int(data[values_at - 1])
    if is_phased > 1 or not 1 <= bits <= _MAX_BITS:
        _refuse(
            bgen, span, f"are of phase {is_phased} and {bits} bits; these are 0 or 1, and 1 to {_MAX_BITS}"
        )
    values = _values_a_ploidy(n_alleles, bool(is_phased))
    n_values, all_diploid = count_values(data, n_samples, values)
    if -(-int(n_values) * bits // 8) != len(data) - values_at:
        _refuse(
            bgen,
            span,
            f"have {len(data) - values_at} bytes of probabilities, not as many as the ploidies need",
        )
    ref_place = 0 if ref_first else n_alleles - 1
    n_polyploid = 0
    if all_diploid and n_alleles == 2:
        limits = _copy_limits(bits)
        code = call_pairs(data, values_at, n_samples, is_phased, bits, ref_place, limits, rows[0])
    else:
        n_polyploid, code = call_samples(
            data, values_at, n_samples, n_alleles, is_phased, bits, ref_place, values, rows, haploid
        )
    if code:
        _refuse(bgen, span, "have probabilities that add up to more than 1")
    return int(n_polyploid)


def _refuse(bgen: Bgen, span: Spans, problem: str) -> NoReturn:
    raise BadSource(
        f"{bgen.path}: the genotypes at byte {span[ADDRESS]} {problem}: the file is damaged. Copy or make "
        "it again"
    )
