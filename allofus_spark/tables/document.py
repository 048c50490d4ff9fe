"""The documentation of the tables, made from their contracts.

``python -m allofus_spark.tables.document > docs/tables.md``
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from pyspark.sql.types import StructType

from allofus_spark.settings import Settings
from allofus_spark.tables.catalog import contracts
from allofus_spark.tables.contract import Column, Table, Zone

_INTRODUCTION = """\
# Tables

Written by `python -m allofus_spark.tables.document` from the contracts in `allofus_spark/tables/`; change
those, then run `make docs`. The ancestry groups are those of the default settings.

Every table is a Delta table at `WAREHOUSE/ZONE/TABLE`. Readers use the versions of the newest finished
snapshot (`snapshots`); `allofus query` and `allofus status` do so by themselves. `pipeline_runs`, `snapshots`
and the journals of access (`researchers`, `access_events`, `access_audit`) are in no snapshot, and are read
as last committed. No result holds a clock or a run id, so that a recompute gives the same content."""

_ZONES = {
    Zone.CONTROLLED: "individual-level data",
    Zone.REGISTERED: "internal aggregates, not disclosure-controlled",
    Zone.PUBLIC: "released data",
}


def document_tables(tables: Sequence[Table]) -> str:
    """Markdown with a list of the tables by zone, then one section a table."""
    sections = [_INTRODUCTION, _overview(tables), *map(table_section, tables)]
    return "\n\n".join(sections) + "\n"


def _overview(tables: Sequence[Table]) -> str:
    rows = [f"| [{item.name}](#{item.name}) | {item.zone.value} | {_cell(item.grain)} |" for item in tables]
    zones = ", ".join(f"`{zone.value}` holds {meaning}" for zone, meaning in _ZONES.items())
    table = "\n".join(["| table | zone | one row is |", "|---|---|---|", *rows])
    return f"{table}\n\nZones, so that storage permissions can follow what a table holds: {zones}."


def table_section(table: Table) -> str:
    """Markdown of one table: what a row is, its keys and order, and its columns."""
    in_file = [name for name in table.order if name not in table.partition_by]
    facts = [
        f"- **One row is** {table.grain}.",
        f"- **Zone** {table.zone.value}.",
        f"- **Key** {_names(table.key)}.",
        *([f"- **Partitioned by** {_names(table.partition_by)}."] if table.partition_by else []),
        *([f"- **Sorted in a file by** {_names(in_file)}."] if in_file else []),
        *(f"- **Check** `{name}`: `{condition}`." for name, condition in table.checks.items()),
    ]
    columns = ["| column | type | null? | meaning |", "|---|---|---|---|", *_column_rows(table.columns)]
    return "\n".join([f"## {table.name}", "", *facts, "", *columns])


def _column_rows(columns: Sequence[Column]) -> Iterator[str]:
    """A row a column; a struct is written out where it comes first."""
    first_of: dict[str, str] = {}
    for column in columns:
        kind = column.type.simpleString()
        first = first_of.setdefault(kind, column.name)
        if isinstance(column.type, StructType):
            fields = ", ".join(f"{item.name} {item.dataType.simpleString()}" for item in column.type.fields)
            kind = f"struct of {fields}" if first == column.name else f"struct as {first}"
        null = "yes" if column.nullable else "no"
        yield f"| `{column.name}` | `{kind}` | {null} | {_cell(column.comment)} |"


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(document_tables(list(contracts(Settings()))))
