"""A stretch of alleles to write, and their fixed columns as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.arrow import string_buffers
from allofus_spark.genotypes import Packed


@dataclass(frozen=True)
class Variants:
    """Alleles of one contig in rising order, with the calls of those who are exported.

    ``alleles`` has position (1-based), ref, alt, and of the site input_id, qual and filters; ``packed`` is
    uint8[rows, ceil(m / 4)].
    """

    contig: str
    alleles: pa.Table
    packed: Packed

    def slices(self, rows: int) -> Iterator[Variants]:
        """The same in stretches of at most ``rows`` alleles."""
        for start in range(0, len(self.packed), rows):
            yield Variants(self.contig, self.alleles.slice(start, rows), self.packed[start : start + rows])

    def column(self, name: str) -> pa.Array:
        column = self.alleles[name].combine_chunks()
        return column.chunk(0) if isinstance(column, pa.ChunkedArray) else column


def id_texts(variants: Variants) -> pa.Array:
    """ID of each allele as the source had it; ``.`` for none."""
    return variants.column("input_id").fill_null(".")


def fixed_fields(variants: Variants) -> list[pa.Array]:
    """CHROM, POS, ID, REF, ALT, QUAL and FILTER of each allele as VCF writes them.

    QUAL is the shortest text that reads back as the same float64.
    """
    filters = variants.column("filters")
    joined = pc.binary_join(filters, ";")
    passed = pc.equal(pc.list_value_length(filters), 0)
    return [
        pa.array(np.full(len(variants.packed), variants.contig)),
        variants.column("position").cast(pa.string()),
        id_texts(variants),
        variants.column("ref"),
        variants.column("alt"),
        variants.column("qual").cast(pa.string()).fill_null("."),
        pc.if_else(passed, "PASS", joined).fill_null("."),
    ]


def as_lines(fields: list[pa.Array]) -> bytes:
    """Tab-separated lines, each with its line feed."""
    lines = pc.binary_join_element_wise(*fields, "\t")
    return joined_bytes(pc.binary_join_element_wise(lines, "", "\n"))


def joined_bytes(texts: pa.Array) -> bytes:
    """The texts end to end."""
    offsets, data = string_buffers(texts)
    return bytes(data[offsets[0] : offsets[-1]])
