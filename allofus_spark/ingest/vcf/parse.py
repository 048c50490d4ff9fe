"""One buffer of VCF lines to rows: alleles with packed calls, and refused records with their reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.errors import BadSource
from allofus_spark.genome import Build, ReferenceSequence, normalise_alleles, reference_mismatches
from allofus_spark.genotypes import encode, pack, packed_width, unpack
from allofus_spark.ingest.bytes import LineChunk
from allofus_spark.ingest.vcf import staging
from allofus_spark.ingest.vcf.alternates import DROPPED, EXPLICIT, split_alternates
from allofus_spark.ingest.vcf.calls import pack_records, words_of
from allofus_spark.ingest.vcf.header import declared_contigs
from allofus_spark.ingest.vcf.scan import (
    ALT,
    CHROM,
    FILTER,
    ID,
    POS,
    QUAL,
    REF,
    Bytes,
    Offsets,
    Reason,
    scan_records,
)
from allofus_spark.settings import max_rows_per_batch
from allofus_spark.tables.variant_tables import CALLS_MISSING

# A decimal number, infinity or NaN, as the VCF specification allows.
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?(?i:inf|infinity|nan)$"


@dataclass(frozen=True)
class ParseContext:
    """What a task must know about its file and callset; goes to the workers by pickle.

    ``sex`` follows the file's sample columns; ``order[i]`` is the column of the callset's sample i, None
    where both orders agree.
    """

    path: str
    build: Build
    column_line: bytes
    n_columns: int
    sex: npt.NDArray[np.int8]
    order: npt.NDArray[np.int64] | None
    contig_lengths: Mapping[str, int | None]
    max_alts: int
    batch_bytes: int
    reference: ReferenceSequence | None
    contig_names: dict[str, str] = field(default_factory=dict)

    @property
    def n_samples(self) -> int:
        return len(self.sex)

    def contig(self, spelling: str) -> str:
        """The build's name of a contig as spelled in the file."""
        if spelling not in self.contig_names:
            renamed = self.build.contig_renames(self.contig_lengths).get(spelling)
            self.contig_names[spelling] = renamed or self.build.canonical_contig(spelling)
        return self.contig_names[spelling]

    def contig_length(self, contig: str, spelling: str) -> int | None:
        known = self.build.contig_lengths.get(contig)
        return known if known else self.contig_lengths.get(spelling)


@dataclass
class Records:
    """The records of one buffer, struct of arrays; ``reason`` is 0 where a record is understood so far."""

    data: Bytes
    fields: npt.NDArray[np.int64]
    calls: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]
    reason: npt.NDArray[np.int8]
    offsets: Offsets
    contigs: npt.NDArray[np.object_]
    regions: npt.NDArray[np.int8]
    qual: pa.Array

    def take(self, rows: npt.NDArray[np.int64]) -> Records:
        return Records(
            self.data,
            self.fields[rows],
            self.calls[rows],
            self.numbers[rows],
            self.reason[rows],
            self.offsets[rows],
            self.contigs[rows],
            self.regions[rows],
            self.qual.take(pa.array(rows)),
        )

    def text(self, column: int) -> pa.Array:
        return staging.text_column(self.data, self.fields[:, column])

    def values(self, column: int) -> list[bytes]:
        view = self.data.data
        return [bytes(view[start:end]) for start, end in self.fields[:, column]]


def parse_chunk(chunk: LineChunk, context: ParseContext, ledger: Counter[str]) -> Iterator[pa.RecordBatch]:
    """Staged rows of a buffer; adds to ``ledger`` what was read, kept and refused.

    Raises BadSource where a header line among the records announces other columns, BuildMismatch where it
    declares contigs of another build, or a record's contig is an accession of another build.
    """
    records = _read_records(chunk, context, ledger)
    if not len(records.reason):
        return
    _judge_positions(records, context)
    first, slices, kinds = split_alternates(records.data, records.fields, records.numbers, records.reason)
    for rows in _by_payload(first, context):
        part = records.take(rows)
        alts = slice(first[rows[0]], first[rows[-1] + 1])
        yield from _parse_part(part, first[rows] - alts.start, slices[alts], kinds[alts], context, ledger)


def _read_records(chunk: LineChunk, context: ParseContext, ledger: Counter[str]) -> Records:
    starts = chunk.line_starts
    kind, reason, fields, calls, numbers = scan_records(
        chunk.data, starts, context.n_columns, context.max_alts
    )
    _check_header_lines(chunk.data, starts, kind, context)
    rows = np.flatnonzero(kind == 0)
    ledger["lines_header"] += int((kind == 1).sum())
    ledger["lines_blank"] += int((kind == 2).sum())
    ledger["records_read"] += len(rows)
    records = Records(
        chunk.data,
        fields[rows],
        calls[rows],
        numbers[rows],
        reason[rows],
        chunk.locate(starts[:-1][rows]),
        np.empty(len(rows), object),
        np.zeros(len(rows), np.int8),
        pa.nulls(len(rows), pa.float64()),
    )
    records.qual = _read_qual(records)
    return records


def _check_header_lines(
    data: Bytes, starts: Offsets, kind: npt.NDArray[np.int8], context: ParseContext
) -> None:
    """Joined files repeat the header; their columns must be the same, and their contigs of the build."""
    lines = [
        data[starts[line] : starts[line + 1]].tobytes().rstrip(b"\r\n") for line in np.flatnonzero(kind == 1)
    ]
    if any(line.startswith(b"#CHROM") and line != context.column_line for line in lines):
        raise BadSource(
            f"{context.path}: a second #CHROM line announces other columns than the first; "
            "ingest files of different samples as different callsets"
        )
    context.build.check_contig_lengths(declared_contigs(lines), where=context.path)


def _read_qual(records: Records) -> pa.Array:
    """QUAL as float64, null for a dot; records whose QUAL is not a number are refused."""
    texts = records.text(QUAL)
    known = pc.and_(pc.match_substring_regex(texts, _NUMBER), pa.array(records.reason == Reason.NONE))
    bad = pc.invert(pc.or_(known, pc.equal(texts, ".")))
    records.reason[np.asarray(bad) & (records.reason == Reason.NONE)] = Reason.BAD_QUAL
    return pc.if_else(known, texts, pa.scalar(None, pa.string())).cast(pa.float64())


def _judge_positions(records: Records, context: ParseContext) -> None:
    """Name contigs, find ploidy regions, and hold positions and REF against the build and the FASTA."""
    spelled = records.text(CHROM).dictionary_encode()
    positions = records.numbers[:, 0]
    last_bases = positions + np.diff(records.fields[:, REF], axis=1)[:, 0] - 1
    code = np.asarray(spelled.indices)
    for number, spelling in enumerate(spelled.dictionary.to_pylist()):
        rows = np.flatnonzero((code == number) & (records.reason == Reason.NONE))
        if not len(rows):
            continue
        contig = context.contig(spelling)
        records.contigs[rows] = contig
        records.regions[rows] = context.build.ploidy_regions(contig, positions[rows])
        length = context.contig_length(contig, spelling)
        if length is not None:
            past = last_bases[rows] > length
            records.reason[rows[past]] = Reason.POSITION_PAST_CONTIG
            rows = rows[~past]
        if context.reference is not None and len(rows):
            refs = [value.upper() for value in records.take(rows).values(REF)]
            wrong = reference_mismatches(contig, positions[rows], refs, context.reference)
            records.reason[rows[wrong]] = Reason.REF_MISMATCH


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
    first: Offsets,
    slices: Offsets,
    kinds: npt.NDArray[np.int8],
    context: ParseContext,
    ledger: Counter[str],
) -> Iterator[pa.RecordBatch]:
    kept = kinds != DROPPED
    rows = np.where(kept, np.cumsum(kept) - 1, -1)
    packed = np.zeros((int(kept.sum()), packed_width(context.n_samples)), np.uint8)
    tallies = np.zeros((len(first), len(CALLS_MISSING)), np.int32)
    pack_records(
        records.data,
        words_of(records.data),
        records.calls,
        records.numbers,
        records.regions,
        context.sex,
        rows,
        first,
        packed,
        records.reason,
        tallies,
    )
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
            records, record_of_alt[keep], number[keep], slices[keep], kinds[keep], packed, tallies, context
        )
    refused = np.flatnonzero(~understood)
    if len(refused):
        yield _rejected_batch(records.take(refused), context, ledger)


def _allele_batch(
    records: Records,
    owner: npt.NDArray[np.int64],
    number: npt.NDArray[np.int64],
    slices: Offsets,
    kinds: npt.NDArray[np.int8],
    packed: npt.NDArray[np.uint8],
    tallies: npt.NDArray[np.int32],
    context: ParseContext,
) -> pa.RecordBatch:
    """Rows of alleles: ``owner`` is the record of each, ``number`` its place in ALT."""
    own = records.take(owner)
    position, ref, alt = _normalise(own, slices, kinds, context)
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
        "input_position": pa.array(own.numbers[:, 0].astype(np.int32)),
        "input_ref": own.text(REF),
        "input_alts": own.text(ALT),
        "input_allele": pa.array(number.astype(np.int32)),
        "n_alts": pa.array(own.numbers[:, 1].astype(np.int32)),
        **{column.name: pa.array(tallies[owner, rule]) for rule, column in enumerate(CALLS_MISSING)},
        **encode(packed, context.n_samples),
    }
    return staging.staged_batch(columns, rows)


def _normalise(
    own: Records, slices: Offsets, kinds: npt.NDArray[np.int8], context: ParseContext
) -> tuple[npt.NDArray[np.int64], pa.Array, pa.Array]:
    """Normalised position, ref and alt of each allele row; single bases need nothing."""
    position = own.numbers[:, 0].copy()
    ref = pc.utf8_upper(own.text(REF))
    alt = staging.text_column(own.data, slices)
    explicit = kinds == EXPLICIT
    alt = pc.if_else(pa.array(explicit), pc.utf8_upper(alt), alt)
    single = (np.diff(own.fields[:, REF], axis=1)[:, 0] == 1) & (np.diff(slices, axis=1)[:, 0] == 1)
    rows = np.flatnonzero(explicit & ~single)
    if not len(rows):
        return position, ref, alt
    refs, alts = ref.to_pylist(), alt.to_pylist()
    for contig in dict.fromkeys(own.contigs[rows]):
        chosen = rows[own.contigs[rows] == contig]
        moved, new_refs, new_alts = normalise_alleles(
            contig,
            position[chosen],
            [refs[row].encode() for row in chosen],
            [alts[row].encode() for row in chosen],
            context.reference,
        )
        position[chosen] = moved
        for row, new_ref, new_alt in zip(chosen, new_refs, new_alts, strict=True):
            refs[row], alts[row] = new_ref.decode(), new_alt.decode()
    return position, pa.array(refs, pa.string()), pa.array(alts, pa.string())


def _rejected_batch(records: Records, context: ParseContext, ledger: Counter[str]) -> pa.RecordBatch:
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
