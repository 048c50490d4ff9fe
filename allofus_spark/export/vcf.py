"""VCF 4.2, bgzip-compressed, one bi-allelic record an allele, GT alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.bgzf import BgzfFile, blocks
from allofus_spark.bgzip import END_OF_FILE
from allofus_spark.export.format import Format, Summary, Writer
from allofus_spark.export.genotype_text import CALL_BYTES, genotype_lines
from allofus_spark.export.variants import Variants, fixed_fields
from allofus_spark.genome import ploidy_regions
from allofus_spark.vcf_files import VCF_ENDING, meta_lines

_FORMAT_LINE = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")


class Vcf(Format):
    """Calls are written haploid where one copy is meant (XY in non-PAR X and Y, everyone on MT).

    A stored het is written ``0/1`` even there, and whoever has no meant number of copies (XX on Y, an
    unknown sex on non-PAR X and Y) is written diploid, as stored: an ingest of the file stores the same.
    """

    endings = (VCF_ENDING,)
    tail = END_OF_FILE

    def check(self) -> None:
        """VCF holds any ids that an ingest takes."""

    def open_part(self, path: Path) -> Writer:
        return BgzfFile(path.open("wb"))

    def pieces(self, variants: Variants) -> Iterator[tuple[str, bytes | memoryview]]:
        rows = max(1, self.batch_bytes // (CALL_BYTES * len(self.people.ids)))
        for part in variants.slices(rows):
            contig = pa.array(np.full(len(part.packed), part.contig))
            regions = ploidy_regions(contig, part.column("position"), self.build)
            lines = genotype_lines(_before_calls(part), part.packed, regions, self.people.one_copy)
            yield VCF_ENDING, lines.data

    def heads(self, summary: Summary) -> Mapping[str, bytes]:
        columns = "\t".join([*_COLUMNS, *self.people.ids]) + "\n"
        header = meta_lines(self.build, summary.contigs, summary.filters) + _FORMAT_LINE + columns
        return {VCF_ENDING: b"".join(blocks(header.encode()))}


def _before_calls(variants: Variants) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Bytes and offsets of each line up to FORMAT."""
    lines = pc.binary_join_element_wise(*fixed_fields(variants), ".", "GT", "\t")
    offsets = np.frombuffer(lines.buffers()[1], np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return np.frombuffer(lines.buffers()[2], np.uint8), offsets
