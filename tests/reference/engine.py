"""Ingest with the engine, and read its tables back with delta-rs rather than Spark, in key order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from allofus_spark.genotypes import decode, unpack
from allofus_spark.ingest import ingest_genotypes
from allofus_spark.tables import GENOTYPES, REJECTED_RECORDS, Table, Warehouse

from .plain_alleles import Key

KEY = ("contig", "position", "ref", "alt")


def ingest(
    warehouse: Warehouse, *paths: Path, build: str, callset_id: str = "c", replace: bool = False
) -> dict[str, int]:
    return ingest_genotypes(
        warehouse,
        [str(path) for path in paths],
        callset_id=callset_id,
        callset_date="2026-01-01",
        build=build,
        replace=replace,
    )


def read_rows(warehouse: Warehouse, table: Table, *, callset_id: str | None = None) -> pa.Table:
    """All rows of a table keyed by allele (those of one callset), in key order."""
    rows = DeltaTable(warehouse.path(table)).to_pyarrow_table()
    if callset_id is not None:
        rows = rows.filter(pc.equal(rows["callset_id"], callset_id))
    order = [(name, "ascending") for name in (*KEY, "callset_id") if name in rows.column_names]
    return rows.sort_by(order).combine_chunks()


def keys_of(rows: pa.Table) -> list[Key]:
    return list(zip(*(rows[name].to_pylist() for name in KEY), strict=True))


def read_calls(warehouse: Warehouse, callset_id: str = "c") -> tuple[list[Key], npt.NDArray[np.int8]]:
    """Keys and calls int8[alleles, n] of a callset."""
    rows = read_rows(warehouse, GENOTYPES, callset_id=callset_id)
    n_samples = rows["n_samples"][0].as_py()
    (batch,) = rows.to_batches()
    return keys_of(rows), unpack(decode(batch, n_samples).to_packed(), n_samples)


def refused_alleles(warehouse: Warehouse) -> list[tuple[str, str]]:
    """(reason, POS as written) of every refused record or allele."""
    rows = DeltaTable(warehouse.path(REJECTED_RECORDS)).to_pyarrow_table()
    return sorted(zip(rows["reason"].to_pylist(), rows["pos"].to_pylist(), strict=True))


class Frequencies:
    """``allele_frequencies`` as arrays, rows in key order."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.rows = read_rows(warehouse, warehouse.contract("allele_frequencies"))
        self.keys = keys_of(self.rows)
        self._place = {key: row for row, key in enumerate(self.keys)}

    def values(self, group: str, field: str) -> npt.NDArray[np.float64]:
        """One number a row; NaN for null."""
        values: npt.NDArray[np.float64] = pc.struct_field(self.rows[group], field).to_numpy()
        return values

    def places(self, keys: Sequence[Key]) -> npt.NDArray[np.int64]:
        """Row of each key."""
        return np.array([self._place[key] for key in keys])
