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
    from collections.abc import Sequence

    from pyspark.sql import Row
    from rich.table import Table

    from allofus_spark.replication import Replication

_RATES = ("known", "of tested", "of powered", "expected", "ratio")


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
    al. 2023). Phenotypes are text, as phecodes are: 250.2, 008. Lines that are refused are kept with the
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

    if found.simulated_sets:
        names = ", ".join(found.simulated_sets)
        console.print(f"The phenotypes of {names} are simulated: what follows is no finding.", markup=False)
    against = f"scan {found.scan} against {found.map_name} {found.map_version}"
    console.print(f"Known associations that are seen again: {against}", markup=False)
    same, in_any = found.of(SAME), found.of(ANY)
    if same:
        console.print(_rates("Seen again, of those found in the same ancestry", same))
    console.print(_rates("Seen again, of those found in any ancestry", in_any))
    console.print(_distinct(same, in_any))
    console.print("expected: the sum of the chances to see each; ratio: seen again over expected")
    not_tested = {name: n for name, n in found.by_status.items() if n and name != "tested"}
    if not_tested:
        listed = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in sorted(not_tested.items()))
        console.print(f"Not tested, over all ancestries: {listed}", soft_wrap=True)
    console.print(f"Picture: {found.picture}", markup=False, soft_wrap=True)


def _rates(title: str, rows: Sequence[Row]) -> Table:
    """Associations seen again, of those tested and of those powered."""
    table = grid(title, "ancestry", *_RATES, numbers=_RATES)
    for row in rows:
        table.add_row(
            row.ancestry,
            f"{row.known:,}",
            _share(row.replicated, row.tested),
            _share(row.powered_replicated, row.powered),
            f"{row.expected:,.1f}",
            "" if row.aer is None else f"{row.aer:.2f}",
        )
    return table


def _distinct(same: Sequence[Row], in_any: Sequence[Row]) -> Table:
    """Variants and phenotypes with an association seen again, of those tested."""
    columns = ("variants, same", "phenotypes, same", "variants, any", "phenotypes, any")
    table = grid(
        "Distinct variants and phenotypes, found in the same or any ancestry",
        "ancestry",
        *columns,
        numbers=columns,
    )
    own = {row.ancestry: row for row in same}
    for row in in_any:
        cells = [_distinct_cells(each) for each in (own.get(row.ancestry), row)]
        table.add_row(row.ancestry, *cells[0], *cells[1])
    return table


def _distinct_cells(row: Row | None) -> tuple[str, str]:
    if row is None:
        return "", ""
    return (
        f"{row.variants_replicated:,} of {row.variants_tested:,}",
        f"{row.phenotypes_replicated:,} of {row.phenotypes_tested:,}",
    )


def _share(part: int, whole: int) -> str:
    """How many of how many.

    >>> _share(4, 6), _share(0, 0)
    ('4 of 6 (67 %)', '0 of 0')
    """
    return f"{part:,} of {whole:,} ({100 * part / whole:.0f} %)" if whole else f"{part:,} of {whole:,}"
