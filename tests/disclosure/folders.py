"""Small folders that look like releases, good and bad, for the attacker's tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql.pandas.types import to_arrow_schema

from allofus_spark.published import FORMAT, MANIFEST, products

GROUPS = ("afr", "eas", "eur")


def write_manifest(
    folder: Path, groups: Sequence[str] = GROUPS, previous: Sequence[str] = (), exempt: Sequence[str] = ()
) -> None:
    """The manifest of a release that is named as its folder; it names no products but those ``exempt``."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        "format": FORMAT,
        "release": folder.name,
        "created": "2026-01-01T00:00:00Z",
        "build": "GRCh38",
        "groups": list(groups),
        "floor": 20,
        "round_to": 40,
        "previous": list(previous),
        "snapshot_id": 1,
        "package_version": "0",
        "settings_hash": "0",
        "products": [
            {
                "name": name,
                "grain": "",
                "policy": "exempt",
                "reason": "donors agreed",
                "rows": 0,
                "withheld": {},
                "columns": [],
                "source_tables": {},
                "files": [],
            }
            for name in exempt
        ],
    }
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def write_table(folder: Path, product: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """One product of a release as a Parquet file; a row without a column has null there."""
    place = folder / "tables" / product
    place.mkdir(parents=True, exist_ok=True)
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    table = pa.table(columns)
    empty = [name for name in names if table.schema.field(name).type == pa.null()]
    for name in empty:
        table = table.set_column(table.schema.get_field_index(name), name, pa.nulls(len(table), pa.int64()))
    pq.write_table(table, place / "part-0.parquet")


def release(
    folder: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]], names: Sequence[str] = GROUPS
) -> Path:
    """A release with these tables, of ancestry groups ``names``."""
    write_manifest(folder, names)
    for product, rows in tables.items():
        write_table(folder, product, rows)
    return folder


def whole(
    folder: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]], previous: Sequence[str] = ()
) -> Path:
    """A release with all the columns of the contract, and the manifest that describes its files."""
    contracts = {table.name: table for table in products(GROUPS)}
    for product, rows in tables.items():
        place = folder / "tables" / product
        place.mkdir(parents=True)
        schema = to_arrow_schema(contracts[product].schema)
        schema = pa.schema([field.with_nullable(True) for field in schema])
        pq.write_table(
            pa.Table.from_pylist([dict(row) for row in rows], schema), place / "part-00000.parquet"
        )
    write_manifest(folder, previous=previous)
    return describe(folder)


def describe(folder: Path, **changes: Any) -> Path:
    """The release with a manifest of the files that lie in it; ``changes``: to what that says."""
    path = folder / MANIFEST
    described = []
    for place in sorted((folder / "tables").iterdir()):
        files = [*place.rglob("*.parquet"), *folder.glob(f"*/{place.name}.*")]
        parts = [pq.ParquetFile(part) for part in place.glob("*.parquet")]
        described.append(
            {
                "name": place.name,
                "grain": "",
                "policy": "suppress",
                "reason": "",
                "rows": sum(part.metadata.num_rows for part in parts),
                "withheld": {},
                "columns": [
                    {"name": name, "type": "", "nullable": True, "description": ""}
                    for name in parts[0].schema_arrow.names
                ],
                "source_tables": {},
                "files": [
                    {
                        "path": file.relative_to(folder).as_posix(),
                        "bytes": file.stat().st_size,
                        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                    }
                    for file in files
                ],
            }
        )
    manifest = json.loads(path.read_text(encoding="utf-8")) | {"products": described} | changes
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def sizes(**numbers: int | None) -> list[dict[str, Any]]:
    """Rows of groups: ``sizes(afr=100, all=None)``."""
    return [{"ancestry": name, "n_participants": number} for name, number in numbers.items()]


def variant(position: int = 100, contig: str = "chr1", **cells: Any) -> dict[str, Any]:
    """One row of variants: ``afr=(AC, AN)`` or ``afr=(AC, AN, homozygotes)``; ``afr_sc=…``: any column."""
    row: dict[str, Any] = {"contig": contig, "position": position, "ref": "A", "alt": "G"}
    for name, value in cells.items():
        if isinstance(value, tuple):
            ac, an, hom = (*value, None)[:3]
            row |= {f"{name}_ac": ac, f"{name}_an": an, f"{name}_n_hom": hom}
        else:
            row[name] = value
    return row
