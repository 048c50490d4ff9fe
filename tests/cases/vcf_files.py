"""VCF files written for a test: text from shorthand records, as plain text, gzip or bgzip."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path

import pysam

FIXED = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")


def vcf_text(
    records: Iterable[str],
    samples: Sequence[str] | None = ("S1", "S2"),
    *,
    meta: Sequence[str] = (),
    line_end: str = "\n",
) -> str:
    """A VCF; a record is its columns between spaces. ``samples`` None: a sites-only file without FORMAT."""
    columns = list(FIXED) if samples is None else [*FIXED, "FORMAT", *samples]
    lines = ["##fileformat=VCFv4.2", *meta, "\t".join(columns)]
    lines += [record.replace(" ", "\t") for record in records]
    return "".join(line + line_end for line in lines)


def gt_record(*gts: str, pos: int = 100, ref: str = "A", alt: str = "T", contig: str = "chr1") -> str:
    """A record whose FORMAT is GT alone."""
    return " ".join([contig, str(pos), ".", ref, alt, ".", "PASS", ".", "GT", *gts])


def write_bytes(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def write_gzip(path: Path, text: str) -> Path:
    return write_bytes(path, gzip.compress(text.encode()))


def write_bgzip(path: Path, text: str, *, block_bytes: int = 65280) -> Path:
    """Blocks of at most ``block_bytes`` of text, then the end-of-file block."""
    data = text.encode()
    with pysam.BGZFile(str(path), "wb") as file:
        for start in range(0, len(data), block_bytes):
            file.write(data[start : start + block_bytes])
            file.flush()
    return path
