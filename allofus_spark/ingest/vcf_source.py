"""VCF shards as a source: tasks read byte ranges of them.

Local and mounted files are opened by the tasks themselves, each reading its own range. For other file systems
Spark's executors read the raw bytes, whole files one after the other, and hand them to the same code.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial, reduce
from typing import BinaryIO
from urllib.parse import unquote

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource
from allofus_spark.hadoop import without_glob
from allofus_spark.ingest.bytes import ByteStream, LineChunk, Split, SplitReader, SplitReport, check_reports
from allofus_spark.ingest.files import SourceFile
from allofus_spark.ingest.source import Account, IngestJob, Rows, accounted
from allofus_spark.ingest.vcf.header import VcfHeader
from allofus_spark.ingest.vcf.parse import parse_chunk
from allofus_spark.tasks import numbers_in, task_numbers

_PASSTHROUGH = "org.apache.hadoop.io.compress.PassthroughCodec"
# Hadoop's key, and what it becomes in the shaded client that PySpark ships.
_PASSTHROUGH_EXTENSIONS = (
    "io.compress.passthrough.extension",
    "org.apache.hadoop.shaded.io.compress.passthrough.extension",
)

RowsOf = Callable[[IngestJob, Split, VcfHeader, Iterable[LineChunk], Counter[str]], Rows]
"""Staged rows of a split, given the header of its file and its lines; counts the records."""


def rows_with_calls(
    job: IngestJob, split: Split, header: VcfHeader, chunks: Iterable[LineChunk], counters: Counter[str]
) -> Rows:
    """Alleles with the calls of the callset's samples."""
    context = job.context(
        split.path, header.samples, column_line=header.column_line, contig_lengths=header.contig_lengths
    )
    for chunk in chunks:
        yield from parse_chunk(chunk, context, counters)


@dataclass(frozen=True)
class VcfSource:
    """Files that agree on build, and on samples where calls are read, and the splits to read.

    ``rows_of`` makes staged rows of the lines of a split; it goes to the workers by pickle.
    """

    files: tuple[SourceFile, ...]
    headers: Mapping[str, VcfHeader]
    splits: tuple[Split, ...]
    fingerprint: str
    warnings: tuple[str, ...]
    rows_of: RowsOf

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(file.path for file in self.files)

    @property
    def samples(self) -> tuple[str, ...]:
        return self.headers[self.files[0].path].samples

    @property
    def formats(self) -> frozenset[str]:
        return frozenset.intersection(*(header.formats for header in self.headers.values()))

    @property
    def n_tasks(self) -> int:
        return len(self.splits)

    @property
    def _local(self) -> bool:
        return self.files[0].local is not None

    def prepared(self, *_: object) -> VcfSource:
        """Itself: files are read as they are."""
        return self

    def frame(self, spark: SparkSession) -> DataFrame:
        """Task numbers; of files that tasks cannot open, one task a file with its raw bytes."""
        if self._local:
            return task_numbers(spark, self.n_tasks)
        by_ending: dict[str, list[str]] = defaultdict(list)
        for file in self.files:
            by_ending[_ending(file)].append(file.uri)
        return reduce(
            DataFrame.unionAll, [_raw_bytes(spark, ending, uris) for ending, uris in by_ending.items()]
        )

    def parse(self, job: IngestJob, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, Rows]]:
        """The rows of the splits whose numbers, or of the files whose bytes come in."""
        if self._local:
            for number in numbers_in(batches):
                split = self.splits[number]
                yield number, self._rows(job, number, partial(open, split.path, "rb"))
            return
        numbers = {split.path: number for number, split in enumerate(self.splits)}
        pieces = (
            (path, piece)
            for batch in batches
            for path, piece in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)
        )
        for path, lines in itertools.groupby(pieces, key=lambda item: item[0]):
            # Spark gives a path as a URI, in which some characters are escaped.
            number = numbers[path if path in numbers else unquote(path)]
            stream = RejoinedLines((piece for _, piece in lines), self.splits[number].size)
            yield number, self._rows(job, number, partial(nullcontext, stream))

    def _rows(
        self,
        job: IngestJob,
        number: int,
        open_file: partial[AbstractContextManager[BinaryIO | ByteStream]],
    ) -> Rows:
        split = self.splits[number]

        def read(counters: Counter[str], account: Account) -> Rows:
            try:
                with open_file() as stream:
                    reader = SplitReader(
                        stream, split, chunk_bytes=job.chunk_bytes, max_line_bytes=job.max_line_bytes
                    )
                    yield from self.rows_of(job, split, self.headers[split.path], reader, counters)
            except OSError as error:
                raise BadSource(f"{split.path}: cannot be read: {error}") from None
            account["report"] = dataclasses.asdict(reader.report)

        return accounted(number, split.path, read)

    def check(self, accounts: Sequence[Account]) -> None:
        """Hold the bytes that were read against each file."""
        reports: dict[str, list[SplitReport]] = defaultdict(list)
        for account in accounts:
            reports[account["path"]].append(SplitReport(**account["report"]))
        kinds = {split.path: split.kind for split in self.splits}
        for file in self.files:
            check_reports(reports[file.path], kinds[file.path], file.size)


def _ending(file: SourceFile) -> str:
    name = file.uri.rsplit("/", 1)[-1]
    return name[name.rindex(".") :] if "." in name else name


def _raw_bytes(spark: SparkSession, ending: str, uris: list[str]) -> DataFrame:
    """(path, bytes between newlines) of files with one ending as they are stored: no codec, no split."""
    reader = spark.read.option("lineSep", "\n").option("io.compression.codecs", _PASSTHROUGH)
    for key in _PASSTHROUGH_EXTENSIONS:
        reader = reader.option(key, ending)
    value = F.col("value").cast("binary").alias("value")
    return reader.text([without_glob(uri) for uri in uris]).select(F.col("_metadata.file_path"), value)


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
