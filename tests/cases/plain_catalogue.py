"""A catalogue's file through the byte layer and the parser, without Spark and without tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from allofus_spark.genome import Build, ReferenceSequence, load_build
from allofus_spark.ingest.bytes import plan_splits
from allofus_spark.ingest.catalogue.sites import SiteRows
from allofus_spark.ingest.catalogue.source import probe_sites
from allofus_spark.ingest.files import SourceFile
from allofus_spark.ingest.filters import GenotypeFilters
from allofus_spark.ingest.source import IngestJob
from allofus_spark.ingest.vcf import staging
from allofus_spark.ingest.vcf_source import VcfSource
from tests.cases.plain_ingest import key_of, read_all


@dataclass(frozen=True)
class ParsedSites:
    """What became of a file. ``sites`` are (contig:position:ref:alt, ID) in file order, ``refused`` rows;
    ``pieces`` as tasks account for them."""

    sites: list[tuple[str, str | None]]
    refused: list[dict[str, Any]]
    counters: Counter[str]
    pieces: list[tuple[Any, ...]]

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.sites]

    @property
    def reasons(self) -> list[tuple[str, str, str]]:
        """(reason, CHROM, POS) of each refused record."""
        return [(row["reason"], row["chrom"], row["pos"]) for row in self.refused]


def parse_catalogue(
    path: Path,
    *,
    build: str | Build = "GRCh38",
    reference: ReferenceSequence | None = None,
    split_bytes: int = 1 << 23,
    chunk_bytes: int = 1 << 22,
) -> ParsedSites:
    """Probe, split and parse; raises what an ingest would raise for the file."""
    genome = load_build(build) if isinstance(build, str) else build
    file = SourceFile(f"file:{path}", path.stat().st_size)
    with path.open("rb") as stream:
        probe = probe_sites(file, stream)
    genome.check_contig_lengths(probe.header.contig_lengths, where=str(path))
    splits = plan_splits(file.path, probe.kind, file.size, split_bytes)
    columns = {} if probe.columns is None else {file.path: probe.columns}
    source = VcfSource((file,), {file.path: probe.header}, tuple(splits), "", (), SiteRows(columns))
    job = IngestJob(
        samples=(),
        sex=np.zeros(0, np.int8),
        build=genome,
        reference=reference,
        filters=GenotypeFilters(),
        max_alts=1 << 30,
        chunk_bytes=chunk_bytes,
        batch_bytes=1 << 25,
        max_line_bytes=1 << 27,
    )
    rows, counters, accounts = read_all(source, job)
    sites = [row for row in rows if row["row_kind"] == staging.SITE]
    refused = [row for row in rows if row["row_kind"] == staging.REJECTED]
    assert (len(sites), len(refused)) == (counters["alleles_read"], counters["records_refused"])
    pieces = [tuple(piece) for account in accounts for piece in account["pieces"]]
    return ParsedSites([(key_of(row), row["input_id"]) for row in sites], refused, counters, pieces)
