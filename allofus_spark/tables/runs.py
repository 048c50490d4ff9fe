"""One run of a job: what it read, what it wrote, how long it took, and the snapshot that it leaves."""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from pyspark.sql import DataFrame, Row

from allofus_spark import __version__
from allofus_spark.errors import WarehouseBusy
from allofus_spark.hadoop import hadoop_path
from allofus_spark.tables.alone import check_alone
from allofus_spark.tables.aside import Aside
from allofus_spark.tables.catalog import how_to_make
from allofus_spark.tables.contract import Table
from allofus_spark.tables.lease import Lease
from allofus_spark.tables.leftovers import STAGING, discard, disown_unfinished
from allofus_spark.tables.live_files import LiveFile, live_files
from allofus_spark.tables.live_tables import LIVE_TABLES
from allofus_spark.tables.recipes import BY_HAND, Recipe, fingerprint_of
from allofus_spark.tables.run_tables import PIPELINE_RUNS, SNAPSHOTS, SourceRecords
from allofus_spark.tables.shape import SCHEMA_PROPERTY, SCHEMA_VERSION
from allofus_spark.tables.stages import STAGES
from allofus_spark.tables.warehouse import Warehouse
from allofus_spark.tables.write_ledger import FINISHED, LastWrite, WriteLedger, ledger_of
from allofus_spark.tables.writer import commit, prepare, prepare_beside
from allofus_spark.tables.writes import ArrowWrite, FilesWrite, Removal, RowsWrite, Write, Written

_log = logging.getLogger(__name__)
_MESSAGE_CHARACTERS = 4000


class Run:
    """The reads, writes and counters of one job."""

    def __init__(self, warehouse: Warehouse, stage: str, recipe: Recipe = BY_HAND) -> None:
        self.warehouse = warehouse
        self.stage = stage
        self.recipe = recipe
        self.lease: Lease | None = None
        self.run_id = uuid.uuid4().hex
        self.started_at = dt.datetime.now(dt.timezone.utc)
        self.inputs: dict[str, int] = {}
        self.written: list[tuple[Written, float]] = []
        self.counters: Counter[str] = Counter()
        self.sources: Sequence[SourceRecords] = ()
        self.problem: str | None = None
        self._snapshot: dict[str, int] = {}
        self._snapshot_id = 0
        # Tables whose newest version is another one, without a write of this run.
        self._moved: dict[str, int] = {}
        self._recorded = False
        self._bases: dict[str, int] = {}

    def begin(self) -> None:
        """Start from the newest snapshot: undo what a run that failed or was killed left in the tables."""
        snapshot = self.warehouse.newest_snapshot()
        self._snapshot_id = snapshot.snapshot_id
        self._snapshot = self.warehouse.held_versions(snapshot.versions)
        for name in sorted(snapshot.versions.keys() - self._snapshot.keys()):
            _log.warning("warning: somebody deleted table %s; to have it again, %s", name, how_to_make(name))
        self._moved = self.warehouse.undo_unfinished(self._snapshot)
        if self._moved:
            self.progress(f"undid what an unfinished run had written to {', '.join(self._moved)}")
            disown_unfinished(self.warehouse)
        self._snapshot |= self._moved

    def note_same_rows(self, table: Table, version: int) -> None:
        """Let the snapshot name a version that this run made without changing a row."""
        if table not in LIVE_TABLES:
            self._moved[table.name] = self._snapshot[table.name] = version

    def read(self, table: Table) -> DataFrame:
        """Rows of the live table, its version noted as an input: what is committed later is not seen."""
        version = self.note_input(table)
        return self.warehouse.live(table) if version is None else self.warehouse.at(table, version)

    def files(self, table: Table) -> list[LiveFile]:
        """Data files of the live table of a local warehouse, its version noted as an input; see ``read``."""
        version = self.note_input(table)
        return [] if version is None else live_files(self.warehouse.local_path(table), version)

    def rows(self, table: Table) -> list[Row]:
        """All rows of a small live table, its version noted as an input."""
        self.note_input(table)
        return self.warehouse.rows(table)

    def holds(self, table: Table) -> bool:
        """Whether the live table is there to be read."""
        return self.warehouse.exists(table)

    def note_input(self, table: Table) -> int | None:
        """The live version of a table, noted as an input; None where it does not exist."""
        state = self.warehouse.state(table)
        if state is None:
            return None
        self.inputs[table.name] = state.version
        return state.version

    def write(self, *writes: Write | ArrowWrite | RowsWrite | Removal) -> list[Written]:
        """Commit one Delta version a table; commits are made at the same time."""
        if not writes:
            return []
        begun = self._begin_write(writes)
        commits: list[Write | FilesWrite | Removal] = []
        try:
            for write in writes:
                commits += prepare(self.warehouse, write)
        except BaseException:
            self._discard(commits)
            raise
        return self._commit_all(commits, begun)

    def write_beside(self, write: ArrowWrite) -> dict[str, Aside]:
        """As ``write``, and the rows that its tasks set aside, by name; they last until the run ends."""
        begun = self._begin_write([write])
        commits, aside = prepare_beside(self.warehouse, write, self._staging)
        self._commit_all(commits, begun)
        return aside

    def check_lease(self) -> None:
        """Raise WarehouseBusy where this run, held up for too long, was taken for dead."""
        if self.lease is not None:
            self.lease.check()

    @property
    def _staging(self) -> str:
        return f"{self.warehouse.root}/{STAGING}/{self.run_id}"

    def remove_staged(self) -> None:
        """Remove what was set aside; what cannot be removed now goes at the start of the next run."""
        with suppress(Exception):
            file_system, path = hadoop_path(self.warehouse.spark, self._staging)
            file_system.delete(path, True)

    def _begin_write(self, writes: Sequence[Write | ArrowWrite | RowsWrite | Removal]) -> float:
        tables = [table.name for write in writes for table in write.tables]
        self.progress(f"writing {', '.join(tables)}")
        return time.monotonic()

    def _commit_all(self, commits: Sequence[Write | FilesWrite | Removal], begun: float) -> list[Written]:
        try:
            self.check_lease()
        except BaseException:
            self._discard(commits)
            raise
        with ThreadPoolExecutor(max_workers=len(commits)) as pool:
            futures = [pool.submit(self._commit, part, begun) for part in commits]
        return [future.result() for future in futures]

    def _discard(self, commits: Sequence[Write | FilesWrite | Removal]) -> None:
        for part in commits:
            if isinstance(part, FilesWrite):
                discard(self.warehouse, part)

    def progress(self, message: str) -> None:
        """Tell the operator what is being done."""
        _log.info("%s: %s", self.stage, message)

    def _commit(self, write: Write | FilesWrite | Removal, begun: float) -> Written:
        self._builds_on(write.table)
        metadata = {"job": self.stage, "run_id": self.run_id, "inputs": dict(self.inputs)}
        written = commit(self.warehouse, write, metadata)
        self.written.append((written, time.monotonic() - begun))
        return written

    def _builds_on(self, table: Table) -> None:
        """Keep the version that this run's first write to a table builds on."""
        if table.name not in self._bases:
            state = self.warehouse.state(table)
            live = -1 if state is None else state.version
            self._bases[table.name] = self._snapshot.get(table.name, live)

    # -- the ledger ------------------------------------------------------------------------------

    def finish(self) -> None:
        """Record the writes and the snapshot that they complete; the snapshot last, as it makes them visible.

        Raises WarehouseBusy where another run has taken the lease, or has recorded a snapshot since this one
        began.
        """
        self.check_lease()
        newest = self.warehouse.newest_snapshot().snapshot_id
        if newest != self._snapshot_id:
            raise WarehouseBusy(
                f"another run recorded snapshot {newest} while this one worked from snapshot "
                f"{self._snapshot_id}: what this run wrote does not count. Start it again."
            )
        check_alone(self.warehouse, self.run_id, self._bases, [written for written, _ in self.written])
        rows = self._snapshot_rows()
        number = self._snapshot_id + bool(rows)
        record = partial(self._record, FINISHED, fingerprint=self._fingerprint(number), snapshot_id=number)
        records = [record(written=written, seconds=seconds) for written, seconds in self.written]
        self._append(PIPELINE_RUNS, records or [record()])
        self._recorded = True
        self.check_lease()
        self._append(SNAPSHOTS, rows)

    def ledger(self) -> WriteLedger:
        """Which run last changed each partition of each table, as of the snapshot that this began from."""
        return ledger_of(self.warehouse)

    def _fingerprint(self, snapshot_id: int) -> dict[str, str] | None:
        """What the rows of this run rest on; None where it is of no stage."""
        stage = STAGES.get(self.stage)
        if stage is None:
            return None
        ledger = self.ledger()
        for written, _ in self.written:
            ledger.add(written.table.name, written.partitions, LastWrite(snapshot_id, self.run_id))
        return fingerprint_of(self.warehouse.spark, self.warehouse.settings, stage, self.recipe, ledger)

    def fail(self, error: BaseException) -> None:
        """Record why the run failed; readers keep the snapshot before it."""
        if self._recorded:
            disown_unfinished(self.warehouse, self.run_id)
            if not self.written:
                return  # its one row is there
        message = f"{type(error).__name__}: {error}"[:_MESSAGE_CHARACTERS]
        self._append(PIPELINE_RUNS, [self._record("failed", message=message)])

    def record(self) -> None:
        """Record a run that wrote nothing by itself and leaves no snapshot."""
        status = "failed" if self.problem else FINISHED
        self._append(PIPELINE_RUNS, [self._record(status, message=self.problem)])

    def _snapshot_rows(self) -> list[tuple[object, ...]]:
        if not (self.written or self._moved):
            return []
        written = {written.table.name: written.version for written, _ in self.written}
        versions = self.warehouse.created() | self._snapshot | written
        number = self._snapshot_id + 1
        return [(number, name, version, self.run_id) for name, version in sorted(versions.items())]

    def _record(
        self,
        status: str,
        *,
        written: Written | None = None,
        seconds: float | None = None,
        message: str | None = None,
        fingerprint: Mapping[str, str] | None = None,
        snapshot_id: int | None = None,
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
            self.recipe.scope or None,
            self.recipe.as_json(),
            None if fingerprint is None else dict(fingerprint),
            None if written is None else list(written.partitions),
            snapshot_id,
            elapsed,
        )

    def _append(self, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            properties = {SCHEMA_PROPERTY: str(SCHEMA_VERSION)}
            (write,) = prepare(self.warehouse, RowsWrite(table, rows, properties=properties))
            written = commit(self.warehouse, write, {"job": self.stage})
            self.warehouse.remember_appended(table, written.version, rows)
