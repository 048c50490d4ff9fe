"""What a Spark task does with its byte range: lines, rows, and an account of both.

Local and mounted files are opened by the tasks themselves, each reading its own range. For other file systems
Spark's executors read the raw bytes, whole files one after the other, and hand them to the same code.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.errors import AllofusError, BadSource
from allofus_spark.genome import Build, ReferenceSequence
from allofus_spark.ingest.bytes import ByteStream, Split, SplitReader
from allofus_spark.ingest.order import Stretch
from allofus_spark.ingest.vcf import staging
from allofus_spark.ingest.vcf.header import VcfHeader
from allofus_spark.ingest.vcf.parse import ParseContext, parse_chunk


@dataclass(frozen=True)
class ParseJob:
    """What all tasks of an ingest share. ``sex`` follows ``samples``."""

    splits: tuple[Split, ...]
    headers: Mapping[str, VcfHeader]
    samples: tuple[str, ...]
    sex: npt.NDArray[np.int8]
    build: Build
    reference: ReferenceSequence | None
    max_alts: int
    chunk_bytes: int
    batch_bytes: int
    max_line_bytes: int

    def context(self, path: str) -> ParseContext:
        """What parsing a file needs."""
        header = self.headers[path]
        order = None
        sex = self.sex
        if header.samples != self.samples:
            place = {sample: column for column, sample in enumerate(header.samples)}
            order = np.array([place[sample] for sample in self.samples], np.int64)
            sex = np.empty_like(self.sex)
            sex[order] = self.sex
        return ParseContext(
            path=path,
            build=self.build,
            column_line=header.column_line,
            n_columns=header.n_columns,
            sex=sex,
            order=order,
            contig_lengths=header.contig_lengths,
            max_alts=self.max_alts,
            batch_bytes=self.batch_bytes,
            reference=self.reference,
        )


def stage_ranges(job: ParseJob, folder: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Parse the splits whose numbers come in, each into a file of staged rows; their ledgers."""
    for batch in batches:
        for number in batch.column(0).to_pylist():
            with staging.write_staged(staging.staged_path(folder, number)) as file:
                for rows in _parse_range(job, number):
                    if _kind(rows) == staging.LEDGER:
                        yield rows.select(["ledger"])
                    else:
                        file.write_batch(rows)


def parse_ranges(job: ParseJob, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Staged rows of the splits whose numbers come in; for files that a task can open."""
    for batch in batches:
        for number in batch.column(0).to_pylist():
            yield from _parse_range(job, number)


def _parse_range(job: ParseJob, number: int) -> Iterator[pa.RecordBatch]:
    split = job.splits[number]
    try:
        with open(split.path, "rb") as stream:
            yield from _parse_split(job, split, stream)
    except OSError as error:
        yield _ledger_row(split, error=BadSource(f"{split.path}: cannot be read: {error}"))


def _kind(rows: pa.RecordBatch) -> str:
    """All rows of a batch are of one kind."""
    return str(rows.column("row_kind")[0].as_py())


def parse_streams(job: ParseJob, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Staged rows of files whose raw bytes come in, cut at newlines, as (path, bytes) in order."""
    splits = {split.path: split for split in job.splits}
    pieces = (
        (path, piece)
        for batch in batches
        for path, piece in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)
    )
    for path, lines in itertools.groupby(pieces, key=lambda item: item[0]):
        split = splits[path]
        yield from _parse_split(job, split, RejoinedLines((piece for _, piece in lines), split.size))


def _parse_split(job: ParseJob, split: Split, stream: ByteStream | BinaryIO) -> Iterator[pa.RecordBatch]:
    """Rows of one split, then its ledger; an unusable file becomes a ledger row with the error."""
    ledger: Counter[str] = Counter()
    stretch = Stretch()
    try:
        reader = SplitReader(stream, split, chunk_bytes=job.chunk_bytes, max_line_bytes=job.max_line_bytes)
        context = job.context(split.path)
        for chunk in reader:
            for batch in parse_chunk(chunk, context, ledger):
                if _kind(batch) == staging.ALLELE:
                    stretch.add(batch)
                yield batch
        report = dataclasses.asdict(reader.report)
        yield _ledger_row(split, report=report, counters=dict(ledger), **dataclasses.asdict(stretch))
    except AllofusError as error:
        yield _ledger_row(split, error=error)


def _ledger_row(split: Split, *, error: AllofusError | None = None, **account: object) -> pa.RecordBatch:
    if error is not None:
        account |= {"error": type(error).__name__, "message": str(error)}
    text = json.dumps({"path": split.path, "start": split.start, **account})
    columns = {"row_kind": pa.array([staging.LEDGER]), "ledger": pa.array([text])}
    return staging.staged_batch(columns, 1)


class RejoinedLines:
    """A forward-only stream of a file from the pieces between its newlines.

    Whether the file ends in a newline shows in its ``size`` only. A file that has grown since gives more
    bytes than ``size``, as a stream of the file itself would, so that the reader refuses it.
    """

    def __init__(self, pieces: Iterator[bytes], size: int) -> None:
        self._pieces = pieces
        self._size = size
        self._given = 0
        self._begun = False
        self._buffer = bytearray()

    def read(self, size: int, /) -> bytes:
        while len(self._buffer) < size:
            piece = next(self._pieces, None)
            if piece is None:
                if self._given == self._size - 1:
                    self._add(b"\n")
                break
            self._add(b"\n" + piece if self._begun else piece)
            self._begun = True
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _add(self, data: bytes) -> None:
        self._buffer += data
        self._given += len(data)

    def seek(self, offset: int, /) -> int:
        raise OSError(f"this stream only goes forward; it cannot seek to {offset}")
