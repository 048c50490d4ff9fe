"""One buffer of record lines to rows: alleles with packed calls, and refused records with their reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.genome import normalise_columns
from allofus_spark.genotypes import encode, pack, packed_width, unpack
from allofus_spark.ingest.vcf import staging
from allofus_spark.ingest.vcf.alternates import DROPPED, EXPLICIT, split_alternates
from allofus_spark.ingest.vcf.call_readers import CallReader, PackedRows, TextCalls
from allofus_spark.ingest.vcf.records import Lines, ParseContext, Records, read_records
from allofus_spark.ingest.vcf.scan import (
    ALT,
    CHROM,
    FILTER,
    ID,
    N_ALTS,
    POS,
    POSITION,
    QUAL,
    REF,
    Offsets,
    Reason,
)
from allofus_spark.settings import max_rows_per_batch
from allofus_spark.tables.variant_tables import CALLS_MISSING


def parse_chunk(
    chunk: Lines, context: ParseContext, ledger: Counter[str], calls: CallReader | None = None
) -> Iterator[pa.RecordBatch]:
    """Staged rows of a buffer; adds to ``ledger`` what was read, kept and refused.

    ``calls`` gives the records' calls; None: they stand in the lines. Raises BadSource where a header line
    among the records announces other columns, BuildMismatch where it declares contigs of another build, or a
    record's contig is an accession of another build.
    """
    records = read_records(chunk, context, ledger)
    if not len(records.reason):
        return
    first, slices, kinds = split_alternates(records.data, records.fields, records.numbers, records.reason)
    for rows in _by_payload(first, context):
        part = records.take(rows)
        alts = slice(first[rows[0]], first[rows[-1] + 1])
        alternates = first[rows] - alts.start, slices[alts], kinds[alts]
        yield from _parse_part(part, alternates, calls or TextCalls(), context, ledger)


def _by_payload(first: Offsets, context: ParseContext) -> Iterator[npt.NDArray[np.int64]]:
    """Consecutive records whose packed rows fit the batch; a record is never divided."""
    most = max_rows_per_batch(packed_width(context.n_samples), 1, context.batch_bytes)
    start, records = 0, len(first) - 1
    while start < records:
        stop = int(np.searchsorted(first, first[start] + most, side="right")) - 1
        stop = min(max(stop, start + 1), records)
        yield np.arange(start, stop)
        start = stop


def _parse_part(
    records: Records,
    alternates: tuple[Offsets, Offsets, npt.NDArray[np.int8]],
    calls: CallReader,
    context: ParseContext,
    ledger: Counter[str],
) -> Iterator[pa.RecordBatch]:
    """Rows of some records; ``alternates`` as of ``split_alternates``."""
    first, slices, kinds = alternates
    kept = kinds != DROPPED
    rows = np.where(kept, np.cumsum(kept) - 1, -1)
    packed = np.zeros((int(kept.sum()), packed_width(context.n_samples)), np.uint8)
    tallies = np.zeros((len(first), len(CALLS_MISSING)), np.int32)
    high_quality = calls.fill(records, context, PackedRows(rows, first, packed, tallies))
    record_of_alt = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(slices))))
    keep = kept & (records.reason[record_of_alt] == Reason.NONE)
    packed = packed[rows[keep]]
    if context.order is not None:
        packed = pack(unpack(packed, context.n_samples)[:, context.order])
    understood = records.reason == Reason.NONE
    n_kept_alts = np.bincount(record_of_alt[keep], minlength=len(first))
    ledger["records_kept"] += int((understood & (n_kept_alts > 0)).sum())
    ledger["records_without_alt"] += int((understood & (n_kept_alts == 0)).sum())
    ledger["alleles_read"] += int(keep.sum())
    for rule, column in enumerate(CALLS_MISSING):
        name = column.name.removeprefix("n_").removesuffix("_calls_missing")
        ledger[f"calls_missing_{name}"] += int(tallies[understood & (n_kept_alts > 0), rule].sum())
    if keep.any():
        number = np.arange(len(slices)) - first[record_of_alt] + 1
        yield _allele_batch(
            records,
            record_of_alt[keep],
            number[keep],
            slices[keep],
            kinds[keep],
            packed,
            tallies,
            high_quality,
            context,
        )
    refused = np.flatnonzero(~understood)
    if len(refused):
        yield rejected_batch(records.take(refused), context, ledger)


def _allele_batch(
    records: Records,
    owner: npt.NDArray[np.int64],
    number: npt.NDArray[np.int64],
    slices: Offsets,
    kinds: npt.NDArray[np.int8],
    packed: npt.NDArray[np.uint8],
    tallies: npt.NDArray[np.int32],
    high_quality: npt.NDArray[np.int32],
    context: ParseContext,
) -> pa.RecordBatch:
    """Rows of alleles: ``owner`` is the record of each, ``number`` its place in ALT."""
    own = records.take(owner)
    position, ref, alt = normalised(own, slices, kinds, context)
    filters = staging.filters_column(own.text(FILTER))
    ids = own.text(ID)
    rows = len(owner)
    columns = {
        "row_kind": pa.array([staging.ALLELE] * rows),
        "source_file": pa.array([context.path] * rows),
        "source_offset": pa.array(own.offsets),
        "contig": pa.array(own.contigs, pa.string()),
        "position": pa.array(position.astype(np.int32)),
        "ref": ref,
        "alt": alt,
        "filters": filters,
        "qual": own.qual,
        "input_id": pc.if_else(pc.equal(ids, "."), pa.scalar(None, pa.string()), ids),
        "input_position": pa.array(own.numbers[:, POSITION].astype(np.int32)),
        "input_ref": own.text(REF),
        "input_alts": own.text(ALT),
        "input_allele": pa.array(number.astype(np.int32)),
        "n_alts": pa.array(own.numbers[:, N_ALTS].astype(np.int32)),
        **{column.name: pa.array(tallies[owner, rule]) for rule, column in enumerate(CALLS_MISSING)},
        "n_high_quality_calls": pa.array(high_quality[owner], mask=high_quality[owner] < 0),
        **encode(packed, context.n_samples),
    }
    return staging.staged_batch(columns, rows)


def normalised(
    own: Records, slices: Offsets, kinds: npt.NDArray[np.int8], context: ParseContext
) -> tuple[npt.NDArray[np.int64], pa.Array, pa.Array]:
    """Normalised position, ref and alt of each allele row; single bases need nothing."""
    ref = pc.utf8_upper(own.text(REF))
    alt = staging.text_column(own.data, slices)
    explicit = kinds == EXPLICIT
    alt = pc.if_else(pa.array(explicit), pc.utf8_upper(alt), alt)
    single = (np.diff(own.fields[:, REF], axis=1)[:, 0] == 1) & (np.diff(slices, axis=1)[:, 0] == 1)
    rows = np.flatnonzero(explicit & ~single)
    return normalise_columns(own.contigs, own.numbers[:, POSITION], ref, alt, rows, context.reference)


def rejected_batch(records: Records, context: ParseContext, ledger: Counter[str]) -> pa.RecordBatch:
    """Rows of refused records: the fixed columns as written, never the genotypes."""
    reasons = [Reason(value).name.lower() for value in records.reason]
    ledger["records_refused"] += len(reasons)
    for reason in reasons:
        ledger[f"refused_{reason}"] += 1
    rows = len(reasons)
    columns = {
        "row_kind": pa.array([staging.REJECTED] * rows),
        "source_file": pa.array([context.path] * rows),
        "source_offset": pa.array(records.offsets),
        "input_allele": pa.array(np.zeros(rows, np.int32)),
        "reason": pa.array(reasons),
        "chrom": records.text(CHROM),
        "pos": records.text(POS),
        "input_id": records.text(ID),
        "input_ref": records.text(REF),
        "input_alts": records.text(ALT),
        "qual_text": records.text(QUAL),
        "filter": records.text(FILTER),
    }
    return staging.staged_batch(columns, rows)
