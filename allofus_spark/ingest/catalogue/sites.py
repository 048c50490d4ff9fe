"""Lines of a catalogue to alleles with their IDs; calls, where there are any, are not looked at."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.ingest.bytes import LineChunk, Split
from allofus_spark.ingest.catalogue.columns import SiteColumns
from allofus_spark.ingest.catalogue.table_lines import head_lines_in, table_lines
from allofus_spark.ingest.source import IngestJob, Rows, kind_of
from allofus_spark.ingest.vcf import staging
from allofus_spark.ingest.vcf.alternates import EXPLICIT, SYMBOLIC, split_alternates
from allofus_spark.ingest.vcf.header import VcfHeader
from allofus_spark.ingest.vcf.parse import normalised, rejected_batch
from allofus_spark.ingest.vcf.records import Lines, ParseContext, read_records
from allofus_spark.ingest.vcf.scan import FIXED_ONLY, ID, Reason

# Rows of one piece of a staged file: what is read at once when alleles are put together. Fewer where alleles
# are so long that they take more bytes.
PIECE_ROWS = 1 << 17
_PIECE_BYTES = 1 << 26


@dataclass(frozen=True)
class SiteRows:
    """Staged rows of the lines of a split; ``columns`` are those of the delimited files, by path."""

    columns: Mapping[str, SiteColumns]

    def __call__(
        self,
        job: IngestJob,
        split: Split,
        header: VcfHeader,
        chunks: Iterable[LineChunk],
        counters: Counter[str],
    ) -> Rows:
        """Sites and refused records, in pieces."""
        context = job.context(split.path, (), contig_lengths=header.contig_lengths)
        context = dataclasses.replace(context, n_columns=FIXED_ONLY)
        return in_pieces(
            rows for lines in self._lines(split, chunks) for rows in parse_sites(lines, context, counters)
        )

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


@dataclass
class _Piece:
    """Rows of one kind that have not been handed on yet."""

    batches: list[pa.RecordBatch] = dataclasses.field(default_factory=list)
    n_rows: int = 0
    n_bytes: int = 0

    def add(self, rows: pa.RecordBatch) -> None:
        self.batches.append(rows)
        self.n_rows += rows.num_rows
        self.n_bytes += rows.nbytes

    def taken(self) -> Rows:
        """All rows, `PIECE_ROWS` at the most in a batch."""
        rows = pa.concat_batches(self.batches)
        self.batches, self.n_rows, self.n_bytes = [], 0, 0
        for start in range(0, rows.num_rows, PIECE_ROWS):
            yield rows.slice(start, PIECE_ROWS)


def in_pieces(batches: Iterable[pa.RecordBatch]) -> Rows:
    """The same rows, those of a kind in batches of `PIECE_ROWS`, the last ones in what is left.

    However long the lines are that the rows were read from, so that pieces grow with rows alone.
    """
    pieces: dict[str, _Piece] = {}
    for batch in batches:
        piece = pieces.setdefault(kind_of(batch), _Piece())
        piece.add(batch)
        if piece.n_rows < PIECE_ROWS and piece.n_bytes < _PIECE_BYTES:
            continue
        is_long = piece.n_bytes >= _PIECE_BYTES
        for rows in piece.taken():
            if rows.num_rows == PIECE_ROWS or is_long:
                yield rows
            else:
                piece.add(rows)
    for piece in pieces.values():
        if piece.batches:
            yield from piece.taken()


def parse_sites(chunk: Lines, context: ParseContext, ledger: Counter[str]) -> Iterator[pa.RecordBatch]:
    """Staged rows of a buffer: a row each normalised allele of bases, then the refused records.

    Symbolic alleles and breakends are counted and left out: there is no normal form to compare them by. Adds
    to ``ledger`` what was read, kept and refused; raises as ``parse_chunk``.
    """
    records = read_records(chunk, context, ledger)
    n_records = len(records.reason)
    if not n_records:
        return
    first, slices, kinds = split_alternates(records.data, records.fields, records.numbers, records.reason)
    record = np.repeat(np.arange(n_records), np.diff(first))
    kept = np.flatnonzero(kinds == EXPLICIT)
    understood = records.reason == Reason.NONE
    has_allele = np.bincount(record[kept], minlength=n_records) > 0
    ledger["records_kept"] += int(has_allele.sum())
    ledger["records_without_alt"] += int((understood & ~has_allele).sum())
    ledger["alleles_read"] += len(kept)
    ledger["alleles_not_comparable"] += int((kinds == SYMBOLIC).sum())
    if len(kept):
        own = records.take(record[kept])
        position, ref, alt = normalised(own, slices[kept], kinds[kept], context)
        ids = own.text(ID)
        columns = {
            "row_kind": pa.repeat(staging.SITE, len(kept)),
            "contig": pa.array(own.contigs, pa.string()),
            "position": pa.array(position.astype(np.int32)),
            "ref": ref,
            "alt": alt,
            "input_id": pc.if_else(pc.equal(ids, "."), pa.scalar(None, pa.string()), ids),
        }
        yield staging.staged_batch(columns, len(kept))
    refused = np.flatnonzero(~understood)
    if len(refused):
        yield rejected_batch(records.take(refused), context, ledger)
