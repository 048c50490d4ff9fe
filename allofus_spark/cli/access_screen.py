"""Commands that show who may see what, why not, who asked, and how long it took."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from allofus_spark.cli.gate import passport_option
from allofus_spark.cli.options import common_options, open_warehouse
from allofus_spark.cli.screen import grid, screen

if TYPE_CHECKING:
    from pyspark.sql import Row

    from allofus_spark.access import Rule
    from allofus_spark.tables import Warehouse


@click.command("check")
@click.argument("researcher")
@click.option(
    "--tier",
    type=click.Choice(["registered", "controlled"]),
    default="controlled",
    show_default=True,
    help="Tier whose rules are looked at.",
)
@passport_option
@common_options
def access_check(
    researcher: str,
    tier: str,
    passport: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Show every rule of a tier for RESEARCHER, which do not hold, and what to do.

    With --passport the file is looked at too, as a command would; nothing is shown by that and nothing is
    written to the audit. Exit status 1: something is missing.
    """
    from allofus_spark.access import Request, Tier, failures, judge, standing

    wanted = Tier(tier)
    with open_warehouse("access check", settings_file, warehouse, overrides) as tables:
        rules = standing(tables, researcher, wanted)
        console = screen()
        _draw_rules(console, f"{researcher}, {tier} tier", rules)
        is_fine = not failures(rules)
        if passport is not None:
            now = dt.datetime.now(dt.timezone.utc)
            found = judge(tables, Request("access check", wanted, ()), passport, now)
            owner = found.researcher_id
            if owner not in (None, researcher):
                console.print(f"Passport: it is {owner}'s, not {researcher}'s", markup=False)
            elif found.granted:
                console.print("Passport: counts for this tier")
            else:
                console.print(f"Passport: {found.reason.value}: {found.detail}. {found.remedy}", markup=False)
            for visa in found.passport.refused if found.passport else ():
                console.print(f"  visa that does not count: {visa}: {visa.detail}", markup=False)
            is_fine = is_fine and found.granted and owner == researcher
    if not is_fine:
        sys.exit(1)


def _draw_rules(console: Console, title: str, rules: Sequence[Rule]) -> None:
    table = grid(title, "", "tier", "rule", "", "what to do")
    for rule in rules:
        sign = "yes" if rule.holds else "NO"
        table.add_row(sign, rule.tier.value, Text(rule.name), Text(rule.said), Text(rule.remedy))
    console.print(table)


@click.command("list")
@common_options
def access_list(settings_file: str | None, warehouse: str | None, overrides: tuple[str, ...]) -> None:
    """List the researchers, and which tiers they hold today."""
    from allofus_spark.access import Tier, failures, load_registry, standing

    with open_warehouse("access list", settings_file, warehouse, overrides) as tables:
        registry = load_registry(tables)
        shown = grid("Researchers", "researcher", "name", "institution", "registered", "tiers")
        for name, researcher in sorted(registry.researchers.items()):
            held = [
                tier.value for tier in Tier if not failures(standing(tables, name, tier, registry=registry))
            ]
            since = f"{researcher.registered_at:%Y-%m-%d}"
            cells = (name, researcher.name, researcher.institution, since, ", ".join(held) or "none")
            shown.add_row(*map(Text, cells))
        screen().print(shown)


@click.command("report")
@common_options
def access_report(settings_file: str | None, warehouse: str | None, overrides: tuple[str, ...]) -> None:
    """Show how long researchers wait from registration to each step and to the first data.

    By month of registration, and of all. As in a release, groups of release.floor researchers or fewer are
    left out, with what would tell of them, and numbers of researchers are rounded up.
    """
    from allofus_spark.access import access_times, load_registry

    with open_warehouse("access report", settings_file, warehouse, overrides) as tables:
        floor = tables.settings.release.floor
        rows = access_times(tables, floor, tables.settings.release.round_to)
        numbers = ("researchers, up to", "median", "quartile 1", "quartile 3")
        shown = grid("Hours from registration", "to", "month", *numbers, numbers=numbers)
        for row in rows:
            hours = (row.median_hours, row.lower_quartile_hours, row.upper_quartile_hours)
            step = row.step.removeprefix("registered_to_")
            shown.add_row(step, row.month, f"{row.n_researchers:,}", *(f"{hour:,.1f}" for hour in hours))
        console = screen()
        if rows:
            console.print(shown)
        elif load_registry(tables).researchers:
            console.print(f"No step was reached by more than {floor} researchers: nothing can be shown")
        else:
            console.print("Nobody is registered yet: allofus access register")


@click.command("audit")
@click.option("--researcher", metavar="ID", help="Only decisions about them.")
@click.option("--refused", is_flag=True, help="Only refusals.")
@click.option("--rows", default=40, show_default=True, type=click.IntRange(1, 100_000), help="Most shown.")
@common_options
def access_audit(
    researcher: str | None,
    refused: bool,
    rows: int,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Show the last decisions about access: who asked by which command, and why it was granted or refused."""
    with open_warehouse("access audit", settings_file, warehouse, overrides) as tables:
        shown = grid("Decisions", "at (UTC)", "researcher", "command", "tables", "tier", "reason", "detail")
        for row in _decisions(tables, researcher, refused, rows):
            cells = (row.researcher_id or "", row.command, ", ".join(row.tables), row.tier, row.reason)
            shown.add_row(f"{row.at:%Y-%m-%d %H:%M:%S}", *map(Text, cells), Text(row.detail or ""))
        screen().print(shown)


def _decisions(tables: Warehouse, researcher: str | None, refused: bool, most: int) -> list[Row]:
    from pyspark.sql import functions as F

    from allofus_spark.tables import ACCESS_AUDIT

    if not tables.exists(ACCESS_AUDIT):
        return []
    held = tables.live(ACCESS_AUDIT).withColumn("at", F.col("decided_at"))
    if researcher is not None:
        held = held.where(F.col("researcher_id") == researcher)
    if refused:
        held = held.where(~F.col("granted"))
    found = held.orderBy(F.desc("decided_at")).take(most)
    return found[::-1]
