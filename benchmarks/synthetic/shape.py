"""Arrow data of the products' columns, and the files of a product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql.pandas.types import to_arrow_schema

from allofus_spark.checksums import file_checksum
from allofus_spark.published import ReleasedColumn, ReleasedFile, ReleasedProduct
from allofus_spark.tables.contract import Table


def arrow_schema(table: Table) -> pa.Schema:
    """The product's columns as Arrow has them."""
    return to_arrow_schema(table.schema)


def as_table(table: Table, columns: Mapping[str, Any]) -> pa.Table:
    """Columns by name as a table of the product's schema."""
    schema = arrow_schema(table)
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, from_pandas=True)
        for column in (columns[name] for name in schema.names)
    ]
    return pa.table(
        [array.cast(item.type) for array, item in zip(arrays, schema, strict=True)], schema=schema
    )


def from_rows(table: Table, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows, in the product's order, as a table of its schema; a column that a row lacks is null."""
    schema = arrow_schema(table)
    order = table.sort_by or table.key
    held = sorted(rows, key=lambda row: tuple(row[name] for name in order))
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in held], schema)


def text_lists(present: np.ndarray[Any, Any], texts: pa.Array) -> pa.ListArray:
    """Lists of no text or one: ``present`` bool[n], ``texts`` those of the rows that have one."""
    offsets = np.concatenate([[0], np.cumsum(present)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), texts)


def write_product(
    folder: Path, table: Table, parts: Iterable[pa.Table], *, group_rows: int
) -> ReleasedProduct:
    """Write a product's Parquet files, one a part, and say what the manifest says of it."""
    place = folder / "tables" / table.name
    place.mkdir(parents=True)
    rows = 0
    for number, part in enumerate(parts):
        pq.write_table(
            part, place / f"part-{number:05d}.zstd.parquet", compression="zstd", row_group_size=group_rows
        )
        rows += part.num_rows
    columns = [
        ReleasedColumn(
            name=column.name,
            type=column.type.simpleString(),
            nullable=column.nullable,
            description=column.comment,
        )
        for column in table.columns
    ]
    return ReleasedProduct(
        name=table.name,
        grain=table.grain,
        policy="suppress" if table.name in ("variants", "groups") else "round",
        reason="invented numbers, for trying",
        rows=rows,
        withheld={},
        columns=columns,
        source_tables={},
        files=[_described(folder, path) for path in sorted(place.iterdir())],
    )


def _described(folder: Path, path: Path) -> ReleasedFile:
    name = path.relative_to(folder).as_posix()
    return ReleasedFile(path=name, bytes=path.stat().st_size, sha256=file_checksum(path))
