"""What every kind of source has in common: tasks that turn it into staged rows, and account for them."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from allofus_spark.errors import AllofusError
from allofus_spark.genome import Build, ReferenceSequence
from allofus_spark.ingest.filters import HIGH_QUALITY, GenotypeFilters
from allofus_spark.ingest.order import Stretch, extents
from allofus_spark.ingest.vcf import staging
from allofus_spark.ingest.vcf.records import ParseContext

# The column line of sources that have the fixed columns alone.
SITES_COLUMNS = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"

Rows = Iterator[pa.RecordBatch]
Account = dict[str, Any]


@dataclass(frozen=True)
class IngestJob:
    """What all tasks of an ingest share; goes to the workers by pickle. ``sex`` follows ``samples``."""

    samples: tuple[str, ...]
    sex: npt.NDArray[np.int8]
    build: Build
    reference: ReferenceSequence | None
    filters: GenotypeFilters
    max_alts: int
    chunk_bytes: int
    batch_bytes: int
    max_line_bytes: int

    def context(
        self,
        path: str,
        samples: tuple[str, ...],
        *,
        column_line: bytes = SITES_COLUMNS,
        contig_lengths: Mapping[str, int | None] | None = None,
    ) -> ParseContext:
        """What parsing a file needs whose ``samples`` can stand in another order than the callset's."""
        order = None
        sex = self.sex
        if samples != self.samples:
            place = {sample: column for column, sample in enumerate(samples)}
            order = np.array([place[sample] for sample in self.samples], np.int64)
            sex = np.empty_like(self.sex)
            sex[order] = self.sex
        return ParseContext(
            path=path,
            build=self.build,
            column_line=column_line,
            n_columns=column_line.count(b"\t") + 1,
            sex=sex,
            order=order,
            contig_lengths=contig_lengths or {},
            max_alts=self.max_alts,
            batch_bytes=self.batch_bytes,
            reference=self.reference,
            rules=np.stack([self.filters.as_array(), HIGH_QUALITY.as_array()]),
        )


class Source(Protocol):
    """A callset's files, and how tasks read them; goes to the workers by pickle.

    ``samples`` are the callset's, in its order; ``formats`` the FORMAT fields that every file gives, None
    where it cannot be told. ``n_tasks`` tasks read it, numbered in the order of the files.
    """

    @property
    def paths(self) -> tuple[str, ...]: ...

    @property
    def samples(self) -> tuple[str, ...]: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def warnings(self) -> tuple[str, ...]: ...

    @property
    def formats(self) -> frozenset[str]: ...

    @property
    def n_tasks(self) -> int: ...

    def prepared(self, job: IngestJob, folder: str, local_folder: str | None, /) -> Source:
        """The source made ready for its tasks, with what it needs put into the staging folder.

        ``local_folder`` is the same folder as a path, None where tasks cannot open it.
        """
        ...

    def frame(self, spark: SparkSession, /) -> DataFrame:
        """What tasks are given."""
        ...

    def parse(self, job: IngestJob, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, Rows]]:
        """(number, staged rows and then one ledger row) of each task in a partition of the frame."""
        ...

    def check(self, accounts: Sequence[Account]) -> None:
        """Raise BadSource unless the tasks' accounts, one a task in order, cover the source exactly."""
        ...


def accounted(number: int, path: str, read: Callable[[Counter[str], Account], Rows]) -> Rows:
    """The rows that ``read`` gives, then a ledger row; an unusable file becomes a ledger row with the error.

    ``read`` counts records in the counter and can add to the account, which tells too where the rows lie:
    alleles as a `Stretch`, sites as ``pieces`` of (batch, contig, first and last position, rows).
    """
    counters: Counter[str] = Counter()
    account: Account = {"task": number, "path": path}
    stretch = Stretch()
    pieces: list[tuple[int, str, int, int, int]] = []
    try:
        for place, batch in enumerate(read(counters, account)):
            kind = kind_of(batch)
            if kind == staging.ALLELE:
                stretch.add(batch)
            elif kind == staging.SITE:
                pieces += [(place, *extent) for extent in extents(batch)]
            yield batch
        account |= {"counters": dict(counters), **dataclasses.asdict(stretch), "pieces": pieces}
    except AllofusError as error:
        account |= {"error": type(error).__name__, "message": str(error)}
    columns = {"row_kind": pa.array([staging.LEDGER]), "ledger": pa.array([json.dumps(account)])}
    yield staging.staged_batch(columns, 1)


def kind_of(rows: pa.RecordBatch) -> str:
    """The kind of a batch's rows, which is one."""
    return str(rows.column("row_kind")[0].as_py())


def stage_tasks(source: Source, job: IngestJob, folder: str, batches: Iterable[pa.RecordBatch]) -> Rows:
    """Write each task's rows to its file in ``folder``; the ledgers."""
    for number, task_rows in source.parse(job, batches):
        with staging.write_staged(staging.staged_path(folder, number)) as file:
            for rows in task_rows:
                if kind_of(rows) == staging.LEDGER:
                    yield rows.select(["ledger"])
                else:
                    file.write_batch(rows)


def parse_tasks(source: Source, job: IngestJob, batches: Iterable[pa.RecordBatch]) -> Rows:
    """All staged rows of the tasks in a partition, ledgers included."""
    for _, task_rows in source.parse(job, batches):
        yield from task_rows
