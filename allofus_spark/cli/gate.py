"""The gate of commands that show what is not public: a tier and a passport, where the settings enforce it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from allofus_spark.tables import Table, Warehouse

Command = TypeVar("Command", bound=Callable[..., Any])
PASSPORT_VARIABLE = "ALLOFUS_PASSPORT"


def passport_option(command: Command) -> Command:
    """Give a command --passport."""
    option: Callable[[Command], Command] = click.option(
        "--passport",
        metavar="FILE",
        envvar=PASSPORT_VARIABLE,
        help=f"Your GA4GH passport, asked for where access.enforce is set (default: {PASSPORT_VARIABLE}).",
    )
    return option(command)


def demand_controlled(tables: Warehouse, command: str, passport: str | None, names: Sequence[str]) -> None:
    """Raise AccessRefused unless who asks may see rows of single people, where that is enforced."""
    from allofus_spark.access import Request, Tier, demand_access

    if tables.settings.access.enforce:
        demand_access(tables, Request(command, Tier.CONTROLLED, names), passport)


def demand_for(tables: Warehouse, command: str, passport: str | None, read: Sequence[Table]) -> None:
    """Raise AccessRefused unless who asks may see these tables, by their zones, where that is enforced."""
    from allofus_spark.access import Request, Tier, demand_access
    from allofus_spark.tables import Zone

    zones = {table.zone for table in read} - {Zone.PUBLIC}
    if zones and tables.settings.access.enforce:
        tier = Tier.CONTROLLED if Zone.CONTROLLED in zones else Tier.REGISTERED
        demand_access(tables, Request(command, tier, sorted({table.name for table in read})), passport)


def may_name_people(tables: Warehouse) -> bool:
    """Whether a job may show ids of samples on its way; where access is enforced, only a query shows them."""
    return not tables.settings.access.enforce
