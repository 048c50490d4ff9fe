"""PLINK 2 ``.pgen``: packed hard calls of a range of variants, one row an alternate.

``open_pgen`` reads the header once; the small object that it gives goes to the tasks, and each calls
``read_pgen`` for its own range. Modes 0x01 (.bed), 0x02 to 0x04 (fixed width) and 0x10 (the standard) are
read; phase and dosages are passed over.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from allofus_spark.errors import BadSource
from allofus_spark.genotypes.byte_ranges import ByteFile, Bytes, read_range
from allofus_spark.genotypes.encoding import Packed, packed_width
from allofus_spark.genotypes.pgen_header import (
    BED_MODE,
    BLOCK_VARIANTS,
    VARIABLE_MODE,
    Pgen,
    Records,
    open_pgen,
    pgen_header,
    read_records,
)
from allofus_spark.genotypes.pgen_records import PROBLEMS, decode_records
from allofus_spark.genotypes.plink1 import last_byte_mask, read_bed

__all__ = ["Pgen", "open_pgen", "pgen_header", "read_pgen"]

_FORM, _LD_FORM, _PHASE_TRACK = 0x07, 0x06, 0x10


def read_pgen(
    file: ByteFile,
    pgen: Pgen,
    start: int,
    stop: int,
    n_alts: npt.NDArray[np.integer] | None = None,
    *,
    a1_is_alt: bool = True,
) -> Packed:
    """Packed calls of the variants [start, stop), a row for each alternate of each.

    A call of another alternate counts as not this one: 1/2 is het in both rows, 2/2 is hom-ref for the first.

    Parameters
    ----------
    n_alts
        Alternates of each variant, from the .pvar: int[stop - start], at least 1. None: one each.
    a1_is_alt
        For a file that is .bed (mode 0x01) alone: see ``plink1``.

    Returns
    -------
    uint8[sum(n_alts), ceil(n / 4)]

    Raises
    ------
    BadSource
        Where a record is damaged, or has calls of alternates that ``n_alts`` does not allow.
    """
    if not 0 <= start <= stop <= pgen.n_variants:
        raise ValueError(f"variants [{start}, {stop}) of {pgen.n_variants}")
    alternates = np.ones(stop - start, np.int64) if n_alts is None else np.asarray(n_alts, np.int64)
    if len(alternates) != stop - start or (alternates < 1).any():
        raise ValueError(
            f"{len(alternates)} numbers of alternates for {stop - start} variants, or one below 1"
        )
    if pgen.mode != VARIABLE_MODE:
        _check_alternates(pgen, np.ones(stop - start, np.int64), alternates)
    if pgen.mode == BED_MODE:
        return read_bed(file, pgen.path, pgen.n_samples, start, stop, a1_is_alt=a1_is_alt)
    if pgen.mode != VARIABLE_MODE:
        return _read_fixed(file, pgen, start, stop)
    parts = []
    for block in range(start // BLOCK_VARIANTS, -(-stop // BLOCK_VARIANTS)):
        first = block * BLOCK_VARIANTS
        begin, end = max(start, first), min(stop, first + BLOCK_VARIANTS)
        block_alts = alternates[begin - start : end - start]
        parts.append(_read_block(file, pgen, block, begin - first, end - first, block_alts))
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros((0, packed_width(pgen.n_samples)), np.uint8)


def _read_fixed(file: ByteFile, pgen: Pgen, start: int, stop: int) -> Packed:
    """Rows of a mode in which every record has the same length, and no variant over one alternate."""
    at = int(pgen.starts[0]) + start * pgen.record_bytes
    data = read_range(file, pgen.path, at, (stop - start) * pgen.record_bytes, f"variant {start}")
    width = packed_width(pgen.n_samples)
    packed = data.reshape(stop - start, pgen.record_bytes)[:, :width].copy()
    packed[:, -1] &= last_byte_mask(pgen.n_samples)
    return packed


def _read_block(
    file: ByteFile, pgen: Pgen, block: int, start: int, stop: int, n_alts: npt.NDArray[np.int64]
) -> Packed:
    """Rows of the records [start, stop) of one block."""
    records = read_records(file, pgen, block)
    first = block * BLOCK_VARIANTS
    if records.n_alts is not None:
        _check_alternates(pgen, records.n_alts[start:stop], n_alts)
    packed = np.empty((int(n_alts.sum()), packed_width(pgen.n_samples)), np.uint8)
    base = _ld_base(file, pgen, records, first, start)
    _decode(file, pgen, records, first, start, stop, n_alts, base, packed)
    return packed


def _check_alternates(pgen: Pgen, stored: npt.NDArray[np.int64], given: npt.NDArray[np.int64]) -> None:
    """Raise BadSource where the header has other numbers of alternates than the .pvar."""
    differ = np.flatnonzero(stored != given)
    if differ.size:
        at = int(differ[0])
        raise BadSource(
            f"{pgen.path}: {differ.size} variants have another number of alternates than in the .pvar, one "
            f"with {stored[at]} for {given[at]}: the files do not belong together"
        )


def _ld_base(file: ByteFile, pgen: Pgen, records: Records, first: int, start: int) -> Bytes:
    """The main track that an LD-compressed record at ``start`` refers to; of length 0 where there is none."""
    nothing = np.zeros(0, np.uint8)
    if start == len(records.types) or records.types[start] & _LD_FORM != 2:
        return nothing
    whole = np.flatnonzero(records.types[:start] & _LD_FORM != 2)
    if not whole.size:
        return nothing
    at = int(whole[-1])
    packed = np.empty((1, packed_width(pgen.n_samples)), np.uint8)
    # Its later tracks are not wanted, whatever they are; as a phase track they are passed over.
    types = np.array([(records.types[at] & _FORM) | _PHASE_TRACK], np.uint8)
    main = Records(types, records.bounds[at : at + 2], None)
    _decode(file, pgen, main, first + at, 0, 1, np.ones(1, np.int64), nothing, packed)
    base: Bytes = packed[0]
    return base


def _decode(
    file: ByteFile,
    pgen: Pgen,
    records: Records,
    first: int,
    start: int,
    stop: int,
    n_alts: npt.NDArray[np.int64],
    base: Bytes,
    packed: Packed,
) -> None:
    """Read the records [start, stop) and fill their rows; ``first`` is the variant of record 0."""
    bounds = records.bounds[start : stop + 1]
    n_bytes = int(bounds[-1] - bounds[0])
    data = read_range(file, pgen.path, int(bounds[0]), n_bytes, f"variant {first + start}")
    failed, code = decode_records(
        data,
        bounds - bounds[0],
        records.types[start:stop].copy(),
        n_alts,
        pgen.n_samples,
        last_byte_mask(pgen.n_samples),
        base,
        packed,
    )
    if code:
        raise BadSource(
            f"{pgen.path}: the record of variant {first + start + failed} (counted from 0), at byte "
            f"{bounds[failed]}, is damaged: {PROBLEMS[code]}. Copy or make the file again"
        )
