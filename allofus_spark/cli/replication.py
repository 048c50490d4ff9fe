"""Commands that bring known associations in, and tell whether a scan sees them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console

from allofus_spark.cli.options import (
    column_option,
    common_options,
    echo_counters,
    named_columns,
    open_warehouse,
)
from allofus_spark.cli.screen import grid, screen

if TYPE_CHECKING:
    from pyspark.sql import Row
    from rich.table import Table

    from allofus_spark.replication import Replication

_NUMBERS = (
    "known",
    "tested",
    "powered",
    "seen again",
    "of all",
    "of powered",
    "expected",
    "actual / expected",
    "variants",
    "diseases",
)


@click.command("ingest-known-associations")
@click.option("--name", required=True, metavar="NAME", help="Name of the map, such as pgrm.")
@click.option("--version", required=True, metavar="VERSION", help="Its version, such as 1.")
@click.option("--frequencies", metavar="FILE", help="Allele frequencies by ancestry: PGRM_AF.csv of the map.")
@column_option("assoc_ID, SNP_hg38, phecode and the other columns of the map")
@click.argument("file")
@common_options
def ingest_known_associations_command(
    name: str,
    version: str,
    frequencies: str | None,
    columns: tuple[str, ...],
    file: str,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Ingest a map of associations that are known: variants with phenotypes, by ancestry.

    FILE is a CSV or TSV with the columns of the Phenotype-Genotype Reference Map (PGRM_ALL.csv; Bastarache et
    al. 2022). Phenotypes are text, as phecodes are: 250.2, 008. Lines that are refused are kept with the
    reason. What is held under the name and version is replaced.

    \b
      allofus ingest-known-associations --name pgrm --version 1 --frequencies PGRM_AF.csv PGRM_ALL.csv
    """
    from allofus_spark.replication import ingest_known_associations

    named = named_columns(columns, example="phecode=code")
    with open_warehouse("ingest-known-associations", settings_file, warehouse, overrides) as tables:
        counters = ingest_known_associations(
            tables, file, name=name, version=version, frequencies=frequencies, columns=named
        )
        echo_counters(f"known associations of {name} {version} are in {tables.root}", counters)


@click.command("replicate")
@click.option("--scan", default="default", show_default=True, metavar="NAME", help="Scan of associate.")
@click.option("--map", "map_name", metavar="NAME", help="Map of known associations, where there are several.")
@click.option("--version", "map_version", metavar="VERSION", help="Its version, where there are several.")
@common_options
def replicate_command(
    scan: str,
    map_name: str | None,
    map_version: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Tell which known associations a scan sees again, by ancestry.

    Writes replications and replication_summary of the scan and map, and draws
    WAREHOUSE/registered/pictures/replication_SCAN_MAP.html. Seen again is a p under replication.max_p in the
    known direction; a test is powered where its chance to see the lower bound of the known odds ratio is
    replication.min_power or more. Actual / expected: seen again over the sum of these chances.
    """
    from allofus_spark.replication import replicate

    with open_warehouse("replicate", settings_file, warehouse, overrides) as tables:
        draw_replication(replicate(tables, scan=scan, map_name=map_name, map_version=map_version), screen())


def draw_replication(found: Replication, console: Console) -> None:
    """Print rates by ancestry, of associations found in the same ancestry and in any."""
    from allofus_spark.tables.replication_tables import ANY, SAME

    against = f"scan {found.scan} against {found.map_name} {found.map_version}"
    if found.simulated_sets:
        names = ", ".join(found.simulated_sets)
        console.print(f"The phenotypes of {names} are simulated: what follows is no finding.", markup=False)
    for known_in, words in ((SAME, "found in the same ancestry"), (ANY, "found in any ancestry")):
        console.print(_by_ancestry(f"Associations {words}: {against}", found.of(known_in)))
    not_tested = {name: n for name, n in found.by_status.items() if n and name != "tested"}
    if not_tested:
        listed = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in sorted(not_tested.items()))
        console.print(f"Not tested, over all ancestries: {listed}")
    console.print(f"Picture: {found.picture}", markup=False)


def _by_ancestry(title: str, rows: list[Row]) -> Table:
    table = grid(title, "ancestry", *_NUMBERS, numbers=_NUMBERS)
    for row in rows:
        table.add_row(
            row.ancestry,
            f"{row.known:,}",
            f"{row.tested:,}",
            f"{row.powered:,}",
            f"{row.replicated:,}",
            _rate(row.rr_all),
            _rate(row.rr_power),
            f"{row.expected:,.1f}",
            "" if row.aer is None else f"{row.aer:.2f}",
            f"{row.variants_replicated:,} of {row.variants_tested:,}",
            f"{row.phenotypes_replicated:,} of {row.phenotypes_tested:,}",
        )
    return table


def _rate(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"
