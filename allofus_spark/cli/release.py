"""The command that makes a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from allofus_spark.cli.options import common_options, open_warehouse
from allofus_spark.cli.screen import grid, percent, screen

if TYPE_CHECKING:
    from rich.table import Table

    from allofus_spark.published import ReleasedProduct
    from allofus_spark.release import Released


@click.command("release")
@click.option("--version", required=True, metavar="NAME", help="Name of the release, such as v8.")
@click.option(
    "--releases",
    metavar="FOLDER",
    help="Folder of all releases, local or mounted on every node (default: WAREHOUSE/public/releases).",
)
@common_options
def release_command(
    version: str,
    releases: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Publish the newest snapshot as a numbered release.

    \b
      allofus release --version v8
      allofus release --version v9 --set release.policy.associations=leave_out

    Counts of 1 to release.floor participants are withheld, and whatever they would follow from: sums,
    differences, and earlier releases. Before it is published the release is attacked as verify-release does;
    where anything can be derived nothing is published. A release is never changed, and never made again.
    """
    from allofus_spark.pipeline.release import make_release

    with open_warehouse("release", settings_file, warehouse, overrides) as tables:
        print_release(make_release(tables, version, releases))


def print_release(released: Released) -> None:
    """What was released, what is withheld, and what the frequencies of each group still tell."""
    console = screen()
    console.print(_products(released))
    for product, reason in released.left_out.items():
        console.print(f"{product} is left out: {reason}", markup=False)
    console.print(_kept(released))
    for warning in released.warnings:
        console.print(f"warning: not current: {warning}", style="yellow", markup=False)
    console.print(f"release {released.manifest.release} is in {released.folder}", markup=False)


def _products(released: Released) -> Table:
    table = grid(
        f"Release {released.manifest.release}", "product", "rows", "policy", "withheld", numbers=("rows",)
    )
    for product in released.manifest.products:
        table.add_row(product.name, f"{product.rows:,}", product.policy, _withheld(product))
    return table


def _withheld(product: ReleasedProduct) -> str:
    if product.name == "variants":
        cells = sum(product.withheld.values())
        return f"{cells:,} cells" if cells else ""
    return ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in product.withheld.items())


def _kept(released: Released) -> Table:
    """Variants that each group carries, and whose frequency in it is shown."""
    total = released.manifest.product("variants")
    n_variants = 0 if total is None else total.rows
    columns = ("carried", "of these with AF", "carried, kept", "of all variants with AF", "kept")
    table = grid("Variants that keep their frequency", "group", *columns, numbers=columns)
    for group, (carried, kept) in released.kept.items():
        if not carried:  # nobody is of the group, or nothing of it is shown
            continue
        withheld = 0 if total is None else total.withheld.get(f"{group}_ac", 0)
        shown = n_variants - withheld
        shares = percent(kept, carried), percent(shown, n_variants)
        table.add_row(group, f"{carried:,}", f"{kept:,}", shares[0], f"{shown:,}", shares[1])
    return table
