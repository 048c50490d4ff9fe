"""Tables about the work itself: what each run read and wrote, and the versions that belong together."""

from typing import NamedTuple

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import (
    COUNTERS,
    DOUBLE,
    LONG,
    STRING,
    STRINGS,
    TIMESTAMP,
    VERSIONS,
    array,
    mapping,
    struct,
)


class SourceRecords(NamedTuple):
    """What became of the records of one source file; an item of ``pipeline_runs.sources``."""

    source_file: str
    records_read: int
    records_kept: int
    records_refused: int
    records_collapsed: int
    records_without_alt: int


SOURCES = array(
    struct(source_file=STRING, **{name: LONG for name in SourceRecords._fields if name != "source_file"})
)

PIPELINE_RUNS = Table(
    name="pipeline_runs",
    zone=Zone.REGISTERED,
    grain="one table write of a run, or a run that wrote nothing",
    key=("run_id", "table_name", "partition"),
    columns=(
        Column("run_id", STRING, "Unique id of the run"),
        Column("stage", STRING, "Job that ran"),
        Column("table_name", STRING, "Table written; empty: the run as a whole"),
        Column(
            "partition", STRING, "Predicate that was replaced; true: whole table; empty: rows were appended"
        ),
        Column("status", STRING, "finished or failed"),
        Column("message", STRING, "Error of a failed run", True),
        Column("inputs", VERSIONS, "Table versions that the run had read, by table"),
        Column("output_version", LONG, "Delta version that the write made", True),
        Column("rows", LONG, "Rows written", True),
        Column("counters", COUNTERS, "What the run counted, by name (records read, refused, ...)"),
        Column(
            "sources",
            SOURCES,
            "Source files of an ingest: records read = kept + refused + collapsed (duplicates of kept "
            "ones) + without ALT; empty for other jobs",
        ),
        Column("started_at", TIMESTAMP, "Start, UTC"),
        Column("seconds", DOUBLE, "Seconds that the write took; of a run that wrote nothing, all of it"),
        Column("package_version", STRING, "Version of this package"),
        Column("settings_hash", STRING, "Hash of the settings that can change results"),
        Column(
            "scope", STRING, "Part of the stage's tables that the run made: a set, a scan; null: all", True
        ),
        Column(
            "parameters",
            STRING,
            "What the run was asked, as JSON; null: it cannot be repeated from here",
            True,
        ),
        Column(
            "fingerprint",
            mapping(STRING, STRING),
            "What the run rests on, by name: state of each table read, of files and settings, version of the "
            "results",
            True,
        ),
        Column(
            "partitions",
            STRINGS,
            "Partitions of the table in which the write changed rows, as column=value/column=value; null: "
            "all",
            True,
        ),
        Column(
            "snapshot_id",
            LONG,
            "Newest snapshot when the run ended: its own, where it recorded one; null: it failed",
            True,
        ),
        Column("run_seconds", DOUBLE, "Seconds from the start of the run to this record", True),
    ),
    checks={"status_known": "status IN ('finished', 'failed')"},
)

SNAPSHOTS = Table(
    name="snapshots",
    zone=Zone.REGISTERED,
    grain="one table in one snapshot",
    key=("snapshot_id", "table_name"),
    columns=(
        Column("snapshot_id", LONG, "Number of the snapshot, rising; readers use the newest"),
        Column("table_name", STRING, "Table"),
        Column("version", LONG, "Delta version of the table that belongs to the snapshot"),
        Column("run_id", STRING, "Run that recorded the snapshot"),
    ),
)

# Read as they are, never through a snapshot: they record the snapshots.
RUN_TABLES = (PIPELINE_RUNS, SNAPSHOTS)
