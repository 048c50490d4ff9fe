"""A cohort as the jobs read it: a bgzip VCF and a samples file, written from arrays of calls.

A cell of a genotype column is four bytes, a tab and a GT (``0/1``), so a whole row of codes becomes text by
one look-up in a table of 32-bit words. Files appear under their name only when they are whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt
import pysam
from isal import igzip

from allofus_spark.genome import load_build

BUILD = load_build("GRCh38")
SAMPLE_COLUMNS = ("sample_id", "sex_karyotype", "ancestry")


class Person(NamedTuple):
    """One row of a samples file; an empty text is an unknown value."""

    sample_id: str
    sex_karyotype: str
    ancestry: str


class Cohort(NamedTuple):
    """The two files that the ingest jobs take."""

    vcf: Path
    samples: Path


class Site(NamedTuple):
    """Contig, 1-based position, reference allele, alternate alleles joined by commas."""

    contig: str
    position: int
    ref: str
    alts: str


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to, renamed to `path` at the end, so that a killed run leaves no half file behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.partial.{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def cell_table(genotypes: Sequence[str]) -> npt.NDArray[np.uint32]:
    """The text of each code, code being the place in `genotypes`; every GT has three characters."""
    cells = b"".join(b"\t" + genotype.encode("ascii") for genotype in genotypes)
    if len(cells) != 4 * len(genotypes):
        raise ValueError(f"each genotype must have three characters, as 0/1 has: {list(genotypes)}")
    return np.frombuffer(cells, dtype=np.uint32)


def vcf_header(contigs: Iterable[str], people: Iterable[Person], *, source: str) -> bytes:
    """The lines before the first record, GRCh38."""
    fixed_columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines = [
        "##fileformat=VCFv4.2",
        f"##source={source}",
        f"##reference={BUILD.name}",
        '##FILTER=<ID=PASS,Description="All filters passed">',
        *(f"##contig=<ID={contig},length={BUILD.contig_lengths[contig]}>" for contig in contigs),
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        "\t".join([*fixed_columns, *(person.sample_id for person in people)]),
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def write_records(
    stream: IO[bytes], sites: Iterable[Site], codes: npt.NDArray[np.uint8], cells: npt.NDArray[np.uint32]
) -> None:
    """One line a site, with `codes[site, person]` looked up in `cells`."""
    for site, row in zip(sites, codes, strict=True):
        fixed = f"{site.contig}\t{site.position}\t.\t{site.ref}\t{site.alts}\t.\tPASS\t.\tGT"
        stream.write(fixed.encode("ascii"))
        stream.write(cells.take(row).tobytes())
        stream.write(b"\n")


@contextmanager
def bgzip_file(path: Path) -> Iterator[IO[bytes]]:
    """A stream whose bytes become the bgzip file `path`, there only once it is complete."""
    with whole_file(path) as partial, pysam.BGZFile(str(partial), "wb") as stream:
        yield stream


def write_samples(path: Path, people: Iterable[Person]) -> None:
    """The samples file that `allofus ingest-samples` reads: tab-separated, one row a person."""
    with whole_file(path) as partial, partial.open("w", encoding="utf-8") as out:
        out.write("\t".join(SAMPLE_COLUMNS) + "\n")
        out.writelines("\t".join(person) + "\n" for person in people)


def read_samples(path: Path) -> list[Person]:
    """The rows that `write_samples` wrote."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Person(*line.split("\t")) for line in lines[1:]]


def count_records(vcf: Path) -> int:
    """Lines after the header of a bgzip VCF."""
    with igzip.open(vcf, "rb") as lines:
        return sum(not line.startswith(b"#") for line in lines)
