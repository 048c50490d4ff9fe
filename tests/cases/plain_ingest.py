"""A VCF file through the byte layer and the parser, without Spark and without tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from allofus_spark import errors
from allofus_spark.genome import Build, ReferenceSequence, load_build
from allofus_spark.ingest.bytes import plan_splits
from allofus_spark.ingest.files import SourceFile
from allofus_spark.ingest.filters import GenotypeFilters
from allofus_spark.ingest.plan import probe_file
from allofus_spark.ingest.source import IngestJob, parse_tasks
from allofus_spark.ingest.vcf import staging
from allofus_spark.ingest.vcf_source import VcfSource, rows_with_calls

HOM_REF, HET, HOM_ALT, MISSING = range(4)
_SEX_CODES = {"XX": 1, "XY": 2}


@dataclass(frozen=True)
class ParsedFile:
    """What became of a file. ``alleles`` and ``refused`` are staged rows as dictionaries."""

    samples: tuple[str, ...]
    alleles: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    counters: Counter[str]

    @property
    def calls(self) -> dict[str, list[int]]:
        """contig:position:ref:alt to the calls in sample order."""
        return {key_of(row): plain_calls(row) for row in self.alleles}

    @property
    def reasons(self) -> list[tuple[str, str, str]]:
        """(reason, CHROM, POS) of each refused record."""
        return [(row["reason"], row["chrom"], row["pos"]) for row in self.refused]


def key_of(row: Mapping[str, Any]) -> str:
    return f"{row['contig']}:{row['position']}:{row['ref']}:{row['alt']}"


def plain_calls(row: Mapping[str, Any]) -> list[int]:
    """Calls of a genotypes row, one number a sample, decoded the slow way."""
    n_samples = row["n_samples"]
    if row["encoding"] == "dense":
        return [row["calls"][sample // 4] >> (sample % 4) * 2 & 3 for sample in range(n_samples)]
    calls = [HOM_REF] * n_samples
    for column, call in (("het_index", HET), ("hom_alt_index", HOM_ALT), ("missing_index", MISSING)):
        for sample in row[column]:
            calls[sample] = call
    return calls


NO_FILTERS = GenotypeFilters()


def parse_file(
    path: Path,
    *,
    build: str | Build = "GRCh38",
    sex: Mapping[str, str] | None = None,
    reference: ReferenceSequence | None = None,
    filters: GenotypeFilters = NO_FILTERS,
    split_bytes: int = 1 << 23,
    chunk_bytes: int = 1 << 24,
    batch_bytes: int = 1 << 25,
    max_line_bytes: int = 1 << 27,
    max_alts: int = 50,
    before_reading: Callable[[], None] = lambda: None,
) -> ParsedFile:
    """Probe, split and parse; raises what an ingest would raise for the file."""
    genome = load_build(build) if isinstance(build, str) else build
    file = SourceFile(f"file:{path}", path.stat().st_size)
    with path.open("rb") as stream:
        probe = probe_file(file, stream)
    genome.check_contig_lengths(probe.header.contig_lengths, where=str(path))
    splits = plan_splits(file.path, probe.kind, file.size, split_bytes)
    samples = probe.header.samples
    source = VcfSource((file,), {file.path: probe.header}, tuple(splits), "", (), rows_with_calls)
    job = IngestJob(
        samples=samples,
        sex=np.array([_SEX_CODES.get((sex or {}).get(name, ""), 0) for name in samples], np.int8),
        build=genome,
        reference=reference,
        filters=filters,
        max_alts=max_alts,
        chunk_bytes=chunk_bytes,
        batch_bytes=batch_bytes,
        max_line_bytes=max_line_bytes,
    )
    before_reading()
    rows, counters, _ = read_all(source, job)
    parsed = ParsedFile(
        samples,
        [row for row in rows if row["row_kind"] == staging.ALLELE],
        [row for row in rows if row["row_kind"] == staging.REJECTED],
        counters,
    )
    assert counters["alleles_read"] == len(parsed.alleles)
    assert counters["records_refused"] == len(parsed.refused)
    return parsed


def read_all(
    source: VcfSource, job: IngestJob
) -> tuple[list[dict[str, Any]], Counter[str], list[dict[str, Any]]]:
    """Staged rows of all splits, their counters and accounts, held against the file and each other."""
    numbers = pa.record_batch([pa.array(range(source.n_tasks))], names=["id"])
    rows = pa.Table.from_batches(parse_tasks(source, job, [numbers]), schema=staging.STAGED).to_pylist()
    ledgers = [json.loads(row["ledger"]) for row in rows if row["row_kind"] == staging.LEDGER]
    for ledger in ledgers:
        if "error" in ledger:
            raise getattr(errors, ledger["error"])(ledger["message"])
    source.check(ledgers)
    counters: Counter[str] = Counter()
    for ledger in ledgers:
        counters.update(ledger["counters"])
    read = counters["records_kept"] + counters["records_refused"] + counters["records_without_alt"]
    assert counters["records_read"] == read
    return rows, counters, ledgers
