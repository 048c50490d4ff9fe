"""A Hail MatrixTable or VariantDataset as a source: Hail packs the calls, tasks read the packed rows.

Hail writes its rows to Parquet in the staging folder first, and tasks read that: a Python worker fed straight
from Hail never ends, as Hail closes a task's memory in the thread that opened it and Spark feeds workers from
another.
"""

from __future__ import annotations

import glob
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession

from allofus_spark.errors import BadSource
from allofus_spark.genotypes import packed_width, rows_that_fit
from allofus_spark.hadoop import hadoop_path, without_glob
from allofus_spark.ingest.files import java_errors
from allofus_spark.ingest.site_lines import site_lines
from allofus_spark.ingest.source import Account, IngestJob, Rows, accounted
from allofus_spark.ingest.vcf.call_readers import PackedCalls
from allofus_spark.ingest.vcf.parse import parse_chunk
from allofus_spark.tasks import numbers_in, task_numbers

MATRIX_TABLE, VDS = "MatrixTable", "VDS"
# A row is found again by the file that Hail wrote and its place in it.
_ROWS_A_FILE = 1 << 32


def hail_kind(spark: SparkSession, path: str) -> str | None:
    """MATRIX_TABLE or VDS where a folder is one, else None; raises BadSource for a Hail Table."""
    with java_errors(path, "cannot be listed"):
        file_system, folder = hadoop_path(spark, path)
        if not file_system.exists(folder) or not file_system.getFileStatus(folder).isDirectory():
            return None
        names = {item.getPath().getName() for item in file_system.listStatus(folder)}
    if {"reference_data", "variant_data"} <= names:
        return VDS
    if "metadata.json.gz" not in names:
        return None
    if "entries" not in names:
        raise BadSource(f"{path}: a Hail Table, which has no genotypes; give a MatrixTable or a VDS")
    return MATRIX_TABLE


@dataclass(frozen=True)
class HailInput:
    """A MatrixTable or VDS that was looked at. ``fields`` are the FORMAT fields that its calls give."""

    path: str
    kind: str
    samples: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def counts_high_quality(self) -> bool:
        """Whether GQ, DP and AD are there."""
        return {"GQ", "DP", "AD"} <= set(self.fields)


@dataclass(frozen=True)
class HailSource:
    """One MatrixTable or VDS. ``parts`` are the Parquet files that Hail wrote, None until ``prepared``."""

    data: HailInput
    fingerprint: str
    warnings: tuple[str, ...] = ()
    parts: tuple[str, ...] | None = None
    folder: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.data.path,)

    @property
    def samples(self) -> tuple[str, ...]:
        return self.data.samples

    @property
    def formats(self) -> frozenset[str]:
        return frozenset(self.data.fields)

    @property
    def n_tasks(self) -> int:
        return len(self.parts or ())

    def prepared(self, job: IngestJob, folder: str, local_folder: str | None) -> HailSource:
        """The source with its packed rows in ``folder``."""
        # Readers of the folder's staged rows pass over names that begin with an underscore.
        written = f"{folder}/_hail"
        # Imported here: Hail takes seconds that other sources and the workers would pay.
        from allofus_spark.ingest.hail_rows import write_packed_rows

        write_packed_rows(self.data, job, written)
        if local_folder is None:
            return replace(self, folder=written)
        parts = sorted(glob.glob(f"{glob.escape(local_folder)}/_hail/part-*.parquet"))
        return replace(self, parts=tuple(parts), folder=written)

    def frame(self, spark: SparkSession) -> DataFrame:
        """Task numbers, or the packed rows where tasks cannot open the files."""
        if self.parts is not None:
            return task_numbers(spark, self.n_tasks)
        return spark.read.parquet(without_glob(self.folder))

    def parse(self, job: IngestJob, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, Rows]]:
        """The rows of the files whose numbers, or of the packed rows that come in."""
        if self.parts is None:
            task = TaskContext.get()
            assert task is not None
            yield task.partitionId(), self._rows(job, task.partitionId(), batches)
            return
        # A row has the calls of all its alternates: few have more than eight.
        rows = max(1, rows_that_fit(len(self.samples), job.batch_bytes) // 8)
        for number in numbers_in(batches):
            yield number, self._rows(job, number, _read(self.parts[number], rows))

    def _rows(self, job: IngestJob, number: int, batches: Iterable[pa.RecordBatch]) -> Rows:
        def read(counters: Counter[str], account: Account) -> Rows:
            context = job.context(self.data.path, self.samples)
            n_rows = 0
            for batch in batches:
                lines = site_lines(_sites(batch), number * _ROWS_A_FILE + n_rows)
                calls = _packed_calls(batch, len(self.samples), self.data.counts_high_quality)
                n_rows += batch.num_rows
                yield from parse_chunk(lines, context, counters, calls)
            account["n_rows"] = n_rows

        return accounted(number, self.data.path, read)

    def check(self, accounts: Sequence[Account]) -> None:
        """Every row that Hail wrote was read as a record."""
        given = sum(account["n_rows"] for account in accounts)
        if self.parts is not None:
            given = sum(pq.read_metadata(part).num_rows for part in self.parts)
        read = sum(account["counters"].get("records_read", 0) for account in accounts)
        if given != read:
            raise BadSource(
                f"{self.data.path}: Hail gave {given} rows, of which {read} were read as records; nothing "
                "was written. This is a defect: report it."
            )


def _read(path: str, rows: int) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(rows)


def _sites(batch: pa.RecordBatch) -> pa.Table:
    """The site columns, QUAL as the shortest text that is the same number."""
    rows = pa.Table.from_batches([batch])
    place = rows.column_names.index("qual")
    return rows.set_column(place, "qual", pc.coalesce(rows["qual"].cast(pa.string()), "."))


def _packed_calls(batch: pa.RecordBatch, n_samples: int, counts_high_quality: bool) -> PackedCalls:
    """Calls of rows from Hail: 64-bit words of 32 calls, for each alternate after the other."""
    n_words = -(-n_samples // 32)
    lengths = np.asarray(pc.list_value_length(batch.column("words")), np.int64) // max(n_words, 1)
    haploid = _unpacked_words(batch.column("haploid"), n_words, n_samples)
    is_haploid = np.asarray(pc.list_value_length(batch.column("haploid"))) > 0
    tallies = np.asarray(batch.column("tallies").flatten(), np.int32).reshape(batch.num_rows, -1)
    return PackedCalls(
        _unpacked_words(batch.column("words"), n_words, n_samples),
        lengths,
        np.zeros(batch.num_rows, np.int8),
        haploid,
        np.where(is_haploid, np.cumsum(is_haploid) - 1, -1),
        tallies,
        np.asarray(batch.column("high_quality"), np.int32) if counts_high_quality else None,
    )


def _unpacked_words(column: pa.Array, n_words: int, n_samples: int) -> np.ndarray:
    """uint8[rows, ceil(n / 4)] of list<int64>."""
    words = np.ascontiguousarray(column.flatten(), "<i8").reshape(-1, max(n_words, 1))
    return np.ascontiguousarray(words.view(np.uint8)[:, : packed_width(n_samples)])


def hail_fingerprint(spark: SparkSession, path: str) -> str:
    """SHA-256 over the names and sizes of all files, whose names Hail makes anew with each write."""
    found = []
    with java_errors(path, "cannot be listed"):
        file_system, folder = hadoop_path(spark, path)
        files = file_system.listFiles(folder, True)
        while files.hasNext():
            item = files.next()
            found.append(f"{item.getPath().getName()}\t{item.getLen()}\n")
    return hashlib.sha256("".join(sorted(found)).encode()).hexdigest()
