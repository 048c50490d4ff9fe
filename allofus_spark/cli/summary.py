"""The command that tells how many variants there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from allofus_spark.cli.options import common_options, open_warehouse
from allofus_spark.cli.screen import bar, grid, percent, screen

if TYPE_CHECKING:
    from allofus_spark.summary import Summary, SummaryRow

_BAR_WIDTH = 10
_NUMBERS = ("variants", "new", "new %", "reported", "not assessable", "coding", "new coding")


@click.command("summary")
@common_options
def summary_command(settings_file: str | None, warehouse: str | None, overrides: tuple[str, ...]) -> None:
    """Count variants, those not reported before, and those of them with coding consequences.

    By ancestry, type, consequence, frequency and filter; printed, and written to variant_summary. Novelty is
    that against summary.catalogue_set. An ancestry counts the variants that somebody of it carries; a
    frequency class has its lower bound, and is of the frequency in the ancestry that is counted.
    """
    from allofus_spark.summary import summarise_variants

    with open_warehouse("summary", settings_file, warehouse, overrides) as tables:
        draw_summary(summarise_variants(tables), screen())


def draw_summary(summary: Summary, console: Console) -> None:
    """Print the headline numbers, then a table for each dimension."""
    from allofus_spark.summary import EVERYBODY

    console.print(_headline(summary))
    console.print(_basis(summary))
    for warning in summary.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False)
    by_ancestry = [row for row in summary.rows if row.dimension == EVERYBODY]
    console.print(_by("By ancestry (present in)", by_ancestry, [row.ancestry for row in by_ancestry]))
    titles = {
        "type": "By type",
        "consequence": "By most severe consequence",
        "frequency": "By allele frequency",
        "filter": "By filter (all sites)",
    }
    for dimension, title in titles.items():
        rows = summary.of(dimension)
        if dimension in ("type", "consequence"):
            rows = sorted(rows, key=lambda row: -row.n_variants)
        console.print(_by(title, rows, [row.class_name for row in rows]))


def _headline(summary: Summary) -> Table:
    total = summary.total
    table = grid("", "", "n", "%", numbers=("n", "%"))
    table.show_header = False
    n_flagged = total.n_variants - total.n_not_flagged
    lines: tuple[tuple[str, int | None, int], ...] = (
        ("[bold]Variants[/]", total.n_variants, 0),
        ("[bold]Previously unreported[/]", _of_flagged(total, total.n_new), n_flagged),
        ("  at a position that no catalogue has", _of_flagged(total, total.n_unreported), n_flagged),
        ("  new allele at a known position", _of_flagged(total, total.n_known_site_new_allele), n_flagged),
        ("[bold]Previously unreported, with a coding consequence[/]", total.n_new_coding, total.n_new),
    )
    for label, number, whole in lines:
        table.add_row(label, _count(number), "" if number is None else percent(number, whole))
    return table


def _of_flagged(row: SummaryRow, number: int) -> int | None:
    """A number of variants of some status; None where none of the row's variants was looked at."""
    return None if row.n_variants and row.n_not_flagged == row.n_variants else number


def _count(number: int | None) -> str:
    return "not known" if number is None else f"{number:,}"


def _basis(summary: Summary) -> str:
    """What the numbers rest on, in sentences."""
    versions = ", ".join(f"{name} {version}" for name, version in summary.versions.items())
    against = f"catalogue set {summary.catalogue_set}" + (f" ({versions})" if versions else ", not defined")
    sites = "passing sites, or sites not filtered" if summary.passing_only else "all sites"
    filtered = sum(row.n_variants for row in summary.of("filter") if row.class_name == "filtered")
    return (
        f"Novelty against {against}; {summary.total.n_not_assessable:,} not assessable, "
        f"{summary.total.n_not_flagged:,} not flagged. "
        f"Consequences by {summary.annotator}. Alleles that somebody carries, at {sites}; "
        f"{filtered:,} are at filtered sites. New: previously unreported."
    )


def _by(title: str, rows: list[SummaryRow], labels: list[str]) -> Table:
    """Counts of each row, with a bar of its share of the most numerous."""
    table = grid(title, "", "variants", " ", *_NUMBERS[1:], numbers=_NUMBERS)
    most = max((row.n_variants for row in rows), default=0)
    for label, row in zip(labels, rows, strict=True):
        new = _of_flagged(row, row.n_new)
        counts = (_of_flagged(row, row.n_reported), row.n_not_assessable, row.n_coding, row.n_new_coding)
        table.add_row(
            label,
            f"{row.n_variants:,}",
            bar(row.n_variants / most, _BAR_WIDTH) if most else "",
            _count(new),
            "" if new is None else percent(new, row.n_variants - row.n_not_flagged),
            *map(_count, counts),
        )
    return table
