"""Commands that look without changing anything."""

from __future__ import annotations

import csv
import itertools
import json
import sys
from collections.abc import Iterable
from typing import Any

import click
from pyspark.errors import PySparkException
from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from allofus_spark.cli.gate import demand_for, passport_option
from allofus_spark.cli.options import clear_errors, common_options, fail, open_warehouse

_WIDE = 400  # columns where the output is no terminal: a pipe or a log wraps nothing
_DELIMITERS = {"tsv": "\t", "csv": ","}


@click.command("query")
@click.option("--format", "output", type=click.Choice(["table", "tsv", "csv", "json"]), default="table")
@click.option(
    "--rows", default=100, show_default=True, help="Most rows shown as a table; other formats give all."
)
@passport_option
@click.argument("sql")
@common_options
def query_command(
    output: str,
    rows: int,
    passport: str | None,
    sql: str,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Answer one SELECT over named tables, as of the newest finished run.

    \b
    allofus query "SELECT variant_id, eas.af FROM allele_frequencies WHERE eas.af > 0.9 LIMIT 10"

    Where access.enforce is set, tables of the zone controlled/ need the Controlled tier and a passport that
    grants the data set, those of registered/ the Registered tier and a passport of registered access.
    """
    from allofus_spark.query import check_statement, run_query, tables_read

    with clear_errors():
        check_statement(sql)
    with open_warehouse("query", settings_file, warehouse, overrides) as tables:
        demand_for(tables, "query", passport, tables_read(tables, sql))
        try:
            frame = run_query(tables, sql)
            if output == "table":
                _print_table(frame.columns, [list(row) for row in frame.limit(rows + 1).collect()], rows)
            else:
                _print_rows(frame.columns, (list(row) for row in frame.toLocalIterator()), output)
        except PySparkException as error:
            fail(str(error).split("\n")[0])


def _print_table(columns: list[str], rows: list[list[Any]], most: int) -> None:
    table = RichTable(*columns, box=box.SIMPLE)
    for row in rows[:most]:
        table.add_row(*(_text(value) for value in row))
    Console(width=None if sys.stdout.isatty() else _WIDE, soft_wrap=True).print(table)
    if len(rows) > most:
        click.echo(f"the first {most} rows; --rows shows more, --format tsv gives all", err=True)


def _print_rows(columns: list[str], rows: Iterable[list[Any]], output: str) -> None:
    if output == "json":
        for row in rows:
            click.echo(json.dumps(dict(zip(columns, map(_plain, row), strict=True)), default=str))
        return
    writer = csv.writer(sys.stdout, delimiter=_DELIMITERS[output], lineterminator="\n")
    writer.writerows(itertools.chain([columns], ([_text(value) for value in row] for row in rows)))


def _plain(value: Any) -> Any:
    """Rows as dictionaries, bytes as hexadecimal, for JSON."""
    if hasattr(value, "asDict"):
        return {name: _plain(item) for name, item in value.asDict().items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return bytes(value).hex() if isinstance(value, bytes | bytearray) else value


def _text(value: Any) -> str:
    """A cell: null is empty, nested values are JSON."""
    plain = _plain(value)
    if plain is None:
        return ""
    return json.dumps(plain, default=str) if isinstance(plain, dict | list) else str(plain)


@click.command("status")
@common_options
def status_command(settings_file: str | None, warehouse: str | None, overrides: tuple[str, ...]) -> None:
    """Show the tables with their versions, rows, bytes and last run, and which stages are stale and why."""
    from allofus_spark.cli.plan_screen import show_plan
    from allofus_spark.pipeline import make_plan
    from allofus_spark.query import warehouse_status

    with open_warehouse("status", settings_file, warehouse, overrides) as tables:
        statuses = warehouse_status(tables)
        if not statuses:
            click.echo(f"{tables.root} holds no tables yet; run allofus ingest-genotypes")
            return
        shown = RichTable(box=box.SIMPLE, title=tables.root, title_justify="left")
        for heading in ("table", "zone", "version", "rows", "files", "MiB", "last run", "at (UTC)"):
            numeric = heading in ("rows", "files", "MiB")
            shown.add_column(heading, justify="right" if numeric else "left", no_wrap=True)
        for item in statuses:
            version = "not finished" if item.version is None else str(item.version)
            if item.version is not None and item.live_version > item.version:
                version += f" (live {item.live_version})"
            at = f"{item.last_run_at:%Y-%m-%d %H:%M}" if item.last_run_at else ""
            numbers = (f"{item.rows:,}", str(item.files), f"{item.bytes / 2**20:,.2f}")
            shown.add_row(item.name, item.zone, version, *numbers, item.last_run or "", at)
        console = Console(width=None if sys.stdout.isatty() else _WIDE, soft_wrap=True)
        console.print(shown)
        show_plan(console, make_plan(tables), "Stages")
