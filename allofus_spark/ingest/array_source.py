"""PLINK 1 .bed, PLINK 2 .pgen and BGEN files as a source: tasks read ranges of variants.

Which allele is the reference stands in a .pgen that was made from VCF, and in no other of these files. It is
then said by the setting ``ingest.reference_allele``, or found for each variant in the reference FASTA.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from allofus_spark.errors import BadSource
from allofus_spark.genome import Build, ReferenceSequence, reference_mismatches
from allofus_spark.genotypes import rows_that_fit
from allofus_spark.ingest.array_files import (
    ArrayFile,
    ArrayPart,
    VariantCalls,
    batches_of,
)
from allofus_spark.ingest.site_lines import site_lines
from allofus_spark.ingest.source import Account, IngestJob, Rows, accounted
from allofus_spark.ingest.vcf.call_readers import PackedCalls
from allofus_spark.ingest.vcf.calls import POLYPLOID
from allofus_spark.ingest.vcf.parse import parse_chunk
from allofus_spark.ingest.vcf.scan import Reason
from allofus_spark.tables.variant_tables import CALLS_MISSING
from allofus_spark.tasks import numbers_in, task_numbers

FIRST = "first"


@dataclass(frozen=True)
class ArraySource:
    """Files of one kind with the same samples; ``reference_allele`` is that of the settings."""

    files: tuple[ArrayFile, ...]
    parts: tuple[tuple[int, ArrayPart], ...]
    reference_allele: str | None
    fingerprint: str
    warnings: tuple[str, ...] = ()
    formats: frozenset[str] = frozenset()

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(file.path for file in self.files)

    @property
    def samples(self) -> tuple[str, ...]:
        return self.files[0].samples

    @property
    def n_tasks(self) -> int:
        return len(self.parts)

    def prepared(self, *_: object) -> ArraySource:
        """Itself: files are read as they are."""
        return self

    def frame(self, spark: SparkSession) -> DataFrame:
        """Task numbers."""
        return task_numbers(spark, self.n_tasks)

    def parse(self, job: IngestJob, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, Rows]]:
        """The rows of the ranges whose numbers come in."""
        for number in numbers_in(batches):
            yield number, self._rows(job, number)

    def _rows(self, job: IngestJob, number: int) -> Rows:
        place, part = self.parts[number]
        file = self.files[place]

        def read(counters: Counter[str], account: Account) -> Rows:
            context = job.context(file.path, file.samples)
            rows = rows_that_fit(len(file.samples), job.batch_bytes)
            try:
                sites = {first: part.sites(ref_first=first) for first in self._readings(file)}
                n_alts = np.asarray(pc.list_value_length(next(iter(sites.values()))["alts"]))
                for start, stop in batches_of(n_alts, rows):
                    calls, reason = _oriented(job, part, sites, start, stop)
                    lines = site_lines(calls.sites, part.first + start)
                    yield from parse_chunk(lines, context, counters, _packed_calls(calls, reason))
            except OSError as error:
                raise BadSource(f"{file.path}: cannot be read: {error}") from None
            account["n_variants"] = part.n_variants

        return accounted(number, file.path, read)

    def _readings(self, file: ArrayFile) -> tuple[bool, ...]:
        """Whether the first allele is read as the reference: both ways where the FASTA decides."""
        if file.knows_reference:
            return (True,)
        return (True, False) if self.reference_allele is None else (self.reference_allele == FIRST,)

    def check(self, accounts: Sequence[Account]) -> None:
        """Every variant of every file was read, once."""
        for account in accounts:
            read, held = account["counters"].get("records_read", 0), account["n_variants"]
            if read != held:
                raise BadSource(
                    f"{account['path']}: {read} of {held} variants were read as records: a contig's name "
                    "begins with #, or an allele is empty; nothing was written"
                )


_NO_ORIENTATION = (
    "{path}: does not say which allele of a variant is the reference. Set genome.reference_fasta, so that it "
    "is found there, or say it: --set ingest.reference_allele=first (the first allele: A1 of a .bim, the "
    "first of a BGEN written ref-first), or =last (A2: what PLINK 2 writes into a .bim)"
)


def check_orientation(source: ArraySource, reference: ReferenceSequence | None) -> None:
    """Raise BadSource where nothing says which allele is the reference."""
    unknown = [file for file in source.files if not file.knows_reference]
    if unknown and source.reference_allele is None and reference is None:
        raise BadSource(_NO_ORIENTATION.format(path=unknown[0].path))


def _oriented(
    job: IngestJob, part: ArrayPart, readings: Mapping[bool, pa.Table], start: int, stop: int
) -> tuple[VariantCalls, npt.NDArray[np.int8]]:
    """Calls with the reference allele as REF, and the reason for refusing a variant, int8[variants].

    ``readings`` are the sites of the part with the first allele as REF or not; of two, the FASTA decides.
    """
    sites = {first: table.slice(start, stop - start) for first, table in readings.items()}
    if len(sites) == 1:
        ((first, only),) = sites.items()
        return part.read(start, stop, only, ref_first=first), np.zeros(stop - start, np.int8)
    if job.reference is None:
        raise BadSource(_NO_ORIENTATION.format(path="a source file"))
    matches = {first: _matches(table, job.build, job.reference) for first, table in sites.items()}
    # Alleles of a multi-allelic .pgen are not turned: both readings are one.
    differ = np.asarray(pc.not_equal(sites[True]["ref"], sites[False]["ref"]))
    both = matches[True] & matches[False] & differ
    reason = np.where(both, np.int8(Reason.AMBIGUOUS_REFERENCE), np.int8(0))
    use_last = matches[False] & ~matches[True]
    if use_last.all() or not use_last.any():
        first = not use_last.any()
        return part.read(start, stop, sites[first], ref_first=first), reason
    calls = {first: part.read(start, stop, table, ref_first=first) for first, table in sites.items()}
    return _chosen(calls[True], calls[False], use_last), reason


def _matches(sites: pa.Table, build: Build, reference: ReferenceSequence) -> npt.NDArray[np.bool_]:
    """Whether each REF is made of bases and is the reference sequence."""
    refs = pc.utf8_upper(sites["ref"])
    matches = np.array(pc.match_substring_regex(refs, "^[ACGTN]+$"), np.bool_)
    contigs = np.array(sites["contig"].to_pylist(), object)
    positions = np.asarray(sites["position"], np.int64)
    texts = np.array([ref.encode() for ref in refs.to_pylist()], object)
    for contig in dict.fromkeys(contigs):
        rows = np.flatnonzero((contigs == contig) & matches)
        name = build.canonical_contig(contig)
        matches[rows] = ~reference_mismatches(name, positions[rows], texts[rows].tolist(), reference)
    return matches


def _chosen(first: VariantCalls, last: VariantCalls, use_last: npt.NDArray[np.bool_]) -> VariantCalls:
    """Each variant from one of two readings, which differ in what is the reference."""
    mask = pa.array(use_last)
    columns = [
        pc.if_else(mask, theirs.combine_chunks(), ours.combine_chunks())
        for ours, theirs in zip(first.sites.columns, last.sites.columns, strict=True)
    ]
    of_row = np.repeat(use_last, np.asarray(pc.list_value_length(first.sites["alts"])))
    packed = np.where(of_row[:, None], last.packed, first.packed)
    return VariantCalls(
        pa.Table.from_arrays(columns, schema=first.sites.schema), packed, first.haploid, first.n_polyploid
    )


def _packed_calls(calls: VariantCalls, reason: npt.NDArray[np.int8]) -> PackedCalls:
    lengths = np.asarray(pc.list_value_length(calls.sites["alts"]), np.int64)
    n_variants = len(lengths)
    haploid_row = tallies = None
    if calls.haploid is not None:
        haploid_row = np.where(calls.haploid.any(axis=1), np.arange(n_variants), -1)
    if calls.n_polyploid is not None:
        tallies = np.zeros((n_variants, len(CALLS_MISSING)), np.int32)
        tallies[:, POLYPLOID] = calls.n_polyploid
    return PackedCalls(calls.packed, lengths, reason, calls.haploid, haploid_row, tallies)
