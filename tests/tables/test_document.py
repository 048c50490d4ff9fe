"""docs/tables.md is what the contracts say, and the contracts say enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from allofus_spark.settings import Settings
from allofus_spark.tables import Column, Table, Zone, contracts
from allofus_spark.tables.document import document_tables
from allofus_spark.tables.types import BINARY

TABLES = list(contracts(Settings()))


def test_the_document_is_up_to_date() -> None:
    document = Path(__file__).parents[2] / "docs" / "tables.md"
    assert document.read_text(encoding="utf-8") == document_tables(TABLES), "run: make docs"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_document_tells_everything_about_a_table(table: Table) -> None:
    section = document_tables(TABLES).partition(f"\n## {table.name}\n")[2].partition("\n## ")[0]
    for fact in (table.grain, table.zone.value, *table.key, *table.partition_by, *table.sort_by):
        assert fact in section
    for name, condition in table.checks.items():
        assert f"`{name}`: `{condition}`" in section
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert len(rows) == len(table.columns)
    for column, row in zip(table.columns, rows, strict=True):
        assert row.startswith(f"| `{column.name}` |")
        assert row.endswith(f"| {column.comment} |")
        assert ("| yes |" in row) == column.nullable
        assert "{" not in column.comment  # an f-string without its f


# A consequence of no transcript has none to name.
MAY_BE_NULL = {("consequences", "transcript_id")}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_contract_has_a_key_without_nulls_and_a_meaning_for_every_column(table: Table) -> None:
    columns = {column.name: column for column in table.columns}
    assert len(columns) == len(table.columns)
    assert table.key
    nullable = [name for name in (*table.key, *table.partition_by) if columns[name].nullable]
    assert {(table.name, name) for name in nullable} <= MAY_BE_NULL
    assert all(len(column.comment) > 3 for column in table.columns)


def test_a_contract_cannot_name_a_column_that_it_lacks() -> None:
    first = TABLES[0]
    with pytest.raises(ValueError, match=r"no such columns: \['nothing'\]"):
        Table("t", first.zone, "one row", ("nothing",), first.columns)


def test_a_partition_has_a_type_that_text_gives_back() -> None:
    calls = Column("calls", BINARY, "Calls")
    with pytest.raises(ValueError, match=r"whole numbers or dates: \['calls'\] are not"):
        Table("t", Zone.REGISTERED, "one row", ("calls",), (calls,), ("calls",))
