"""Files of persons, and warehouses with callsets of some samples but no genotypes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from allofus_spark.genome import build_as_text, load_build
from allofus_spark.tables import (
    BIN_WIDTH_PROPERTY,
    BUILD_PROPERTY,
    CALLSETS,
    SAMPLES,
    Column,
    RowsWrite,
    Warehouse,
    start_run,
)


def write_table(path: Path, rows: Sequence[Mapping[str, Any]], delimiter: str = "\t") -> Path:
    """A file with the columns of the rows; a value that a row lacks is empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [columns, *([str(row.get(name, "")) for name in columns] for row in rows)]
    path.write_text("".join(delimiter.join(line) + "\n" for line in lines), encoding="utf-8")
    return path


def put_callset(
    warehouse: Warehouse,
    callset_id: str,
    samples: Sequence[str],
    *,
    retired_by: str | None = None,
    ancestry: Sequence[str | None] | None = None,
) -> None:
    """A callset whose samples have genotypes as far as ``samples`` says; another of the same id goes."""
    labels = ancestry or [None] * len(samples)
    known = {
        "callset_id": callset_id,
        "callset_date": dt.date(2026, 1, 1),
        "build": "GRCh38",
        "n_samples": len(samples),
        "retired_by": retired_by,
    }
    row = tuple(known.get(column.name, _empty(column)) for column in CALLSETS.columns)
    properties = {BUILD_PROPERTY: build_as_text(load_build("GRCh38")), BIN_WIDTH_PROPERTY: "10000000"}
    ours = f"callset_id = '{callset_id}'"
    with start_run(warehouse, "test") as run:
        run.write(RowsWrite(CALLSETS, [row], ours, properties))
        members = [
            (callset_id, name, place, None, label)
            for place, (name, label) in enumerate(zip(samples, labels, strict=True))
        ]
        run.write(RowsWrite(SAMPLES, members, ours))


def _empty(column: Column) -> Any:
    if column.nullable:
        return None
    return [] if column.type.simpleString() == "array<string>" else "x"
