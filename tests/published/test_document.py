"""docs/products.md is what the contracts say, and the contracts say enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from allofus_spark.published import products
from allofus_spark.published.document import document_products
from allofus_spark.settings import Settings
from allofus_spark.tables.contract import Table

TABLES = products(Settings().frequencies.ancestry_groups)


def test_the_document_is_up_to_date() -> None:
    document = (Path(__file__).parents[2] / "docs" / "products.md").read_text(encoding="utf-8")
    command = "python -m allofus_spark.published.document > docs/products.md"
    assert document == document_products(TABLES), f"run: {command}"


def test_each_product_is_listed_once() -> None:
    listed = [line for line in document_products(TABLES).splitlines() if line.startswith("| [")]
    assert listed == [f"| [{table.name}](#{table.name}) | {table.grain} |" for table in TABLES]
    assert len({table.name for table in TABLES}) == len(TABLES)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_document_tells_everything_about_a_product(table: Table) -> None:
    section = document_products(TABLES).partition(f"\n## {table.name}\n")[2].partition("\n## ")[0]
    for fact in (table.grain, *table.key, *table.sort_by):
        assert fact in section
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert len(rows) == len(table.columns)
    for column, row in zip(table.columns, rows, strict=True):
        assert row.startswith(f"| `{column.name}` |")
        assert row.endswith(f"| {column.comment} |")
        assert ("| yes |" in row) == column.nullable
        assert "{" not in column.comment
