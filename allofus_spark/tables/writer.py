"""The only writer of tables: every write is held against its contract and becomes one Delta version.

Frames go through Spark's writer. Arrow batches and the driver's rows become data files by way of pyarrow
where the warehouse lies on file systems that tasks can open; elsewhere they are turned into frames.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

import pyarrow as pa
from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from allofus_spark import __version__, errors
from allofus_spark.arrow import decoded
from allofus_spark.errors import AllofusError, ContractViolation, WarehouseBusy
from allofus_spark.hadoop import without_glob
from allofus_spark.tables.aside import Aside
from allofus_spark.tables.commits import CONFLICTS, check_table, commit_files
from allofus_spark.tables.contract import Table
from allofus_spark.tables.data_files import DataFile, FileLayout, FileSink
from allofus_spark.tables.delta_log import changed_partitions, rows_written
from allofus_spark.tables.leftovers import discard, keep_only, removed_on_failure
from allofus_spark.tables.staged import Staged
from allofus_spark.tables.storage import storage_problem
from allofus_spark.tables.warehouse import Warehouse
from allofus_spark.tables.writes import (
    WHOLE_TABLE,
    ArrowWrite,
    FilesWrite,
    Keys,
    MakeRows,
    Removal,
    RowsWrite,
    SideOutput,
    Write,
    Written,
)

_SHOWN_KEYS = 5
_REPORT = pa.schema(
    [("table", pa.string()), ("rows", pa.int64()), ("action", pa.string()), ("error", pa.string())]
)
_REPORT_TYPE = "table string, rows long, action string, error string"


def prepare(
    warehouse: Warehouse, write: Write | ArrowWrite | RowsWrite | Removal
) -> list[Write | FilesWrite | Removal]:
    """The write as commits to be made; data files of Arrow rows are written here.

    Raises ContractViolation where rows break the contract. Where it fails, the files written so far go.
    """
    if isinstance(write, Write | Removal):
        return [write]
    if isinstance(write, RowsWrite):
        return [_prepare_rows(warehouse, write)]
    if warehouse.local_root is None:
        return [
            Write(table, _frame_of(write, table), replace, Keys.HELD) for table, replace in write.replaced
        ]
    return _table_files(write, _write_all(warehouse, write, {}))


def prepare_beside(
    warehouse: Warehouse, write: ArrowWrite, folder: str
) -> tuple[list[Write | FilesWrite | Removal], dict[str, Aside]]:
    """As `prepare`, and the rows of each side output, by name, which lie in files below ``folder``.

    ``folder`` lies below the warehouse's root and lasts as long as the frames are used.
    """
    spark = warehouse.spark
    if warehouse.local_root is None:
        staged = Staged(spark, f"{folder}/{uuid.uuid4().hex}")
        staged.write(write)
        return [
            Write(table, staged.frame(table.name, table.schema), replace, Keys.HELD)
            for table, replace in write.replaced
        ], {item.name: Aside(staged.frame(item.name, item.schema)) for item in write.aside}
    local = f"{warehouse.local_root}{folder.removeprefix(warehouse.root)}/{uuid.uuid4().hex}"
    layouts = {item.name: _side_layout(warehouse, item, f"{local}/{item.name}") for item in write.aside}
    files = _write_all(warehouse, write, layouts)
    return _table_files(write, files), {
        item.name: _aside(spark, item, layouts[item.name].folder, files) for item in write.aside
    }


def _aside(spark: SparkSession, item: SideOutput, folder: str, files: Sequence[DataFile]) -> Aside:
    own = [file for file in files if file.table == item.name]
    frame = spark.read.schema(item.schema).parquet(without_glob(folder))
    return Aside(frame, [f"{folder}/{file.name}" for file in own], sum(file.rows for file in own))


def _write_all(warehouse: Warehouse, write: ArrowWrite, aside: Mapping[str, FileLayout]) -> list[DataFile]:
    """Let tasks write the files of the tables, and those of ``aside``."""
    layouts = {table.name: _layout(warehouse, table, replace) for table, replace in write.replaced}
    layouts |= aside
    with removed_on_failure(layouts.values()):
        reports = write.source.mapInArrow(partial(_write_files, layouts, write.make), _REPORT_TYPE).collect()
        failed = [row for row in reports if row.error is not None]
        if failed:
            raise getattr(errors, failed[0].error)(failed[0].action)
        files = [DataFile(row.table, row.rows, row.action) for row in reports]
        keep_only(layouts.values(), files)
    return files


def _table_files(write: ArrowWrite, files: Sequence[DataFile]) -> list[Write | FilesWrite | Removal]:
    return [
        FilesWrite(table, [file for file in files if file.table == table.name], replace)
        for table, replace in write.replaced
    ]


def commit(
    warehouse: Warehouse, write: Write | FilesWrite | Removal, metadata: Mapping[str, object]
) -> Written:
    """Commit a write as one Delta version; a frame is checked against its contract first.

    Raises ContractViolation, before the table is touched, when columns or types do not fit or a key
    stands twice; WarehouseBusy where another process changed the table meanwhile; Delta's own error when a
    NOT NULL or a CHECK fails.
    """
    settings = warehouse.settings.content_hash()
    described = json.dumps({"package_version": __version__, "settings": settings, **metadata}, sort_keys=True)
    table, path = write.table, warehouse.path(write.table)
    if isinstance(write, FilesWrite):
        return _commit_files(warehouse, write, described)
    if isinstance(write, Removal):
        return _remove(warehouse, write, described)
    frame = table.conform(write.frame)
    if write.keys is Keys.CHECK:
        check_keys(table, frame)
    warehouse.create(table, write.properties, replace=write.replace, user_metadata=described)
    writer = frame.sortWithinPartitions(*table.order).write.format("delta").mode("append")
    if write.replace:
        writer = writer.mode("overwrite")
    if write.replace not in ("", WHOLE_TABLE):
        writer = writer.option("replaceWhere", write.replace)
    try:
        writer.option("userMetadata", described).save(path)
    except CONFLICTS as error:
        raise WarehouseBusy(
            f"another process, such as OPTIMIZE, changed table {table.name} while this run wrote it, and the "
            "table is as before. Start the run again when that has ended."
        ) from error
    state = warehouse.state(table)
    assert state is not None
    rows = rows_written(warehouse.spark, path, state.version)
    changed = changed_partitions(warehouse.spark, path, table, state.version)
    return Written(table, write.replace, state.version, rows, changed)


def _remove(warehouse: Warehouse, write: Removal, described: str) -> Written:
    spark, name = warehouse.spark, "spark.databricks.delta.commitInfo.userMetadata"
    spark.conf.set(name, described)
    try:
        held = DeltaTable.forPath(spark, warehouse.path(write.table)).alias("held")
        merge = held.merge(write.gone.alias("gone"), write.condition)
        if write.blanked:
            merge.whenMatchedUpdate(set=dict.fromkeys(write.blanked, "NULL")).execute()
        else:
            merge.whenMatchedDelete().execute()
    finally:
        spark.conf.unset(name)
    state = warehouse.state(write.table)
    assert state is not None
    changed = changed_partitions(spark, warehouse.path(write.table), write.table, state.version)
    return Written(write.table, write.condition, state.version, None, changed)


def _commit_files(warehouse: Warehouse, write: FilesWrite, described: str) -> Written:
    path, before = warehouse.path(write.table), warehouse.state(write.table)
    try:
        version = commit_files(
            warehouse.spark,
            path,
            warehouse.local_path(write.table),
            write.table,
            [file.action for file in write.files],
            replace=write.replace,
            properties=write.properties,
            user_metadata=described,
        )
    except BaseException:
        discard(warehouse, write)
        raise
    changed: Sequence[str] = ()
    if before is None or before.version != version:  # without anything to add or remove there is no commit
        changed = changed_partitions(warehouse.spark, path, write.table, version)
    return Written(write.table, write.replace, version, sum(file.rows for file in write.files), changed)


def check_keys(table: Table, frame: DataFrame) -> None:
    """Raise ContractViolation naming keys that stand more than once. Reads the key columns only."""
    repeated = frame.groupBy(*table.key).count().where("count > 1").limit(_SHOWN_KEYS + 1).collect()
    if repeated:
        shown = ", ".join(":".join(str(row[name]) for name in table.key) for row in repeated[:_SHOWN_KEYS])
        more = " and more" if len(repeated) > _SHOWN_KEYS else ""
        raise ContractViolation(
            f"{table.name}: rows share a key ({', '.join(table.key)}), readers keep the snapshot before: "
            f"{shown}{more}. Remove or merge the repeated rows."
        )


def _prepare_rows(warehouse: Warehouse, write: RowsWrite) -> Write | FilesWrite:
    if warehouse.local_root is None:
        frame = warehouse.spark.createDataFrame(list(write.rows), write.table.schema).coalesce(1)
        return Write(write.table, frame, write.replace, Keys.HELD, write.properties)
    layout = _layout(warehouse, write.table, write.replace)
    sink = FileSink(layout)
    with removed_on_failure([layout]):
        files = [*sink.add(_as_batch(write)), *sink.finish()] if write.rows else []
    return FilesWrite(write.table, files, write.replace, write.properties)


def _as_batch(write: RowsWrite) -> pa.RecordBatch:
    schema = to_arrow_schema(write.table.schema)
    arrays = []
    for values, item in zip(zip(*write.rows, strict=True), schema, strict=True):
        pairs = [list(value.items()) if isinstance(value, dict) else value for value in values]
        arrays.append(pa.array(pairs, item.type))
    return pa.RecordBatch.from_arrays(arrays, names=schema.names)


def _layout(warehouse: Warehouse, table: Table, replace: str) -> FileLayout:
    checks = dict(table.checks)
    if replace not in ("", WHOLE_TABLE):
        checks["is_in_replaced_rows"] = replace
    check_table(warehouse.spark, warehouse.path(table), table, replace=replace)
    folder = warehouse.local_path(table)
    os.makedirs(folder, exist_ok=True)
    return FileLayout(
        table=table.name,
        folder=folder,
        schema=to_arrow_schema(table.schema),
        partition_by=table.partition_by,
        order=table.order,
        statistics=table.statistics,
        checks=checks,
        target_bytes=warehouse.settings.ingest.target_file_bytes,
        prefix=f"part-{uuid.uuid4().hex[:16]}",
    )


def _side_layout(warehouse: Warehouse, item: SideOutput, folder: str) -> FileLayout:
    os.makedirs(folder)
    target_bytes = warehouse.settings.ingest.target_file_bytes
    return FileLayout(item.name, folder, to_arrow_schema(item.schema), (), (), (), {}, target_bytes)


def _write_files(
    layouts: Mapping[str, FileLayout], make: MakeRows, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Reports of a task: its files, or the error that it met (a task that raised would be tried again)."""
    sinks = {name: FileSink(layout) for name, layout in layouts.items()}
    try:
        for name, batch in make(batches):
            for file in sinks[name].add(batch):
                yield _report(file.table, file.rows, file.action)
        for sink in sinks.values():
            for file in sink.finish():
                yield _report(file.table, file.rows, file.action)
    except AllofusError as error:
        yield _report("", 0, str(error), type(error).__name__)
    except OSError as error:
        problem = next(filter(None, (storage_problem(error, item.folder) for item in layouts.values())), None)
        if problem is None:
            raise
        yield _report("", 0, str(problem), type(problem).__name__)


def _report(table: str, rows: int, action: str, error: str | None = None) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [{"table": table, "rows": rows, "action": action, "error": error}], _REPORT
    )


def _frame_of(write: ArrowWrite, table: Table) -> DataFrame:
    """The rows of one table as a frame; the other tables' rows are made and dropped."""
    return write.source.mapInArrow(partial(_only, write.make, table.name), table.schema)


def _only(make: MakeRows, table: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    return (decoded(batch) for name, batch in make(batches) if name == table)
