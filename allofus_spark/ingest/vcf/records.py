"""The fixed columns of records: found in a buffer of lines, and held against the build and the FASTA."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.errors import BadSource
from allofus_spark.genome import Build, ReferenceSequence, reference_mismatches
from allofus_spark.ingest.vcf import staging
from allofus_spark.ingest.vcf.header import declared_contigs
from allofus_spark.ingest.vcf.scan import (
    CHROM,
    FIXED_ONLY,
    POSITION,
    QUAL,
    REF,
    Bytes,
    Offsets,
    Reason,
    scan_records,
)

# A decimal number, infinity or NaN, as the VCF specification allows.
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?(?i:inf|infinity|nan)$"


class Lines(Protocol):
    """A buffer of whole lines; ``locate`` says where in the source each begins."""

    @property
    def data(self) -> Bytes: ...

    @property
    def line_starts(self) -> Offsets: ...

    def locate(self, line_starts: Offsets, /) -> Offsets: ...


@dataclass(frozen=True)
class ParseContext:
    """What a task must know about its file and callset.

    ``sex`` follows the file's sample columns; ``order[i]`` is the column of the callset's sample i, None
    where both orders agree. ``rules`` are the genotype filters and those of a high-quality call. With
    ``n_columns`` FIXED_ONLY nothing after the fixed columns is looked at.
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
    rules: npt.NDArray[np.float64]
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
    """The records of one buffer, struct of arrays; ``reason`` is 0 where a record is understood so far.

    ``line`` is the number of the record's line in the buffer.
    """

    data: Bytes
    line: npt.NDArray[np.int64]
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
            self.line[rows],
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


def read_records(chunk: Lines, context: ParseContext, ledger: Counter[str]) -> Records:
    """The records among the lines, their fixed columns judged; counts the lines of each kind.

    Raises as ``parse_chunk``.
    """
    starts = chunk.line_starts
    kind, reason, fields, calls, numbers = scan_records(
        chunk.data, starts, context.n_columns, context.max_alts
    )
    _check_header_lines(chunk.data, starts, kind, context)
    rows = np.flatnonzero(kind == 0)
    ledger["lines_header"] += int((kind == 1).sum())
    ledger["lines_blank"] += int((kind == 2).sum())
    ledger["records_read"] += len(rows)
    if len(rows) < len(kind):
        fields, calls, numbers, reason = fields[rows], calls[rows], numbers[rows], reason[rows]
    records = Records(
        chunk.data,
        rows,
        fields,
        calls,
        numbers,
        reason,
        chunk.locate(starts[:-1][rows]),
        np.empty(len(rows), object),
        np.zeros(len(rows), np.int8),
        pa.nulls(len(rows), pa.float64()),
    )
    records.qual = _read_qual(records)
    _judge_positions(records, context)
    return records


def _check_header_lines(
    data: Bytes, starts: Offsets, kind: npt.NDArray[np.int8], context: ParseContext
) -> None:
    """Joined files repeat the header; their columns must be the same, and their contigs of the build."""
    lines = [
        data[starts[line] : starts[line + 1]].tobytes().rstrip(b"\r\n") for line in np.flatnonzero(kind == 1)
    ]
    counted = len(context.column_line) if context.n_columns == FIXED_ONLY else None
    if any(line.startswith(b"#CHROM") and line[:counted] != context.column_line for line in lines):
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
    positions = records.numbers[:, POSITION]
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
