"""What ``catalogues`` says about a catalogue: checksum, coverage, and whether it is held already."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
from pyspark.sql import Row, SparkSession

from allofus_spark.checksums import file_checksum, hadoop_checksum, listing_checksum
from allofus_spark.errors import BadSource
from allofus_spark.genome import Build
from allofus_spark.genome.regions import Interval, merged, read_regions
from allofus_spark.hadoop import hadoop_path
from allofus_spark.ingest.files import SourceFile, java_errors
from allofus_spark.ingest.vcf.header import VcfHeader
from allofus_spark.ingest.vcf.scan import MAX_POSITION
from allofus_spark.tables import quoted
from allofus_spark.tasks import numbers_in, task_numbers

_THREADS = 8
_DIGEST_TYPE = "number long, sha256 string, error string"


@dataclass(frozen=True)
class CatalogueVersion:
    """A version of a catalogue as declared and as its files are; ``covered`` None: not declared."""

    catalogue: str
    version: str
    date: dt.date | None
    build: Build
    checksum: str
    source_files: tuple[str, ...]
    normalised_with: str | None
    covered: tuple[Interval, ...] | None

    @property
    def predicate(self) -> str:
        """SQL condition of its rows, in any table that is partitioned so."""
        return f"catalogue = {quoted(self.catalogue)} AND version = {quoted(self.version)}"

    def is_held(
        self, held: Row | None, contigs: Iterable[str], lengths: Mapping[str, int], *, replace: bool
    ) -> bool:
        """Whether the warehouse holds the same; False where it holds nothing under the name and version.

        ``contigs`` are those that the one held has alleles on. Raises BadSource naming what differs where it
        holds another one that is not to be replaced.
        """
        if held is None:
            return False
        covered = self.covered if self.covered is not None else whole(contigs, lengths)
        here = (self.checksum, self.date, self.build.name, self.normalised_with, sorted(covered))
        intervals = sorted((item["contig"], item["first"], item["last"]) for item in held.covered)
        there = (held.checksum, held.catalogue_date, held.build, held.normalised_with, intervals)
        names = ("content", "date", "build", "reference FASTA", "coverage")
        other = [name for name, mine, its in zip(names, here, there, strict=True) if mine != its]
        if other and not replace:
            raise BadSource(
                f"catalogue {self.catalogue} version {self.version} is in the warehouse already, with other "
                f"{' and '.join(other)} ({held.n_alleles} alleles from {len(held.source_files)} files); "
                "give another --version, or --replace to put these files in its place"
            )
        return not other


def read_coverage(build: Build, covers: Sequence[str]) -> tuple[Interval, ...] | None:
    """Merged intervals of regions and BED files; None where none are given.

    What is a file, or ends in .bed, is a BED file. Raises as ``read_regions``.
    """
    beds = [text for text in covers if text.lower().endswith(".bed") or os.path.isfile(text)]
    texts = [text for text in covers if text not in beds]
    intervals = [
        interval
        for regions in (read_regions(build, texts, None), *(read_regions(build, (), bed) for bed in beds))
        if regions is not None
        for interval in regions.intervals()
    ]
    return tuple(merged(intervals).intervals()) if intervals else None


def declared_lengths(build: Build, headers: Iterable[VcfHeader]) -> dict[str, int]:
    """Canonical contig to length, of the build and, beyond its contigs, as headers declare it."""
    declared: dict[str, int] = {}
    for header in headers:
        renames = build.contig_renames(header.contig_lengths)
        for spelling, length in header.contig_lengths.items():
            if length:
                declared[renames.get(spelling) or build.canonical_contig(spelling)] = length
    return declared | dict(build.contig_lengths)


def whole(contigs: Iterable[str], lengths: Mapping[str, int]) -> list[Interval]:
    """The whole of each contig; to the last position that there can be where its length is not known."""
    return [(contig, 1, lengths.get(contig, MAX_POSITION)) for contig in sorted(set(contigs))]


def checksum(spark: SparkSession, files: Sequence[SourceFile]) -> str:
    """SHA-256 (hex) of a file's bytes; of several, that of the output of sha256sum, sorted by name."""
    digests = _local_digests(spark, files) if files[0].local else _remote_digests(spark, files)
    if len(digests) == 1:
        return digests[0]
    return listing_checksum(zip((os.path.basename(file.path) for file in files), digests, strict=True))


def _local_digests(spark: SparkSession, files: Sequence[SourceFile]) -> list[str]:
    """One task a file."""
    paths = tuple(file.path for file in files)
    rows = task_numbers(spark, len(paths)).mapInArrow(partial(_digest_files, paths), _DIGEST_TYPE).collect()
    failed = [row for row in rows if row.error is not None]
    if failed:
        raise BadSource(f"{paths[failed[0].number]}: cannot be read: {failed[0].error}")
    return [row.sha256 for row in sorted(rows, key=lambda row: row.number)]


def _digest_files(paths: Sequence[str], batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for number in numbers_in(batches):
        digest, error = None, None
        try:
            digest = file_checksum(paths[number])
        except OSError as problem:
            error = str(problem)
        made = [[number], [digest], [error]]
        kinds = (pa.int64(), pa.string(), pa.string())
        arrays = [pa.array(values, kind) for values, kind in zip(made, kinds, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, names=["number", "sha256", "error"])


def _remote_digests(spark: SparkSession, files: Sequence[SourceFile]) -> list[str]:
    """Some files at a time."""

    def digest(file: SourceFile) -> str:
        with java_errors(file.path, "cannot be read"):
            return hadoop_checksum(spark, *hadoop_path(spark, file.uri))

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(digest, files))
