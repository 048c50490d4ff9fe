"""Which files of each table are to be laid anew, and which can be removed.

A file is small where its rows take less than half of ``ingest.target_file_bytes`` in memory, as Arrow: that
is what our writer closes files by, and what a task holds of one. The small files of a partition, in the order
of their rows, are put together as long as they fit the target. A group is closed only where the next file
would not fit, so it holds more than half of the target and is small no more; only the last one can be. So a
partition whose rows take b bytes has at most 2·b / target + 1 files afterwards, and a second run finds
nothing.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from allofus_spark.tables import Table, Warehouse
from allofus_spark.tables.delta_log import commits_since_checkpoint
from allofus_spark.tables.stored_files import LyingFile, StoredFile, needless_files, stored_files

# Rows of a file that tell how many bytes a row of its partition takes.
_ROWS_LOOKED_AT = 256


@dataclass(frozen=True)
class Group:
    """Small files of one partition that become one, and about how many bytes their rows take in memory."""

    files: Sequence[StoredFile]
    bytes: int
    rows_per_batch: int


@dataclass(frozen=True)
class TablePlan:
    """What maintenance does to one table.

    ``groups`` are laid anew, a file each. ``needless`` files are removed. ``needs_checkpoint``: its log has
    grown since the last one.
    """

    table: Table
    files: Sequence[StoredFile]
    groups: Sequence[Group]
    needless: Sequence[LyingFile]
    needs_checkpoint: bool

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def n_files_after(self) -> int:
        return len(self.files) - sum(len(group.files) - 1 for group in self.groups)

    @property
    def bytes_laid_anew(self) -> int:
        return sum(file.bytes for group in self.groups for file in group.files)

    @property
    def bytes_removed(self) -> int:
        return sum(file.bytes for file in self.needless)


def plan_maintenance(warehouse: Warehouse, *, now: dt.datetime | None = None) -> list[TablePlan]:
    """What there is to do for every table that exists, those that record the runs last; changes nothing.

    ``now`` is the time that files' ages are counted to; None: the clock's.
    """
    settings = warehouse.settings.maintenance
    before = (now or dt.datetime.now(dt.timezone.utc)) - dt.timedelta(hours=settings.retention_hours)
    before_ms = int(before.timestamp() * 1000)
    return [_plan(warehouse, table, before_ms) for table in warehouse.existing()]


def _plan(warehouse: Warehouse, table: Table, before_ms: int) -> TablePlan:
    files = stored_files(warehouse, table)
    commits = commits_since_checkpoint(warehouse.spark, warehouse.path(table))
    return TablePlan(
        table,
        files,
        list(_groups(warehouse, table, files)),
        needless_files(warehouse, table, files, before_ms),
        commits >= warehouse.settings.maintenance.commits_per_checkpoint,
    )


def _groups(warehouse: Warehouse, table: Table, files: Sequence[StoredFile]) -> Iterator[Group]:
    """What to put together; a file whose statistics are missing is laid anew alone, to get them."""
    target = warehouse.settings.ingest.target_file_bytes
    for _, partition in itertools.groupby(files, key=lambda file: file.partition):
        own = list(partition)
        lacking = [file for file in own if file.rows is None]
        told = [file for file in own if file.rows is not None]
        if lacking or len(told) > 1:
            row_bytes = _row_bytes(warehouse, table, own)
            per_batch = max(1, int(warehouse.settings.ingest.batch_bytes // max(row_bytes, 1.0)))
            sizes = [_bytes_in_memory(file, row_bytes) for file in told]
            for group in pack(sizes, target):
                chosen = [told[place] for place in group]
                yield Group(chosen, sum(sizes[place] for place in group), per_batch)
            for file in lacking:
                yield Group([file], file.bytes, per_batch)


def pack(sizes: Sequence[int], target: int) -> list[list[int]]:
    """Places of the sizes under half of ``target``, in order, in groups of two or more that fit it.

    >>> pack([10, 60, 30, 45, 20, 20], 100)
    [[0, 2, 3], [4, 5]]
    """
    groups: list[list[int]] = []
    held = 0
    for place, size in enumerate(sizes):
        if 2 * size >= target:
            continue
        if not groups or held + size > target:
            groups.append([])
            held = 0
        groups[-1].append(place)
        held += size
    return [group for group in groups if len(group) > 1]


def _bytes_in_memory(file: StoredFile, row_bytes: float) -> int:
    """Bytes of a file's rows as Arrow; its stored bytes where rows are not looked at."""
    return int(row_bytes * file.rows) if row_bytes and file.rows is not None else file.bytes


def _row_bytes(warehouse: Warehouse, table: Table, files: Iterable[StoredFile]) -> float:
    """Bytes of a row as Arrow, of the partition's largest file; 0 where the driver cannot open it."""
    if warehouse.local_root is None:
        return 0.0
    largest = max(files, key=lambda file: file.bytes)
    # A task holds the columns of the partition too: text, each value with its end in four bytes.
    of_partition = sum(4 + len((value or "").encode()) for value in largest.partition.values())
    with pq.ParquetFile(f"{warehouse.local_path(table)}/{largest.name}") as file:
        batch = next(file.iter_batches(_ROWS_LOOKED_AT), None)
    return of_partition + (batch.nbytes / batch.num_rows if batch is not None and batch.num_rows else 0.0)
