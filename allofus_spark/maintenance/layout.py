"""Lay small files anew as fewer ones, sorted and with statistics as our writer makes them; no row changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
from delta.tables import DeltaTable
from pyspark.sql.pandas.types import to_arrow_schema

from allofus_spark import __version__
from allofus_spark.cohort import rows_of_widest
from allofus_spark.errors import ContractViolation
from allofus_spark.maintenance.plan import TablePlan
from allofus_spark.tables import CALLSETS, ArrowWrite, FilesWrite, Run, Warehouse, rows_per_batch
from allofus_spark.tables.commits import commit_same_rows
from allofus_spark.tables.journals import undisturbed
from allofus_spark.tables.leftovers import discard
from allofus_spark.tables.writer import prepare
from allofus_spark.tasks import numbers_in, task_numbers

_OPTIMIZE = "spark.databricks.delta.optimize."


@dataclass(frozen=True)
class Reading:
    """Files that one task puts together: of which table, their paths, and their partition's values."""

    table: str
    schema: pa.Schema
    paths: tuple[str, ...]
    partition: tuple[tuple[str, str | None], ...]
    rows_per_batch: int
    bytes: int


def lay_anew(run: Run, plans: Sequence[TablePlan]) -> None:
    """Carry out the groups of the plans, a Delta commit a table; raises where rows would change."""
    due = [plan for plan in plans if plan.groups]
    if not due:
        return
    run.progress(f"laying files anew: {', '.join(plan.table.name for plan in due)}")
    if run.warehouse.local_root is None:
        _by_delta(run, due)
        return
    readings = [reading for plan in due for reading in _readings(run.warehouse, plan)]
    readings.sort(key=lambda reading: -reading.bytes)
    write = ArrowWrite(
        task_numbers(run.warehouse.spark, len(readings)),
        partial(_read, readings),
        [(plan.table, "") for plan in due],
    )
    prepared = [part for part in prepare(run.warehouse, write) if isinstance(part, FilesWrite)]
    for place, (plan, files) in enumerate(zip(due, prepared, strict=True)):
        try:
            _commit(run, plan, files)
        except BaseException:
            for left in prepared[place:]:
                discard(run.warehouse, left)
            raise


def _readings(warehouse: Warehouse, plan: TablePlan) -> Iterator[Reading]:
    folder, schema = warehouse.local_path(plan.table), to_arrow_schema(plan.table.schema)
    for group in plan.groups:
        yield Reading(
            plan.table.name,
            schema,
            tuple(f"{folder}/{file.name}" for file in group.files),
            tuple(group.files[0].partition.items()),
            group.rows_per_batch,
            group.bytes,
        )


def _read(
    readings: Sequence[Reading], batches: Iterable[pa.RecordBatch]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    for number in numbers_in(batches):
        reading = readings[number]
        for path in reading.paths:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(reading.rows_per_batch):
                    yield reading.table, _as_table_has_it(batch, reading)


def _as_table_has_it(batch: pa.RecordBatch, reading: Reading) -> pa.RecordBatch:
    """The batch with the table's columns: those of its partition, and null where it was written without."""
    texts = dict(reading.partition)
    arrays = []
    for item in reading.schema:
        if item.name in texts:
            array = pa.repeat(pa.scalar(texts[item.name], pa.string()), batch.num_rows)
        elif item.name in batch.schema.names:
            array = batch.column(item.name)
        else:
            array = pa.nulls(batch.num_rows, item.type)
        arrays.append(array.cast(item.type))
    return pa.RecordBatch.from_arrays(arrays, names=reading.schema.names)


def _commit(run: Run, plan: TablePlan, write: FilesWrite) -> None:
    """Put the written files in the place of those that they were made from; both must have as many rows."""
    replaced = [file for group in plan.groups for file in group.files]
    rows = [file.rows for file in replaced if file.rows is not None]
    written = sum(file.rows for file in write.files)
    if len(rows) == len(replaced) and sum(rows) != written:
        raise ContractViolation(
            f"{plan.table.name}: {len(replaced)} files with {sum(rows):,} rows by the log were laid anew "
            f"with {written:,}; nothing was committed. Its data files or its log are damaged: restore them."
        )
    run.check_lease()
    warehouse = run.warehouse
    said = {"job": run.stage, "run_id": run.run_id, "package_version": __version__}
    with undisturbed(warehouse, plan.table, run.stage):
        version = commit_same_rows(
            warehouse.spark,
            warehouse.path(plan.table),
            plan.table,
            [file.action for file in write.files],
            [(file.path, file.bytes, file.partition) for file in replaced],
            user_metadata=json.dumps(said, sort_keys=True),
        )
    run.note_same_rows(plan.table, version)


def _by_delta(run: Run, plans: Sequence[TablePlan]) -> None:
    """Where tasks cannot open the files: Delta's own OPTIMIZE, over the files under half of the target."""
    warehouse = run.warehouse
    spark, target = warehouse.spark, warehouse.settings.ingest.target_file_bytes
    widest = rows_of_widest(warehouse, (row.n_samples for row in warehouse.rows(CALLSETS)))
    sizes = {f"{_OPTIMIZE}minFileSize": target // 2, f"{_OPTIMIZE}maxFileSize": target}
    for name, value in sizes.items():
        spark.conf.set(name, str(value))
    try:
        with rows_per_batch(spark, widest):
            for plan in plans:
                run.check_lease()
                with undisturbed(warehouse, plan.table, run.stage):
                    DeltaTable.forPath(spark, warehouse.path(plan.table)).optimize().executeCompaction()
                state = warehouse.state(plan.table)
                assert state is not None
                run.note_same_rows(plan.table, state.version)
    finally:
        for name in sizes:
            spark.conf.unset(name)
