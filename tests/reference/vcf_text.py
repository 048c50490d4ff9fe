"""VCF files as text: the fixed columns of published ones, and small ones made for a test."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Site(NamedTuple):
    """One record without its genotypes."""

    chrom: str
    position: int
    ref: str
    alts: list[str]
    info: dict[str, str]


def read_sites(path: Path) -> Iterator[Site]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            chrom, position, _, ref, alts, _, _, info = line.split("\t", 8)[:8]
            pairs = (item.partition("=") for item in info.split(";"))
            yield Site(chrom, int(position), ref, alts.split(","), {name: value for name, _, value in pairs})


class Record(NamedTuple):
    """One record to write; ``gts`` follow the samples."""

    chrom: str
    position: int
    ref: str
    alts: str
    gts: Sequence[str]


def write_vcf(path: Path, samples: Sequence[str], records: Iterable[Record]) -> Path:
    records = list(records)
    with path.open("w") as file:
        file.write("##fileformat=VCFv4.3\n")
        file.writelines(f"##contig=<ID={chrom}>\n" for chrom in dict.fromkeys(item.chrom for item in records))
        file.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        fixed = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
        file.write("\t".join([*fixed, *samples]) + "\n")
        for chrom, position, ref, alts, gts in records:
            line = [chrom, str(position), ".", ref, alts, ".", "PASS", ".", "GT", *gts]
            file.write("\t".join(line) + "\n")
    return path


def write_samples(path: Path, columns: Mapping[str, Sequence[str]]) -> Path:
    """A sample file: one column a key."""
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join("\t".join(row) for row in (tuple(columns), *rows)) + "\n")
    return path
