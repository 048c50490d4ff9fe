"""Data files of a Delta table from Arrow batches, written by tasks or by the driver through pyarrow.

Spark's writer takes every value out of Arrow into a row and out of the row into Parquet. Rows that are Arrow
batches already are written here at a fraction of that cost, held against the table's contract on the way. A
file belongs to a table only when a commit names it; one that no commit names is removed by VACUUM.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allofus_spark.arrow import decoded, runs_of, select, value_type, values_in
from allofus_spark.errors import ContractViolation
from allofus_spark.tables.file_columns import bounds_of, in_order, repeating

# Narrow rows in one row group: about 2 MiB, the least that a look-up by position reads.
_ROWS_OF_GROUP = 128 * 1024


@dataclass(frozen=True)
class FileLayout:
    """How files of one table are made; goes to the workers by pickle.

    ``order`` names the columns that rows of a file are sorted by, ``statistics`` those with minimum and
    maximum in the log. ``checks`` are SQL conditions by name. A file is closed at ``target_bytes`` of Arrow
    data, which a task holds in memory until then. Names of files begin with ``prefix``.
    """

    table: str
    folder: str
    schema: pa.Schema
    partition_by: tuple[str, ...]
    order: tuple[str, ...]
    statistics: tuple[str, ...]
    checks: Mapping[str, str]
    target_bytes: int
    prefix: str = "part"


@dataclass(frozen=True)
class DataFile:
    """A written file: its rows, and the ``add`` action of Delta's log as JSON."""

    table: str
    rows: int
    action: str

    @property
    def name(self) -> str:
        """Its path in the table's folder."""
        return str(json.loads(self.action)["add"]["path"])


class FileSink:
    """Takes batches of one table, and gives a `DataFile` for each file that it has closed.

    A column of text may come as a dictionary, which is written as it is, at a fraction of the cost.

    Rows of a partition that come together go into one file; a partition that comes again gets another one.
    Raises ContractViolation where a batch has other columns, a null that the contract forbids, or a row that
    fails a check.
    """

    def __init__(self, layout: FileLayout) -> None:
        self._layout = layout
        self._name = f"{layout.prefix}-{uuid.uuid4()}"
        self._closed = 0
        self._partition: tuple[object, ...] = ()
        self._held: list[pa.RecordBatch] = []
        self._bytes = 0

    def add(self, batch: pa.RecordBatch) -> Iterator[DataFile]:
        """Take a batch; gives the files that it completes."""
        self._judge(batch)
        for partition, rows in _by_partition(batch, self._layout.partition_by):
            if self._held and partition != self._partition:
                yield self._close()
            self._partition = partition
            self._held.append(rows)
            self._bytes += rows.nbytes
            if self._bytes >= self._layout.target_bytes:
                yield self._close()

    def finish(self) -> Iterator[DataFile]:
        """The last file, where rows are left."""
        if self._held:
            yield self._close()

    def _judge(self, batch: pa.RecordBatch) -> None:
        layout = self._layout
        given = [(item.name, value_type(item.type)) for item in batch.schema]
        if given != [(item.name, item.type) for item in layout.schema]:
            raise ContractViolation(
                f"{layout.table}: rows do not fit the table, readers keep the snapshot before: they have "
                f"{_shown_schema(batch.schema)}, the table has {_shown_schema(layout.schema)}"
            )
        problems = [
            f"column {item.name} must not be null, but is in {batch.column(item.name).null_count} rows"
            for item in layout.schema
            if not item.nullable and batch.column(item.name).null_count
        ]
        problems += [
            f"column {name} must not be empty text, which a partition gives back as null"
            for name in layout.partition_by
            if pa.types.is_string(value_type(batch.column(name).type))
            if pc.any(pc.equal(values_in(batch.column(name)), "")).as_py()
        ]
        problems += [
            f"{count} rows fail the check {name} ({layout.checks[name]})"
            for name, count in self._failed_checks(batch).items()
        ]
        if problems:
            raise ContractViolation(
                f"{layout.table}: refused, readers keep the snapshot before: {'; '.join(problems)}"
            )

    def _failed_checks(self, batch: pa.RecordBatch) -> dict[str, int]:
        """Rows that fail each check; a condition that is null fails, as Delta has it."""
        checks = self._layout.checks
        if not checks or not batch.num_rows:
            return {}
        failed = ", ".join(f"count(*) FILTER (({condition}) IS NOT TRUE)" for condition in checks.values())
        (counts,) = select(failed, pa.Table.from_batches([batch]))
        return {name: count for name, count in zip(checks, counts, strict=True) if count}

    def _close(self) -> DataFile:
        layout = self._layout
        order = tuple(name for name in layout.order if name not in layout.partition_by)
        rows = in_order(pa.Table.from_batches(self._held).unify_dictionaries(), order)
        partition = dict(zip(layout.partition_by, self._partition, strict=True))
        self._held, self._bytes = [], 0
        stored = rows.drop_columns(list(layout.partition_by))
        name = f"{self._name}-{self._closed:05d}.zstd.parquet"
        self._closed += 1
        path = f"{layout.folder}/{name}"
        is_narrow = not any(pa.types.is_binary(item.type) for item in stored.schema)
        pq.write_table(
            stored,
            path,
            compression="zstd",
            use_dictionary=repeating(stored),
            store_schema=False,
            row_group_size=_ROWS_OF_GROUP if is_narrow else None,
        )
        action = {
            "path": name,
            "partitionValues": {
                column: None if value is None else str(value) for column, value in partition.items()
            },
            "size": os.path.getsize(path),
            "modificationTime": int(time.time() * 1000),
            "dataChange": True,
            "stats": json.dumps(bounds_of(stored, layout.statistics)),
        }
        return DataFile(layout.table, rows.num_rows, json.dumps({"add": action}))


def _by_partition(
    batch: pa.RecordBatch, partition_by: tuple[str, ...]
) -> Iterator[tuple[tuple[object, ...], pa.RecordBatch]]:
    """Slices of a batch with their partition values; a partition that is torn apart is put together."""
    if not batch.num_rows:
        return
    if not partition_by:
        yield (), batch
        return
    runs = list(runs_of(batch, partition_by))
    if len({partition for partition, _ in runs}) < len(runs):
        batch = decoded(batch, partition_by).sort_by([(name, "ascending") for name in partition_by])
        runs = list(runs_of(batch, partition_by))
    yield from runs


def _shown_schema(schema: pa.Schema) -> str:
    return ", ".join(f"{item.name} {item.type}" for item in schema)
