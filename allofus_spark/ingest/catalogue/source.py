"""The files of a catalogue as a source: VCF with or without samples, and delimited files with a header."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from pyspark.sql import SparkSession

from allofus_spark.genome import Build
from allofus_spark.ingest.bytes import (
    SNIFF_BYTES,
    ByteStream,
    Kind,
    read_head,
    read_header_lines,
    sniff_kind,
)
from allofus_spark.ingest.catalogue.columns import SiteColumns, find_columns
from allofus_spark.ingest.catalogue.sites import SiteRows
from allofus_spark.ingest.files import SourceFile
from allofus_spark.ingest.plan import MAX_HEADER_BYTES, cut_files, fingerprint, probe_all
from allofus_spark.ingest.source import SITES_COLUMNS
from allofus_spark.ingest.vcf.header import VcfHeader, declared_contigs, hold_against_build, parse_header
from allofus_spark.ingest.vcf_source import VcfSource

_VCF_BEGINS = b"##fileformat=VCF"
_MAX_TABLE_HEAD_BYTES = 1 << 20
_FILE_DATE = re.compile(rb"##fileDate=\s*(\d{4})-?(\d{2})-?(\d{2})(?:\D|$)")


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


def plan_catalogue(
    spark: SparkSession, files: Sequence[SourceFile], build: Build, *, split_bytes: int
) -> tuple[VcfSource, dt.date | None]:
    """The files of a catalogue, cut into splits, and the newest date that a header gives.

    Probes every file and holds it against the build. Raises the first file's error with the number of further
    bad files, BuildMismatch where contig lengths are another build's.
    """
    probes = probe_all(spark, files, probe_sites)
    warnings = hold_against_build([(probe.file.path, probe.header) for probe in probes], build)
    columns = {probe.file.path: probe.columns for probe in probes if probe.columns is not None}
    source = VcfSource(
        files=tuple(files),
        headers={probe.file.path: probe.header for probe in probes},
        splits=cut_files(spark, [(probe.file, probe.kind) for probe in probes], split_bytes),
        fingerprint=fingerprint((probe.file, probe.header.sha256) for probe in probes),
        warnings=warnings,
        rows_of=SiteRows(columns),
    )
    return source, max((probe.date for probe in probes if probe.date is not None), default=None)
