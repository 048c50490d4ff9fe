"""A writer of BGEN for tests, from the specification, apart from the reader: numbers as given."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Variant:
    """``values`` are the stored numbers of each sample; bit 7 of a ploidy says missing."""

    ploidies: Sequence[int]
    values: Sequence[Sequence[int]]
    alleles: tuple[str, ...] = ("A", "C")
    is_phased: bool = False
    bits: int = 8
    contig: str = "1"
    position: int = 1
    name: str = "rs1"


def packed_bits(values: Sequence[int], bits: int) -> bytes:
    whole = sum(value << (bits * place) for place, value in enumerate(values))
    return whole.to_bytes((len(values) * bits + 7) // 8, "little")


def genotypes(variant: Variant) -> bytes:
    plain = [ploidy & 63 for ploidy in variant.ploidies]
    head = struct.pack("<IHBB", len(plain), len(variant.alleles), min(plain), max(plain))
    numbers = [value for sample in variant.values for value in sample]
    tail = bytes([variant.is_phased, variant.bits]) + packed_bits(numbers, variant.bits)
    return head + bytes(variant.ploidies) + tail


def compressed(data: bytes, compression: int) -> bytes:
    if compression == 0:
        return struct.pack("<I", len(data)) + data
    packed = zlib.compress(data) if compression == 1 else pa.Codec("zstd").compress(data, asbytes=True)
    return struct.pack("<II", len(packed) + 4, len(data)) + packed


def text(value: str, form: str = "<H") -> bytes:
    return struct.pack(form, len(value.encode())) + value.encode()


def header(variant: Variant) -> bytes:
    names = text("") + text(variant.name) + text(variant.contig)
    counts = struct.pack("<IH", variant.position, len(variant.alleles))
    return names + counts + b"".join(text(allele, "<I") for allele in variant.alleles)


def bgen_bytes(
    variants: Sequence[Variant],
    compression: int = 1,
    sample_ids: Sequence[str] | None = None,
    layout: int = 2,
) -> bytes:
    n_samples = len(variants[0].ploidies)
    block = b""
    if sample_ids is not None:
        ids = b"".join(map(text, sample_ids))
        block = struct.pack("<II", 8 + len(ids), len(sample_ids)) + ids
    flags = compression | layout << 2 | (sample_ids is not None) << 31
    counts = struct.pack("<III4sI", 20, len(variants), n_samples, b"bgen", flags)
    body = b"".join(header(v) + compressed(genotypes(v), compression) for v in variants)
    return struct.pack("<I", 20 + len(block)) + counts + block + body
