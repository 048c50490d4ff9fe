"""The tables of a warehouse, and their only reader.

A warehouse is a folder (or object-store prefix) with one Delta table at ``ZONE/TABLE``. Readers see the
newest finished snapshot: the versions of all tables that one finished run left behind. A run reads what is
live, writes through its contracts, and records a snapshot when it ends well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from delta.tables import DeltaTable
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession

from allofus_spark.errors import ContractViolation, SettingsError
from allofus_spark.hadoop import absolute_path, hadoop_path
from allofus_spark.settings import Settings
from allofus_spark.tables import catalog
from allofus_spark.tables.callset_tables import CALLSETS
from allofus_spark.tables.catalogue_tables import CATALOGUES
from allofus_spark.tables.commits import fit_table
from allofus_spark.tables.contract import Table, Zone
from allofus_spark.tables.delta_log import (
    TableState,
    newest_stamp,
    read_rows,
    read_size,
    read_state,
    same_content,
)
from allofus_spark.tables.frequency_tables import SUBSET_PREFIX
from allofus_spark.tables.live_tables import LIVE_TABLES
from allofus_spark.tables.run_tables import SNAPSHOTS
from allofus_spark.tables.shape import check_columns, check_schema_version

BUILD_PROPERTY = "allofus.build"
BIN_WIDTH_PROPERTY = "allofus.binWidthBases"
# Hadoop takes a backslash for a slash or an escape, depending on who asks; control characters break its URIs.
_UNUSABLE = re.compile(r"[\\\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Snapshot:
    """Versions of all tables that one finished run left behind."""

    snapshot_id: int
    versions: Mapping[str, int]


class Warehouse:
    """All tables of one genome build under one root."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self.spark = spark
        self.settings = settings
        root = settings.warehouse
        if odd := sorted(set(_UNUSABLE.findall(root))):
            raise SettingsError(
                f"warehouse {root!r}: tables cannot lie under a name with {', '.join(map(repr, odd))}; "
                "name another place with --warehouse"
            )
        self.root = absolute_path(root)
        # Rows of small tables, with the version that they were read from.
        self._known_rows: dict[str, tuple[int, list[Row]]] = {}
        # States of local tables, with the stamps of their newest commits.
        self._known_states: dict[str, tuple[tuple[int, int], TableState]] = {}

    def path(self, table: Table) -> str:
        return f"{self.root}/{table.zone.value}/{table.name}"

    def picture_path(self, zone: Zone, name: str) -> str:
        """Where a picture lies: in the zone of what it shows."""
        return f"{self.root}/{zone.value}/pictures/{name}.html"

    @cached_property
    def local_root(self) -> str | None:
        """The root as a folder that tasks open themselves; None on other file systems."""
        file_system, path = hadoop_path(self.spark, self.root)
        root = file_system.makeQualified(path).toUri()
        folder = str(root.getPath())
        # delta-rs takes a per cent sign in a path for the start of an escape.
        return folder if root.getScheme() == "file" and "%" not in folder else None

    def local_path(self, table: Table) -> str:
        """The table's folder below `local_root`."""
        return f"{self.local_root}/{table.zone.value}/{table.name}"

    def contract(self, name: str) -> Table:
        """The contract called ``name``; raises ContractViolation naming what there is."""
        return catalog.contract(name, self.settings)

    def state(self, table: Table) -> TableState | None:
        """Version and properties of the live table; None where it does not exist.

        Raises ContractViolation where a newer version of this package wrote the table.
        """
        known = self._known_states.get(table.name)
        if known is not None and known[0] == newest_stamp(self.local_path(table), known[1].version):
            return known[1]
        state = read_state(self.spark, self.path(table))
        if state is not None:
            check_schema_version(self.root, state.properties)
            if self.local_root is not None and (stamp := newest_stamp(self.local_path(table), state.version)):
                self._known_states[table.name] = (stamp, state)
        return state

    def exists(self, table: Table) -> bool:
        return self.state(table) is not None

    # -- reading ---------------------------------------------------------------------------------

    def newest_snapshot(self) -> Snapshot:
        """The newest finished snapshot; number 0 without tables before the first run.

        Raises SettingsError where the warehouse's file system cannot be asked.
        """
        with self._reaching("looked into"):
            file_system, path = hadoop_path(self.spark, self.root)
            if not file_system.exists(path):
                return Snapshot(0, {})
        rows = self.rows(SNAPSHOTS)
        number = max((row.snapshot_id for row in rows), default=0)
        return Snapshot(number, {row.table_name: row.version for row in rows if row.snapshot_id == number})

    def snapshot(self) -> dict[str, int]:
        """Table name to Delta version, of the newest finished snapshot; empty before the first run."""
        return dict(self.newest_snapshot().versions)

    def read(self, table: Table, snapshot: Mapping[str, int] | None = None) -> DataFrame:
        """Rows of the newest finished snapshot (or of ``snapshot``)."""
        versions = self.snapshot() if snapshot is None else snapshot
        if table.name not in versions:
            raise ContractViolation(
                f"table {table.name} is in no finished snapshot of {self.root}; "
                f"{catalog.how_to_make(table.name)}"
            )
        return self.at(table, self.kept(table, versions[table.name]))

    def at(self, table: Table, version: int) -> DataFrame:
        """Rows of one version; raises ContractViolation where the table must be migrated first."""
        frame = self.spark.read.format("delta").option("versionAsOf", version).load(self.path(table))
        return _with_every_column(table, frame)

    def kept(self, table: Table, version: int) -> int:
        """The newest version with the rows of ``version``, of which VACUUM after OPTIMIZE leaves no files.

        Raises ContractViolation where somebody has deleted the table, or has put another in its place.
        """
        held = self._held(table, version)
        if held is None:
            raise ContractViolation(
                f"table {table.name} was deleted: {self.path(table)} does not have version {version}, which "
                f"the newest run left. Bring it back, or make it anew: {catalog.how_to_make(table.name)}"
            )
        return held

    def _held(self, table: Table, version: int) -> int | None:
        """The newest version with the rows of ``version``; see `same_content`."""
        state = self.state(table)
        if state is not None and state.version == version:
            return version
        return same_content(self.spark, self.path(table), table, version)

    def live(self, table: Table) -> DataFrame:
        """Rows as last committed, whether or not the run has finished: for stages and the ledger."""
        return _with_every_column(table, self.spark.read.format("delta").load(self.path(table)))

    def rows(self, table: Table) -> list[Row]:
        """All live rows of a small table, kept until its version changes; none where it does not exist.

        For tables whose rows grow with callsets or samples, never with variants.
        """
        state = self.state(table)
        if state is None:
            return []
        known = self._known_rows.get(table.name)
        if known is None or known[0] != state.version:
            known = (state.version, self.rows_at(table, state.version))
            self._known_rows[table.name] = known
        return known[1]

    def rows_at(self, table: Table, version: int) -> list[Row]:
        """All rows of a version of a small table."""
        if self.local_root is not None:
            return read_rows(self.local_path(table), version, table)
        return self.at(table, version).collect()

    def remember_appended(self, table: Table, version: int, rows: Sequence[tuple[object, ...]]) -> None:
        """Keep rows just appended to a small table beside those known, sparing the next read."""
        known = self._known_rows.get(table.name)
        if known is not None and known[0] == version - 1:
            as_row = Row(*(column.name for column in table.columns))
            added = [as_row(*values) for values in rows]
            self._known_rows[table.name] = (version, known[1] + added)

    # -- the build -------------------------------------------------------------------------------

    def table_property(self, name: str) -> str | None:
        """A property that the first callset or catalogue fixed; None where neither is held."""
        for table in (CALLSETS, CATALOGUES):
            state = self.state(table)
            if state and self.rows(table) and name in state.properties:
                return state.properties[name]
        return None

    @property
    def bin_width_bases(self) -> int:
        held = self.table_property(BIN_WIDTH_PROPERTY)
        return int(held) if held else self.settings.genome.bin_width_bases

    # -- writing ---------------------------------------------------------------------------------

    def make_root(self) -> None:
        """Make the warehouse's folder where it is not there; raises SettingsError where it cannot be."""
        with self._reaching("made"):
            file_system, path = hadoop_path(self.spark, self.root)
            file_system.mkdirs(path)

    @contextmanager
    def _reaching(self, done: str) -> Iterator[None]:
        """Raise SettingsError where Hadoop knows no such file system, or cannot reach it."""
        try:
            yield
        # Spark gives some of Java's errors a class of its own.
        except (Py4JJavaError, PySparkException) as error:
            text = error.java_exception.toString() if isinstance(error, Py4JJavaError) else error
            reason = str(text).splitlines()[0]
            raise SettingsError(
                f"warehouse {self.root} cannot be {done}: {reason}; name another place for it"
            ) from None

    def data_tables(self) -> list[Table]:
        """Every table that has a folder, but those that no snapshot names."""
        there = {zone: self._folders(zone) for zone in Zone}
        subsets = [name for name in there[Zone.CONTROLLED] if name.startswith(SUBSET_PREFIX)]
        tables = [*catalog.contracts(self.settings), *map(self.contract, sorted(subsets))]
        return [table for table in tables if table.name in there[table.zone] and table not in LIVE_TABLES]

    def existing(self) -> list[Table]:
        """Every table that exists, in pipeline order, those that record the runs last."""
        there = {zone: self._folders(zone) for zone in Zone}
        subsets = sorted(name for names in there.values() for name in names if name.startswith(SUBSET_PREFIX))
        tables = [*map(self.contract, subsets), *catalog.contracts(self.settings)]
        return [table for table in tables if table.name in there[table.zone] and self.exists(table)]

    def _folders(self, zone: Zone) -> set[str]:
        """Names in the folder of a zone: looking there is quicker than asking for each table."""
        if self.local_root is not None:
            folder = Path(self.local_root, zone.value)
            return set(os.listdir(folder)) if folder.is_dir() else set()
        file_system, path = hadoop_path(self.spark, f"{self.root}/{zone.value}")
        if not file_system.exists(path):
            return set()
        return {str(item.getPath().getName()) for item in file_system.listStatus(path)}

    def created(self) -> dict[str, int]:
        """Live version of every table that exists, so that one made but never filled is read as empty."""
        states = {table.name: self.state(table) for table in self.data_tables()}
        return {name: state.version for name, state in states.items() if state is not None}

    def held_versions(self, snapshot: Mapping[str, int]) -> dict[str, int]:
        """The snapshot's tables in the versions that hold its rows now, without those that were deleted."""
        there = {table.name: table for table in self.data_tables()}
        held = {name: self._held(there[name], version) for name, version in snapshot.items() if name in there}
        return {name: version for name, version in held.items() if version is not None}

    def undo_unfinished(self, snapshot: Mapping[str, int]) -> dict[str, int]:
        """Bring tables that a failed or killed run wrote back to ``snapshot``; their new versions by name.

        ``snapshot`` is as of ``held_versions``. Without this the next run would count what the failed one had
        half written. A table that is in no snapshot is emptied.
        """
        undone: dict[str, int] = {}
        for table in self.data_tables():
            state = self.state(table)
            if state is None or state.version == snapshot.get(table.name):
                continue
            delta = DeltaTable.forPath(self.spark, self.path(table))
            if table.name in snapshot:
                delta.restoreToVersion(snapshot[table.name])
            elif read_size(self.spark, self.path(table)).files:
                delta.delete()
            else:
                continue
            restored = self.state(table)
            assert restored is not None
            undone[table.name] = restored.version
        return undone

    def create(
        self,
        table: Table,
        properties: Mapping[str, str] | None = None,
        *,
        replace: str = "",
        user_metadata: str = "{}",
    ) -> None:
        """Make the table from its contract, or hold it against that, before Spark writes rows into it."""
        path = self.path(table)
        fit_table(self.spark, path, table, properties or {}, replace=replace, user_metadata=user_metadata)


def _with_every_column(table: Table, frame: DataFrame) -> DataFrame:
    """The frame; raises ContractViolation where all that it lacks are columns that a migration adds."""
    check_columns(table, frame.columns)
    return frame


@contextmanager
def rows_per_batch(spark: SparkSession, rows: int) -> Iterator[None]:
    """Bound the rows that Parquet and Arrow hold at once while wide rows are read."""
    names = ("spark.sql.execution.arrow.maxRecordsPerBatch", "spark.sql.parquet.columnarReaderBatchSize")
    before = {name: spark.conf.get(name) for name in names}
    for name in names:
        spark.conf.set(name, str(rows))
    try:
        yield
    finally:
        for name, value in before.items():
            spark.conf.set(name, value or "")
