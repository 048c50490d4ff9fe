"""One run of a job: what it read, what it wrote, how long it took, and the snapshot that it leaves.

``with start_run(warehouse, "ingest_genotypes") as run`` starts from the newest snapshot (what an unfinished
run left behind is undone), reads live tables through ``run.read`` and writes through ``run.write``. When the
block ends well, ``pipeline_runs`` gets one row a write and ``snapshots`` one consistent set of versions; when
it fails, one row says why and readers keep the snapshot before.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from pyspark.sql import DataFrame, Row

from allofus_spark import __version__
from allofus_spark.tables.contract import Table
from allofus_spark.tables.run_tables import PIPELINE_RUNS, SNAPSHOTS, SourceRecords
from allofus_spark.tables.warehouse import Warehouse
from allofus_spark.tables.writer import commit, prepare
from allofus_spark.tables.writes import ArrowWrite, FilesWrite, RowsWrite, Write, Written

_log = logging.getLogger(__name__)
_MESSAGE_CHARACTERS = 4000


class Run:
    """The reads, writes and counters of one job."""

    def __init__(self, warehouse: Warehouse, stage: str) -> None:
        self.warehouse = warehouse
        self.stage = stage
        self.run_id = uuid.uuid4().hex
        self.started_at = dt.datetime.now(dt.timezone.utc)
        self.inputs: dict[str, int] = {}
        self.written: list[tuple[Written, float]] = []
        self.counters: Counter[str] = Counter()
        self.sources: Sequence[SourceRecords] = ()
        self._snapshot: dict[str, int] = {}

    def begin(self) -> None:
        """Start from the newest snapshot: undo what a run that failed or was killed left in the tables."""
        self._snapshot = self.warehouse.snapshot()
        undone = self.warehouse.undo_unfinished(self._snapshot)
        if undone:
            self.progress(f"undid what an unfinished run had written to {', '.join(undone)}")
        self._snapshot |= undone

    def read(self, table: Table) -> DataFrame:
        """Rows of the live table, its version noted as an input."""
        state = self.warehouse.state(table)
        if state is not None:
            self.inputs[table.name] = state.version
        return self.warehouse.live(table)

    def rows(self, table: Table) -> list[Row]:
        """All rows of a small live table, its version noted as an input."""
        state = self.warehouse.state(table)
        if state is not None:
            self.inputs[table.name] = state.version
        return self.warehouse.rows(table)

    def write(self, *writes: Write | ArrowWrite | RowsWrite) -> list[Written]:
        """Commit one Delta version a table; commits are made at the same time."""
        if not writes:
            return []
        begun = time.monotonic()
        tables = [table.name for write in writes for table in write.tables]
        self.progress(f"writing {', '.join(tables)}")
        commits = [part for write in writes for part in prepare(self.warehouse, write)]
        with ThreadPoolExecutor(max_workers=len(commits)) as pool:
            futures = [pool.submit(self._commit, part, begun) for part in commits]
        return [future.result() for future in futures]

    def progress(self, message: str) -> None:
        """Tell the operator what is being done."""
        _log.info("%s: %s", self.stage, message)

    def _commit(self, write: Write | FilesWrite, begun: float) -> Written:
        metadata = {"job": self.stage, "run_id": self.run_id, "inputs": dict(self.inputs)}
        written = commit(self.warehouse, write, metadata)
        self.written.append((written, time.monotonic() - begun))
        return written

    # -- the ledger ------------------------------------------------------------------------------

    def finish(self) -> None:
        """Record the writes and the snapshot that they complete."""
        records = [
            self._record("finished", written=written, seconds=seconds) for written, seconds in self.written
        ]
        self._append(records or [self._record("finished")], self._snapshot_rows())

    def fail(self, error: BaseException) -> None:
        """Record why the run failed; readers keep the snapshot before it."""
        message = f"{type(error).__name__}: {error}"[:_MESSAGE_CHARACTERS]
        self._append([self._record("failed", message=message)], [])

    def _snapshot_rows(self) -> list[tuple[object, ...]]:
        if not self.written:
            return []
        number = self.warehouse.newest_snapshot().snapshot_id + 1
        written = {written.table.name: written.version for written, _ in self.written}
        versions = self.warehouse.created() | self._snapshot | written
        return [(number, name, version, self.run_id) for name, version in sorted(versions.items())]

    def _record(
        self,
        status: str,
        *,
        written: Written | None = None,
        seconds: float | None = None,
        message: str | None = None,
    ) -> tuple[object, ...]:
        elapsed = (dt.datetime.now(dt.timezone.utc) - self.started_at).total_seconds()
        return (
            self.run_id,
            self.stage,
            written.table.name if written else "",
            written.replace if written else "",
            status,
            message,
            self.inputs,
            written.version if written else None,
            written.rows if written else None,
            dict(self.counters),
            [source._asdict() for source in self.sources],
            self.started_at,
            elapsed if seconds is None else seconds,
            __version__,
            self.warehouse.settings.content_hash(),
        )

    def _append(self, records: Sequence[tuple[object, ...]], snapshot: Sequence[tuple[object, ...]]) -> None:
        """Append to the ledger; the snapshot comes last, as it makes the run visible."""
        for table, rows in ((PIPELINE_RUNS, records), (SNAPSHOTS, snapshot)):
            if rows:
                (write,) = prepare(self.warehouse, RowsWrite(table, rows))
                written = commit(self.warehouse, write, {"job": self.stage})
                self.warehouse.remember_appended(table, written.version, rows)


@contextmanager
def start_run(warehouse: Warehouse, stage: str) -> Iterator[Run]:
    """A run that is recorded as finished when the block ends, as failed when it raises."""
    warehouse.make_root()
    run = Run(warehouse, stage)
    try:
        run.begin()
        yield run
    except BaseException as error:
        try:
            run.fail(error)
        except Exception:
            _log.exception("%s: the failed run could not be recorded", stage)
        raise
    run.finish()
