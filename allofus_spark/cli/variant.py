"""The command that shows what is known of a variant, on one screen."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import click

from allofus_spark.cli.gate import demand_for, passport_option
from allofus_spark.cli.options import common_options, open_warehouse
from allofus_spark.cli.screen import screen
from allofus_spark.cli.variant_screen import draw_list, draw_variant


@click.command("variant")
@click.argument("name")
@click.option(
    "--rows",
    type=click.IntRange(1, 100_000),
    default=40,
    show_default=True,
    help="Most variants of a list that are shown.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as one JSON object.")
@passport_option
@common_options
def variant_command(
    name: str,
    rows: int,
    as_json: bool,
    passport: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Show what is known of a variant, or list the variants of a gene.

    NAME is a variant, an rs number or a gene:

    \b
      allofus variant 22-19963748-G-A
      allofus variant chr22:19963748:G:A
      allofus variant rs4680
      allofus variant COMT

    Any spelling of a contig is understood, and alleles that are not in their normal form. As of the newest
    finished run; novelty is that against summary.catalogue_set, consequences those of
    consequences.annotator. Counts are not disclosure-controlled: where access.enforce is set, the Registered
    tier and a passport of registered access are needed.
    """
    from allofus_spark.query import VariantReport, find_variant

    with open_warehouse("variant", settings_file, warehouse, overrides) as tables:
        demand_for(tables, "variant", passport, [tables.contract("allele_frequencies")])
        found = find_variant(tables, name, most=rows)
        if as_json:
            click.echo(json.dumps(plain(asdict(found)), default=str, allow_nan=False))
        elif isinstance(found, VariantReport):
            draw_variant(found, screen())
        else:
            draw_list(found, screen())


def plain(value: Any) -> Any:
    """Numbers that JSON does not have (a QUAL can be infinite) as text."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
