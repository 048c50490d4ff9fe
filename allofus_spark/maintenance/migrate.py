"""Give tables that an earlier version of this package made the columns that their contracts have gained.

A migration is one commit to a table's log: no data file is read or written, and rows of before have null
there. Each is whole by itself, so that one that is killed leaves every table readable, by both versions, and
the next one goes on. Tables that record the runs come first, since every run writes to them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from allofus_spark.errors import ContractViolation
from allofus_spark.tables import Table, Warehouse, start_run
from allofus_spark.tables.commits import commit_metadata, read_metadata
from allofus_spark.tables.holding import lease_of_run
from allofus_spark.tables.journals import undisturbed
from allofus_spark.tables.run_tables import RUN_TABLES
from allofus_spark.tables.shape import (
    SCHEMA_PROPERTY,
    SCHEMA_VERSION,
    Metadata,
    differences,
    gained_columns,
    knows_more_columns,
    migrated_metadata,
    unknown_columns,
)

_STAGE = "migrate"


@dataclass(frozen=True)
class Migration:
    """Columns that one table gains; none: its log is marked with the version of the contracts alone."""

    table: Table
    columns: Sequence[str]
    metadata: Metadata


def find_migrations(warehouse: Warehouse, tables: Sequence[Table] | None = None) -> list[Migration]:
    """What every table that exists (or of ``tables``) needs to be its contract's; changes nothing.

    Raises ContractViolation, naming all of them, where a table differs in anything else than columns that
    may be null: that cannot be added without deciding about rows.
    """
    found, problems = [], []
    for table in warehouse.existing() if tables is None else tables:
        held = read_metadata(warehouse.spark, warehouse.path(table))
        gained = gained_columns(held, table)
        others = [text for text in differences(held, table) if text not in _told(gained)]
        if others:
            problems.append(_refusal(held, table, others))
        elif gained or (table in RUN_TABLES and _is_behind(held)):
            found.append(Migration(table, gained, _marked(migrated_metadata(held, table))))
    if problems:
        raise ContractViolation("; ".join(problems))
    return found


def migrate(warehouse: Warehouse) -> list[Migration]:
    """Add the columns that `find_migrations` finds, as one run; what was done.

    Raises ContractViolation, before anything is changed, where a change is no such addition; WarehouseBusy
    where another run works in the warehouse.
    """
    found = find_migrations(warehouse)
    of_runs = [item for item in found if item.table in RUN_TABLES]
    if of_runs:
        # A run cannot record itself before.
        with lease_of_run(warehouse, _STAGE, uuid.uuid4().hex):
            for item in find_migrations(warehouse, [item.table for item in of_runs]):
                commit_metadata(warehouse.spark, warehouse.path(item.table), item.metadata)
    if len(of_runs) < len(found):
        with start_run(warehouse, _STAGE) as run:
            # Asked again: beginning may have undone what another run left.
            for item in find_migrations(warehouse):
                run.progress(f"{item.table.name}: adding {', '.join(item.columns)}")
                with undisturbed(warehouse, item.table, _STAGE):
                    version = commit_metadata(warehouse.spark, warehouse.path(item.table), item.metadata)
                run.note_same_rows(item.table, version)
                run.counters.update(tables_migrated=1, columns_added=len(item.columns))
    return found


def _told(gained: Sequence[str]) -> set[str]:
    """How `differences` tells of columns that are to be added."""
    return {f"the table has no column {name}" for name in gained}


def _is_behind(held: Metadata) -> bool:
    return int(held["configuration"].get(SCHEMA_PROPERTY, "1")) < SCHEMA_VERSION


def _marked(metadata: Metadata) -> Metadata:
    return {**metadata, "configuration": {**metadata["configuration"], SCHEMA_PROPERTY: str(SCHEMA_VERSION)}}


def _refusal(held: Metadata, table: Table, others: Sequence[str]) -> str:
    unknown = unknown_columns(held, table)
    if unknown and len(unknown) == len(others):
        return knows_more_columns(table, unknown)
    return (
        f"{table.name}: cannot be migrated, as more differs than columns that may be null: "
        f"{'; '.join(others)}. Nothing was changed. Use the settings (frequencies.ancestry_groups) that it "
        "was made with; where they are the same, make the tables anew with this version in a new warehouse "
        "(--warehouse), or go on with the version that wrote them"
    )
