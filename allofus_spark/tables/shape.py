"""Whether Delta's log says of a table what its contract says, and the metadata that makes it so.

Another tool can change a table, and settings can change a contract. Data files that were committed all the
same would be read wrongly, or not at all.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyspark.sql.types import StructField, StructType

from allofus_spark import __version__
from allofus_spark.errors import ContractViolation
from allofus_spark.tables.contract import Table

Metadata = dict[str, Any]

# Raised when contracts gain columns, so that an earlier version of this package, which would read such tables
# without them, says so instead. Written to the tables when a warehouse is made, and when it is migrated.
SCHEMA_VERSION = 2
SCHEMA_PROPERTY = "allofus.schemaVersion"

_CONSTRAINT = "delta.constraints."
# What the contracts use. With any other one (deletion vectors, column mapping, ...) the log means more than
# what is written here, and other engines may not read the table.
_FEATURES = frozenset({"appendOnly", "invariants", "checkConstraints"})
_NEWEST_WRITER_WITHOUT_OTHERS = 3
_WRITER_WITH_NAMED_FEATURES = 7


def new_metadata(table: Table, properties: Mapping[str, str]) -> Metadata:
    """The ``metaData`` action of a table that is made from its contract."""
    return {
        "id": str(uuid.uuid4()),
        "format": {"provider": "parquet", "options": {}},
        "createdTime": int(time.time() * 1000),
        **_of_contract(table),
        "configuration": {**_configuration(table), **properties},
    }


def fitted_metadata(
    held: Metadata, table: Table, properties: Mapping[str, str], *, anew: Callable[[], bool]
) -> Metadata | None:
    """The metadata that the table needs to be its contract's; None where it is so already.

    ``anew`` says whether no row stays, so that the metadata may change (it is asked only where that matters);
    the table's id and its other properties stay. Raises ContractViolation where rows stay, and for
    constraints that the contract does not have.
    """
    problems = differences(held, table)
    configuration = {**held["configuration"], **_configuration(table), **properties}
    if (problems or configuration != held["configuration"]) and anew():
        _refuse_other_constraints(configuration, table)
        return {**held, **_of_contract(table), "configuration": configuration}
    _refuse_other_constraints(held["configuration"], table)
    if problems:
        raise ContractViolation(_what_to_do(held, table, problems))
    return None


def _what_to_do(held: Metadata, table: Table, problems: list[str]) -> str:
    gained = gained_columns(held, table)
    if gained and len(gained) == len(problems):
        return lacks_columns(table, gained)
    unknown = unknown_columns(held, table)
    if unknown and len(unknown) == len(problems):
        return knows_more_columns(table, unknown)
    return (
        f"{table.name}: the table is not what this version and these settings write: "
        f"{'; '.join(problems)}. Use the settings (frequencies.ancestry_groups) that it was made with, "
        "or name a new warehouse with --warehouse and ingest again."
    )


def gained_columns(held: Metadata, table: Table) -> list[str]:
    """Columns that the contract has and the table has not, and that a migration can add."""
    fields = _fields(held)
    return [column.name for column in table.columns if column.can_be_added and column.name not in fields]


def unknown_columns(held: Metadata, table: Table) -> list[str]:
    """Columns that may be null and that the contract has not: a later version may have added them.

    None of a table whose columns depend on settings: others may have been in force.
    """
    if any(column.by_settings for column in table.columns):
        return []
    wanted = set(table.schema.names)
    return [name for name, item in _fields(held).items() if name not in wanted and item.nullable]


def migrated_metadata(held: Metadata, table: Table) -> Metadata:
    """The metadata with the contract's columns in its order, comments included; properties stay."""
    return {**held, **_of_contract(table)}


def lacks_columns(table: Table, names: Sequence[str]) -> str:
    """What to say of a table that an earlier version of this package made."""
    return (
        f"{table.name}: an earlier version of allofus-spark made the table, which has no "
        f"{_columns(names)}. Run allofus migrate, which adds what is missing without rewriting any file."
    )


def check_columns(table: Table, held: Sequence[str]) -> None:
    """Raise ContractViolation where all that a table lacks are columns that a migration adds."""
    there = set(held)
    lacking = [column for column in table.columns if column.name not in there]
    # Where it lacks others it was made with other settings, and is read as it is.
    if lacking and all(column.can_be_added for column in lacking):
        raise ContractViolation(lacks_columns(table, [column.name for column in lacking]))


def knows_more_columns(table: Table, names: Sequence[str]) -> str:
    """What to say of a table that a later version of this package made or migrated."""
    return (
        f"{table.name}: the table has {_columns(names)}, which allofus-spark {__version__} does not know: a "
        "newer version wrote it. Upgrade allofus-spark to that version; nothing was read or written."
    )


def _columns(names: Sequence[str]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {', '.join(names)}"


def check_schema_version(root: str, properties: Mapping[str, str]) -> None:
    """Raise ContractViolation where a later version of this package wrote or migrated the table."""
    written = properties.get(SCHEMA_PROPERTY, "")
    if written.isdigit() and int(written) > SCHEMA_VERSION:
        raise ContractViolation(
            f"{root}: the tables were written or migrated by a newer version of allofus-spark (schema "
            f"{written}; allofus-spark {__version__} knows {SCHEMA_VERSION}). Upgrade allofus-spark; nothing "
            "was read or written."
        )


def differences(held: Metadata, table: Table) -> list[str]:
    """What differs between a table's columns, partitions and checks, and its contract's."""
    fields = _fields(held)
    wanted = {item.name: item for item in table.schema.fields}
    problems = [f"the table has no column {name}" for name in wanted if name not in fields]
    problems += [f"the table has another column, {name}" for name in fields if name not in wanted]
    for name in (name for name in wanted if name in fields):
        kinds = [item.dataType.simpleString() for item in (fields[name], wanted[name])]
        if kinds[0] != kinds[1]:
            problems.append(f"column {name} is {kinds[0]} in the table, not {kinds[1]}")
        elif fields[name].nullable != wanted[name].nullable:
            problems.append(
                f"column {name} may be null in {'the table' if fields[name].nullable else 'rows'}"
            )
    if held["partitionColumns"] != list(table.partition_by):
        problems.append(f"the table is partitioned by {', '.join(held['partitionColumns']) or 'nothing'}")
    problems += [
        f"the table does not check {name} ({condition})"
        for name, condition in table.checks.items()
        if held["configuration"].get(_CONSTRAINT + name) != condition
    ]
    return problems


def _fields(held: Metadata) -> dict[str, StructField]:
    return {item.name: item for item in StructType.fromJson(json.loads(held["schemaString"])).fields}


def check_features(table: Table, protocol: Mapping[str, Any]) -> None:
    """Raise ContractViolation where another tool enabled a feature of Delta that the contracts do not use."""
    writer = protocol["minWriterVersion"]
    named = {*protocol.get("readerFeatures", []), *protocol.get("writerFeatures", [])}
    others = sorted(named - _FEATURES)
    if _NEWEST_WRITER_WITHOUT_OTHERS < writer < _WRITER_WITH_NAMED_FEATURES:
        others.append(f"those of writer version {writer}")
    if others:
        raise ContractViolation(
            f"{table.name}: another tool enabled features of Delta that this engine does not write: "
            f"{', '.join(others)}. Turn them off (for deletion vectors: REORG TABLE ... APPLY (PURGE), then "
            "ALTER TABLE ... DROP FEATURE deletionVectors), or ingest into a new warehouse."
        )


def _of_contract(table: Table) -> Metadata:
    return {
        "description": table.grain,
        "schemaString": table.schema.json(),
        "partitionColumns": list(table.partition_by),
    }


def _configuration(table: Table) -> dict[str, str]:
    constraints = {_CONSTRAINT + name: condition for name, condition in table.checks.items()}
    return {"delta.dataSkippingStatsColumns": ",".join(table.statistics), **constraints}


def _refuse_other_constraints(configuration: Mapping[str, str], table: Table) -> None:
    others = [
        f"{name.removeprefix(_CONSTRAINT)} ({condition})"
        for name, condition in configuration.items()
        if name.startswith(_CONSTRAINT) and name.removeprefix(_CONSTRAINT) not in table.checks
    ]
    if others:
        raise ContractViolation(
            f"{table.name}: the table has constraints that its contract does not have, and that rows are not "
            f"held against: {', '.join(others)}. Take them away: ALTER TABLE ... DROP CONSTRAINT NAME."
        )
