"""A catalogue's file through the byte layer and the parser, without Spark and without tables."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from allofus_spark import errors
from allofus_spark.genome import Build, ReferenceSequence, load_build
from allofus_spark.ingest.bytes import SplitReport, check_reports, plan_splits
from allofus_spark.ingest.catalogue.source import CatalogueSource, probe_sites
from allofus_spark.ingest.files import SourceFile
from allofus_spark.ingest.filters import GenotypeFilters
from allofus_spark.ingest.source import IngestJob, parse_tasks
from allofus_spark.ingest.vcf import staging


@dataclass(frozen=True)
class ParsedSites:
    """What became of a file. ``sites`` are (contig:position:ref:alt, ID) in file order, ``refused`` rows."""

    sites: list[tuple[str, str | None]]
    refused: list[dict[str, Any]]
    counters: Counter[str]

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
    source = CatalogueSource(
        files=(file,),
        headers={file.path: probe.header},
        splits=tuple(splits),
        fingerprint="",
        warnings=(),
        columns={} if probe.columns is None else {file.path: probe.columns},
        date=None,
    )
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
    numbers = pa.record_batch([pa.array(range(len(splits)))], names=["id"])
    rows = pa.Table.from_batches(parse_tasks(source, job, [numbers]), schema=staging.STAGED).to_pylist()
    ledgers = [json.loads(row["ledger"]) for row in rows if row["row_kind"] == staging.LEDGER]
    for ledger in ledgers:
        if "error" in ledger:
            raise getattr(errors, ledger["error"])(ledger["message"])
    check_reports([SplitReport(**ledger["report"]) for ledger in ledgers], probe.kind, file.size)
    counters: Counter[str] = Counter()
    for ledger in ledgers:
        counters.update(ledger["counters"])
    sites = [row for row in rows if row["row_kind"] == staging.SITE]
    refused = [row for row in rows if row["row_kind"] == staging.REJECTED]
    assert (len(sites), len(refused)) == (counters["alleles_read"], counters["records_refused"])
    read = counters["records_kept"] + counters["records_refused"] + counters["records_without_alt"]
    assert counters["records_read"] == read
    keys = [f"{row['contig']}:{row['position']}:{row['ref']}:{row['alt']}" for row in sites]
    return ParsedSites(
        [(key, row["input_id"]) for key, row in zip(keys, sites, strict=True)], refused, counters
    )
