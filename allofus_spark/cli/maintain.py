"""The commands that look after the tables: their files, and their columns."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from allofus_spark.cli.options import common_options, open_warehouse

if TYPE_CHECKING:
    from allofus_spark.maintenance import TablePlan

_WIDE = 400  # columns where the output is no terminal: a pipe or a log wraps nothing
_MIB = 1024 * 1024


@click.command("maintain")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option(
    "--force-retention",
    is_flag=True,
    help="Allow maintenance.retention_hours under maintenance.min_retention_hours: nobody reads now.",
)
@common_options
def maintain_command(
    dry_run: bool,
    force_retention: bool,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Put small data files together, checkpoint logs, and remove files that no reader needs.

    Changes no row: what was computed stays current. Files are removed maintenance.retention_hours after they
    were replaced, never while the newest snapshot needs them.
    """
    from allofus_spark.maintenance import check_retention, maintain, plan_maintenance

    with open_warehouse("maintain", settings_file, warehouse, overrides) as tables:
        check_retention(tables.settings.maintenance, force=force_retention)
        if dry_run:
            _print_plans(plan_maintenance(tables), tables.root, done=False)
        else:
            _print_plans(maintain(tables, force_retention=force_retention), tables.root, done=True)


def _print_plans(plans: Sequence[TablePlan], root: str, *, done: bool) -> None:
    """A row for each table with something to do, and the sums."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable

    due = [plan for plan in plans if plan.groups or plan.needless or plan.needs_checkpoint]
    if not due:
        click.echo(f"{root}: nothing to do in {len(plans)} tables")
        return
    shown = RichTable(box=box.SIMPLE, title=root, title_justify="left")
    words = ("laid anew", "removed") if done else ("to lay anew", "to remove")
    headings = ("files", "after", "MiB", f"MiB {words[0]}", f"files {words[1]}", f"MiB {words[1]}")
    shown.add_column("table", no_wrap=True)
    for heading in headings:
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("log", no_wrap=True)
    for plan in due:
        shown.add_row(plan.table.name, *_numbers([plan]), "checkpoint" if plan.needs_checkpoint else "")
    shown.add_row(f"{len(due)} of {len(plans)} tables", *_numbers(due), "")
    Console(width=None if sys.stdout.isatty() else _WIDE, soft_wrap=True).print(shown)
    if not done:
        click.echo("nothing was done; leave out --dry-run to do it")


def _numbers(plans: Sequence[TablePlan]) -> list[str]:
    bytes_of = (
        sum(plan.bytes for plan in plans),
        sum(plan.bytes_laid_anew for plan in plans),
        sum(plan.bytes_removed for plan in plans),
    )
    stored, laid_anew, removed = (f"{value / _MIB:,.2f}" for value in bytes_of)
    files = sum(len(plan.files) for plan in plans)
    after = sum(plan.n_files_after for plan in plans)
    n_removed = sum(len(plan.needless) for plan in plans)
    return [f"{files:,}", f"{after:,}", stored, laid_anew, f"{n_removed:,}", removed]


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Show what tables lack, and do nothing.")
@common_options
def migrate_command(
    dry_run: bool, settings_file: str | None, warehouse: str | None, overrides: tuple[str, ...]
) -> None:
    """Give tables of an earlier version the columns that this one has.

    Adds columns that may be null to the tables' logs; no data file is rewritten, and rows of before have null
    there. Any other difference is refused before anything is changed.
    """
    from allofus_spark.maintenance import find_migrations, migrate

    with open_warehouse("migrate", settings_file, warehouse, overrides) as tables:
        found = find_migrations(tables) if dry_run else migrate(tables)
        for item in found:
            click.echo(f"{item.table.name}: {', '.join(item.columns) or 'marked with the schema version'}")
        if not found:
            click.echo(f"{tables.root}: every table is as this version writes it")
        elif dry_run:
            click.echo("nothing was done; leave out --dry-run to add these columns")
        else:
            click.echo(f"{tables.root}: {len(found)} tables are as this version writes them")
