"""Columns of live tables as Arrow: those of a local warehouse come straight from its files, without a job.

For tables that grow with people, whose rows are too many to be objects of the driver.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import collect
from allofus_spark.tables.contract import Table
from allofus_spark.tables.runs import Run
from allofus_spark.tables.shape import check_columns

Among = Mapping[str, Collection[str]]
"""Columns, and the values of which a row has one in each."""


def read_columns(run: Run, table: Table, names: Sequence[str], among: Among | None = None) -> pa.Table:
    """Columns of the rows that have one of the values ``among``; their version is noted as an input."""
    if run.warehouse.local_root is None:
        return collect(rows_among(run.read(table), among or {}).select(*names))
    return _scanner(run, table, names, among or {}).to_table()


def column_batches(run: Run, table: Table, names: Sequence[str], among: Among) -> Iterator[pa.RecordBatch]:
    """As `read_columns`, batch by batch; of a local warehouse alone."""
    return iter(_scanner(run, table, names, among).to_batches())


def rows_among(frame: DataFrame, among: Among) -> DataFrame:
    """The rows that have one of the values in each column."""
    for name, values in among.items():
        frame = frame.where(F.col(name).isin(list(values)))
    return frame


def _scanner(run: Run, table: Table, names: Sequence[str], among: Among) -> ds.Scanner:
    version = run.note_input(table)
    held = DeltaTable(run.warehouse.local_path(table), version=version).to_pyarrow_dataset()
    check_columns(table, held.schema.names)
    conditions = [ds.field(name).isin(list(values)) for name, values in among.items()]
    condition = reduce(lambda left, right: left & right, conditions) if conditions else None
    # Few batches ahead: rows of a wide table are more than memory holds.
    return held.scanner(columns=list(names), filter=condition, batch_readahead=4, fragment_readahead=1)
