"""The plain look: no published count of people lies in 1 to the floor, in any file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from allofus_spark.disclosure.findings import Verification
from allofus_spark.disclosure.rows import BATCH_ROWS

# Columns named n_… that count variants or tests, and products that count no people.
NOT_PEOPLE = frozenset({"n_variants", "n_coding", "n_tested", "n_genome_wide"})
EXEMPT_PRODUCTS = frozenset({"variant_counts", "genes", "replication_summary"})
_OF_PEOPLE = ("_ac", "_sc", "_n_hom", "_n_het", "_n_hemi")


def scan_release(release: Path, result: Verification) -> None:
    """Add every cell in 1..floor of columns that count people, in every Parquet file of the release."""
    for file in sorted((release / "tables").glob("*/*.parquet")):
        product = file.parent.name
        if product in EXEMPT_PRODUCTS:
            continue
        parquet = pq.ParquetFile(file)
        schema = parquet.schema_arrow
        names = [field.name for field in schema if counts_people(field.name) and _is_number(field.type)]
        first = 1
        for batch in parquet.iter_batches(BATCH_ROWS, columns=names) if names else ():
            result.try_kind(product, "cells looked at", batch.num_rows * len(names))
            _small(product, file.name, first, batch, result)
            first += batch.num_rows


def counts_people(column: str) -> bool:
    """Whether a column of a release counts people, or copies that they carry, by its name."""
    return (
        column == "n" or column.startswith("n_") or column.endswith(_OF_PEOPLE)
    ) and column not in NOT_PEOPLE


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _small(product: str, file: str, first: int, batch: pa.RecordBatch, result: Verification) -> None:
    """Add cells in 1..floor; beyond the room of the list they are only counted."""
    for name in batch.schema.names:
        values = batch.column(name).cast("float64").to_numpy(zero_copy_only=False)
        places = np.flatnonzero((values >= 1) & (values <= result.floor))
        listed = places[: result.room(product)]
        result.count(product, len(places) - len(listed))
        for place in listed:
            bounds, row = (int(values[place]), int(values[place])), f"{file} row {first + place}"
            result.told(product, row, name, ("as published",), bounds, "it is shown")
