"""The files of a catalogue as a source: VCF with or without samples, and delimited files with a header."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession

from allofus_spark.genome import Build
from allofus_spark.ingest.bytes import (
    SNIFF_BYTES,
    ByteStream,
    Kind,
    LineChunk,
    Split,
    plan_splits,
    read_head,
    read_header_lines,
    sniff_kind,
)
from allofus_spark.ingest.catalogue.columns import SiteColumns, find_columns, head_lines_in, table_lines
from allofus_spark.ingest.catalogue.sites import parse_sites
from allofus_spark.ingest.files import SourceFile
from allofus_spark.ingest.plan import MAX_HEADER_BYTES, fingerprint, probe_all, split_step
from allofus_spark.ingest.source import SITES_COLUMNS, Account, IngestJob, Rows, kind_of
from allofus_spark.ingest.vcf import staging
from allofus_spark.ingest.vcf.header import VcfHeader, declared_contigs, parse_header
from allofus_spark.ingest.vcf.records import Lines
from allofus_spark.ingest.vcf.scan import FIXED_ONLY
from allofus_spark.ingest.vcf_source import VcfSource

# Rows of one piece of a staged file: what is read at once when alleles are put together.
PIECE_ROWS = 1 << 17
_VCF_BEGINS = b"##fileformat=VCF"
_MAX_TABLE_HEAD_BYTES = 1 << 20
_FILE_DATE = re.compile(rb"##fileDate=\s*(\d{4})-?(\d{2})-?(\d{2})\b")


@dataclass(frozen=True)
class SitesProbe:
    """What the beginning of a file says; ``columns`` of a delimited one."""

    file: SourceFile
    kind: Kind
    header: VcfHeader
    columns: SiteColumns | None
    date: dt.date | None


def probe_sites(file: SourceFile, stream: ByteStream | BinaryIO) -> SitesProbe:
    """Kind and header of one file; raises BadSource naming it."""
    kind = sniff_kind(stream.read(SNIFF_BYTES), path=file.path)
    stream.seek(0)
    begins = read_head(stream, kind, len(_VCF_BEGINS), path=file.path)
    stream.seek(0)
    if begins == _VCF_BEGINS:
        lines, _ = read_header_lines(stream, kind, max_header_bytes=MAX_HEADER_BYTES, path=file.path)
        # Without its samples: who they are and how often they stand there does not matter here.
        lines[-1] = b"\t".join(lines[-1].split(b"\t")[:8])
        return SitesProbe(file, kind, parse_header(lines, file.path), None, _file_date(lines))
    lines = read_head(stream, kind, _MAX_TABLE_HEAD_BYTES, path=file.path).split(b"\n")
    lines = [line.removesuffix(b"\r") for line in lines]
    columns = find_columns(lines, file.path)
    head = lines[: columns.n_head_lines]
    header = VcfHeader(
        samples=(),
        contig_lengths=declared_contigs(head),
        formats=frozenset(),
        column_line=SITES_COLUMNS,
        has_reference_blocks=False,
        sha256=hashlib.sha256(b"\n".join(head)).hexdigest(),
    )
    return SitesProbe(file, kind, header, columns, _file_date(head))


def _file_date(lines: Sequence[bytes]) -> dt.date | None:
    for line in lines:
        if found := _FILE_DATE.match(line):
            try:
                return dt.date(*map(int, found.groups()))
            except ValueError:
                return None
    return None


@dataclass(frozen=True)
class CatalogueSource(VcfSource):
    """Files of one catalogue, and the splits to read.

    ``columns`` are those of the delimited files, by path; ``date`` is the newest that a header gives.
    A task's account lists its pieces: row group, contig, first and last position, and rows of what it staged.
    """

    columns: Mapping[str, SiteColumns]
    date: dt.date | None

    def rows_of(
        self,
        job: IngestJob,
        split: Split,
        chunks: Iterable[LineChunk],
        counters: Counter[str],
        account: Account,
    ) -> Rows:
        """Staged sites and refused records of the lines of a split."""
        lengths = self.headers[split.path].contig_lengths
        context = dataclasses.replace(
            job.context(split.path, (), contig_lengths=lengths), n_columns=FIXED_ONLY
        )
        account["pieces"] = pieces = []
        row_group = 0
        for lines in self._lines(split, chunks):
            for batch in parse_sites(lines, context, counters):
                for start in range(0, batch.num_rows, PIECE_ROWS):
                    rows = batch.slice(start, PIECE_ROWS)
                    if kind_of(rows) == staging.SITE:
                        pieces += [(row_group, *stretch) for stretch in _stretches(rows)]
                    row_group += 1
                    yield rows

    def _lines(self, split: Split, chunks: Iterable[LineChunk]) -> Iterator[Lines]:
        columns = self.columns.get(split.path)
        n_before = 0
        for chunk in chunks:
            if columns is None:
                yield chunk
                continue
            in_head = head_lines_in(chunk, n_before, columns) if split.start == 0 else 0
            yield table_lines(chunk, columns, in_head)
            n_before += len(chunk.line_starts) - 1


def _stretches(sites: pa.RecordBatch) -> Iterator[tuple[str, int, int, int]]:
    """(contig, first and last position, rows) of each contig of a batch."""
    encoded = sites.column("contig").dictionary_encode()
    code, positions = np.asarray(encoded.indices), np.asarray(sites.column("position"))
    for number, contig in enumerate(encoded.dictionary.to_pylist()):
        own = positions[code == number]
        yield contig, int(own.min()), int(own.max()), len(own)


def plan_catalogue(
    spark: SparkSession, files: Sequence[SourceFile], build: Build, *, split_bytes: int
) -> CatalogueSource:
    """Probe every file, hold them against the build, and cut them into splits.

    Raises the first file's error with the number of further bad files, BuildMismatch where contig lengths
    are another build's.
    """
    probes = probe_all(spark, files, probe_sites)
    warnings: dict[str, None] = {}
    for probe in probes:
        found = build.check_contig_lengths(probe.header.contig_lengths, where=probe.file.path)
        warnings |= dict.fromkeys(found)
    total_bytes, cores = sum(file.size for file in files), spark.sparkContext.defaultParallelism
    splits: list[Split] = []
    for probe in probes:
        step = split_step(probe.file, total_bytes, split_bytes, cores)
        splits += plan_splits(probe.file.path, probe.kind, probe.file.size, step)
    return CatalogueSource(
        files=tuple(files),
        headers={probe.file.path: probe.header for probe in probes},
        splits=tuple(splits),
        fingerprint=fingerprint((probe.file, probe.header.sha256) for probe in probes),
        warnings=tuple(warnings),
        columns={probe.file.path: probe.columns for probe in probes if probe.columns is not None},
        date=max((probe.date for probe in probes if probe.date is not None), default=None),
    )
