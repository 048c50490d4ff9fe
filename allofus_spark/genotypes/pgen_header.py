"""The header of a PLINK 2 ``.pgen``: its form, and where each record lies.

The standard form (mode 0x10) keeps types and lengths of its records in blocks of 65,536, and the address of
each block in front, so that a task reads the index of its own variants only.

Source: PLINK 2 File Format Specification Draft, section "Header"
(https://github.com/chrchang/plink-ng/tree/master/pgen_spec).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from allofus_spark.errors import BadSource
from allofus_spark.genotypes.byte_ranges import ByteFile, Bytes, check_counts, read_range, size_of
from allofus_spark.genotypes.encoding import packed_width
from allofus_spark.genotypes.plink1 import BED_HEADER, check_bed

BLOCK_VARIANTS = 1 << 16
BED_MODE, VARIABLE_MODE = 0x01, 0x10
_MAGIC = BED_HEADER[:2]
_HARD_CALL_MODE = 0x02
# Bytes a sample that follow the hard calls of each fixed-width mode: nothing, dosage, dosage and its phase.
_FIXED_EXTRA = {_HARD_CALL_MODE: 0, 0x03: 2, 0x04: 4}
_EXTENDED_MODES = (0x11, 0x20, 0x21)
_FIXED_HEADER_BYTES = 12
_NO_PROVISIONAL_REFERENCE, _SOME_PROVISIONAL_REFERENCE = 1, 3
_LIST_FORMS = 10


@dataclass(frozen=True)
class Pgen:
    """What a reader must know of a .pgen file; small, and the same for every task.

    ``starts`` are addresses: int64[blocks + 1] of the blocks of 65,536 records in mode 0x10, with the file's
    size at the end; else of the first record alone. ``record_bytes`` is 0 in mode 0x10. ``knows_reference``:
    the .pvar's REF is the reference allele of every variant, not one of two alleles taken provisionally.
    """

    path: str
    mode: int
    n_samples: int
    n_variants: int
    list_form: int
    allele_count_bytes: int
    has_reference_flags: bool
    knows_reference: bool
    record_bytes: int
    starts: npt.NDArray[np.int64]


class Records(NamedTuple):
    """Of one block: types uint8[n], addresses int64[n + 1], alternates int64[n] where they are stored."""

    types: Bytes
    bounds: npt.NDArray[np.int64]
    n_alts: npt.NDArray[np.int64] | None


def pgen_header(n_variants: int, n_samples: int) -> bytes:
    """What makes a .pgen (mode 0x02, references trusted) of packed rows that are written behind it."""
    counts = n_variants.to_bytes(4, "little") + n_samples.to_bytes(4, "little")
    return _MAGIC + bytes([_HARD_CALL_MODE]) + counts + bytes([_NO_PROVISIONAL_REFERENCE << 6])


def open_pgen(file: ByteFile, path: str, n_samples: int, n_variants: int) -> Pgen:
    """Read and check the header.

    Parameters
    ----------
    n_samples, n_variants
        Lines of the .psam and .pvar (or .fam and .bim).

    Raises
    ------
    BadSource
        Where the file is not a .pgen, is of other counts, is not as long as its header says, or is of a mode
        that is not read.
    """
    size = size_of(file)
    head = read_range(file, path, 0, min(3, size), "the header").tobytes()
    if len(head) < 3 or head[:2] != _MAGIC:
        raise BadSource(
            f"{path}: begins with {head.hex(' ') or 'nothing'}, a .pgen file with 6c 1b: it is not one"
        )
    if n_samples == 0:
        raise BadSource(f"{path}: its .psam has no samples: there are no genotypes to read")
    mode = head[2]
    if mode in (0, BED_MODE):
        check_bed(file, path, n_samples, n_variants)
        return Pgen(
            path, mode, n_samples, n_variants, 0, 0, False, False, packed_width(n_samples), np.array([3])
        )
    _check_mode(path, mode)
    fixed = read_range(file, path, 0, _FIXED_HEADER_BYTES, "the header")
    stored_variants, stored_samples = (int(count) for count in fixed[3:11].view("<u4"))
    check_counts(path, "variants", stored_variants, n_variants, "its .pvar")
    check_counts(path, "samples", stored_samples, n_samples, "its .psam")
    if mode in _FIXED_EXTRA:
        return _fixed_width(path, mode, n_samples, n_variants, int(fixed[11]), size)
    return _variable_width(file, path, n_samples, n_variants, int(fixed[11]), size)


def _check_mode(path: str, mode: int) -> None:
    if mode in _FIXED_EXTRA or mode == VARIABLE_MODE:
        return
    if mode in _EXTENDED_MODES:
        raise BadSource(
            f"{path}: is .pgen of mode {mode:#04x} (index in a file of its own, or header extensions), "
            "which is not read. Convert it: plink2 --pfile OLD --make-pgen --out NEW"
        )
    raise BadSource(f"{path}: is .pgen of mode {mode:#04x}, which the format does not define: it is damaged")


def _fixed_width(path: str, mode: int, n_samples: int, n_variants: int, control: int, size: int) -> Pgen:
    has_flags = control >> 6 == _SOME_PROVISIONAL_REFERENCE
    record_bytes = packed_width(n_samples) + _FIXED_EXTRA[mode] * n_samples
    start = _FIXED_HEADER_BYTES + (-(-n_variants // 8) if has_flags else 0)
    needed = start + n_variants * record_bytes
    if size != needed:
        raise BadSource(
            f"{path}: has {size} bytes, but {n_variants} variants of {n_samples} samples need {needed} in "
            f"mode {mode:#04x}: it was cut short, or is damaged"
        )
    return Pgen(
        path,
        mode,
        n_samples,
        n_variants,
        0,
        0,
        has_flags,
        control >> 6 == _NO_PROVISIONAL_REFERENCE,
        record_bytes,
        np.array([start]),
    )


def _variable_width(
    file: ByteFile, path: str, n_samples: int, n_variants: int, control: int, size: int
) -> Pgen:
    if control & 15 >= _LIST_FORMS:
        raise BadSource(
            f"{path}: byte 11 of the header is {control:02x}, a form that the format does not define"
        )
    blocks = -(-n_variants // BLOCK_VARIANTS)
    starts = np.empty(blocks + 1, np.int64)
    starts[:-1] = read_range(file, path, _FIXED_HEADER_BYTES, 8 * blocks, "the list of blocks").view("<u8")
    starts[-1] = size
    has_flags = control >> 6 == _SOME_PROVISIONAL_REFERENCE
    allele_bytes = (control >> 4) & 3
    pgen = Pgen(
        path,
        VARIABLE_MODE,
        n_samples,
        n_variants,
        control & 15,
        allele_bytes,
        has_flags,
        control >> 6 == _NO_PROVISIONAL_REFERENCE,
        0,
        starts,
    )
    _check_blocks(file, pgen)
    return pgen


def _check_blocks(file: ByteFile, pgen: Pgen) -> None:
    """Raise BadSource unless the blocks rise from behind the header, and the last ends with the file."""
    blocks = len(pgen.starts) - 1
    header_end = _index_start(pgen, blocks)
    if blocks and (pgen.starts[0] < header_end or (np.diff(pgen.starts) < 0).any()):
        raise BadSource(
            f"{pgen.path}: the addresses of its blocks do not rise from {header_end}, the end of the "
            f"header, to {pgen.starts[-1]}, the size of the file: it was cut short, or its header is damaged"
        )
    if blocks:
        read_records(file, pgen, blocks - 1)


def _block_variants(pgen: Pgen, block: int) -> int:
    return min(BLOCK_VARIANTS, pgen.n_variants - block * BLOCK_VARIANTS)


def _list_bytes(pgen: Pgen, n: int) -> tuple[int, int, int, int]:
    """Bytes of the four lists of a block's index: types, lengths, allele counts, reference flags."""
    form = pgen.list_form
    type_bits = 0 if form >= 8 else 8 if form >= 4 else 4
    length_bits = 2 * (form - 7) if form >= 8 else 8 * (form % 4 + 1)
    flags = -(-n // 8) if pgen.has_reference_flags else 0
    return -(-n * type_bits // 8), -(-n * length_bits // 8), n * pgen.allele_count_bytes, flags


def _index_start(pgen: Pgen, block: int) -> int:
    """Where the index of a block begins; for the number of blocks, where the header ends."""
    first = _FIXED_HEADER_BYTES + 8 * (len(pgen.starts) - 1)
    whole = min(block, pgen.n_variants // BLOCK_VARIANTS)
    rest = _block_variants(pgen, block - 1) if block > whole else 0
    return first + whole * sum(_list_bytes(pgen, BLOCK_VARIANTS)) + sum(_list_bytes(pgen, rest))


def _unsigned(data: Bytes, n_bytes: int) -> npt.NDArray[np.int64]:
    """Little-endian numbers of ``n_bytes`` bytes each."""
    places = data.reshape(-1, n_bytes).astype(np.int64)
    return np.asarray(places @ (np.int64(1) << (8 * np.arange(n_bytes))), np.int64)


def _lanes(data: Bytes, bits: int, n: int) -> Bytes:
    """The first ``n`` numbers of 2 or 4 bits."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    return ((data[:, None] >> shifts) & np.uint8((1 << bits) - 1)).ravel()[:n]


def read_records(file: ByteFile, pgen: Pgen, block: int) -> Records:
    """The index of a block; BadSource where its lengths do not fit the block's bytes."""
    n, form = _block_variants(pgen, block), pgen.list_form
    sizes = _list_bytes(pgen, n)
    index = read_range(file, pgen.path, _index_start(pgen, block), sum(sizes), f"the index of block {block}")
    types, lengths, counts, _ = np.split(index, np.cumsum(sizes)[:-1])
    if form < 8:
        types = types if form >= 4 else _lanes(types, 4, n)
        record_bytes = _unsigned(lengths, form % 4 + 1)
    else:
        extra = _lanes(lengths, 2 * (form - 7), n)
        types = np.where(extra > 0, 8, 0).astype(np.uint8)
        record_bytes = packed_width(pgen.n_samples) + extra.astype(np.int64)
    bounds = np.zeros(n + 1, np.int64)
    np.cumsum(record_bytes, out=bounds[1:])
    bounds += pgen.starts[block]
    if bounds[-1] != pgen.starts[block + 1]:
        first = block * BLOCK_VARIANTS
        raise BadSource(
            f"{pgen.path}: the records of variants {first} to {first + n - 1} should end at byte "
            f"{pgen.starts[block + 1]}, but by their lengths end at {bounds[-1]}: the file was cut short, "
            "or its header is damaged"
        )
    return Records(types, bounds, _unsigned(counts, pgen.allele_count_bytes) - 1 if len(counts) else None)
