"""PLINK 1 ``.bed``: SNP-major hard calls, to and from packed calls.

A .bed byte holds four samples in the same places as a packed byte, with other codes, so that one look-up per
byte converts four calls. The codes, low bit last: 00 homozygous A1, 01 missing, 10 heterozygous, 11
homozygous A2. A1 is the first allele column of the .bim: the alternate in files that PLINK 2 writes from a
VCF, and the minor allele, whichever it is, in files that PLINK 1 writes.

Source: https://www.cog-genomics.org/plink/1.9/formats#bed
"""

from __future__ import annotations

import numba
import numpy as np

from allofus_spark.errors import BadSource
from allofus_spark.genotypes.byte_ranges import ByteFile, Bytes, read_range, size_of
from allofus_spark.genotypes.encoding import Packed, packed_width

HEADER_BYTES = 3
BED_HEADER = b"\x6c\x1b\x01"
_MAGIC = BED_HEADER[:2]
_SAMPLE_MAJOR = 0
# Packed call of each .bed code.
_A1_IS_ALT = np.array([2, 3, 1, 0], np.uint8)
_A1_IS_REF = np.array([0, 3, 1, 2], np.uint8)


def _byte_table(code_table: Bytes) -> Bytes:
    """uint8[256]: the table of four two-bit codes applied to each place of a byte."""
    byte = np.arange(256)
    places = [code_table[(byte >> shift) & 3].astype(np.int64) << shift for shift in (0, 2, 4, 6)]
    return np.asarray(np.sum(places, axis=0), np.uint8)


_TO_PACKED = {True: _byte_table(_A1_IS_ALT), False: _byte_table(_A1_IS_REF)}
_TO_BED = {
    a1_is_alt: np.argsort(table).astype(np.uint8) for a1_is_alt, table in _TO_PACKED.items()
}  # a permutation of the bytes, so its inverse is its argsort


def last_byte_mask(n_samples: int) -> int:
    """Bits of the last packed byte that belong to samples."""
    return 255 >> (2 * (-n_samples % 4))


@numba.njit(cache=True, nogil=True)
def _translate(source, table, mask, target):  # type: ignore[no-untyped-def]
    """Look up every byte of uint8[rows, width]; pad bits are cleared by the mask of the last byte."""
    rows, width = source.shape
    for row in range(rows):
        for byte in range(width):
            target[row, byte] = table[source[row, byte]]
        if width:
            target[row, width - 1] &= mask


def _translated(rows: Bytes, n_samples: int, table: Bytes) -> Bytes:
    width = packed_width(n_samples)
    if rows.ndim != 2 or rows.shape[1] != width:
        raise ValueError(f"rows are of shape {rows.shape}, {n_samples} samples need {width} bytes a row")
    target = np.empty(rows.shape, np.uint8)
    _translate(rows, table, np.uint8(last_byte_mask(n_samples)), target)
    return target


def packed_from_bed(raw: Bytes, n_samples: int, a1_is_alt: bool) -> Packed:
    """Packed calls of .bed rows, both ``uint8[rows, ceil(n / 4)]``; the alternate is A1, else A2."""
    return _translated(raw, n_samples, _TO_PACKED[a1_is_alt])


def bed_from_packed(packed: Packed, n_samples: int, a1_is_alt: bool = True) -> Bytes:
    """The inverse of ``packed_from_bed``: .bed rows, pad bits zero; a file is ``BED_HEADER`` and the rows."""
    return _translated(packed, n_samples, _TO_BED[a1_is_alt])


def with_alleles_swapped(packed: Packed, n_samples: int) -> Packed:
    """Packed rows with the reference and the alternate in each other's place: hom-ref and hom-alt change."""
    swapped: Packed = packed ^ ((~packed & np.uint8(0x55)) << np.uint8(1))
    swapped[:, -1:] &= last_byte_mask(n_samples)
    return swapped


def check_bed(file: ByteFile, path: str, n_samples: int, n_variants: int) -> None:
    """Raise BadSource unless the file is SNP-major .bed of the size that its .fam and .bim lines give."""
    head = read_range(file, path, 0, min(HEADER_BYTES, size_of(file)), "the header").tobytes()
    if len(head) < HEADER_BYTES or head[:2] != _MAGIC:
        raise BadSource(
            f"{path}: begins with {head.hex(' ') or 'nothing'}, a .bed file with 6c 1b 01: it is not one"
        )
    if head[2] == _SAMPLE_MAJOR:
        raise BadSource(
            f"{path}: is individual-major (third byte 00), written before PLINK 1.0. Convert it: "
            "plink --bfile OLD --make-bed --out NEW"
        )
    if head != BED_HEADER:
        raise BadSource(f"{path}: the third byte is {head[2]:02x}, not 01 (SNP-major): it is not a .bed file")
    size, needed = size_of(file), HEADER_BYTES + n_variants * packed_width(n_samples)
    if size != needed:
        raise BadSource(
            f"{path}: has {size} bytes, but {n_variants} variants in the .bim and {n_samples} samples in "
            f"the .fam need {needed}: it was cut short, or the three files do not belong together"
        )


def read_bed(file: ByteFile, path: str, n_samples: int, start: int, stop: int, *, a1_is_alt: bool) -> Packed:
    """Packed calls ``uint8[stop - start, ceil(n / 4)]`` of the variants [start, stop) of a checked .bed."""
    width = packed_width(n_samples)
    n_bytes = (stop - start) * width
    raw = read_range(file, path, HEADER_BYTES + start * width, n_bytes, f"variant {start}")
    rows = raw.reshape(stop - start, width)
    n_odd = int(np.count_nonzero(rows[:, -1:] & (255 ^ last_byte_mask(n_samples))))
    if n_odd:
        raise BadSource(
            f"{path}: {n_odd} of {stop - start} variants from {start} on have calls behind the last of "
            f"{n_samples} samples: the .fam has too few lines, or the files do not belong together"
        )
    return packed_from_bed(rows, n_samples, a1_is_alt)
