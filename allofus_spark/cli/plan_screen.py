"""Which stages are current, as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from allofus_spark.cli.screen import grid

if TYPE_CHECKING:
    from allofus_spark.pipeline import Plan, Step

_SHOWN_REASONS = 3


def show_plan(console: Console, plan: Plan, title: str) -> None:
    """Print each stage with its state, why it is stale, and how much of what it reads changed."""
    if not plan.steps:
        console.print("Nothing was made yet that could be kept current: ingest genotypes first.")
        return
    table = grid(title, "stage", "state", "why", "how much", "last took", numbers=("last took",))
    for step in plan.steps:
        seconds = "" if step.seconds is None else f"{step.seconds:,.1f} s"
        table.add_row(step.name, step.state.value, Text(_reasons(step)), _how_much(step), seconds)
    console.print(table)
    if plan.is_idle:
        console.print("Nothing is stale.")


def _reasons(step: Step) -> str:
    more = len(step.why) - _SHOWN_REASONS
    return "; ".join([*step.why[:_SHOWN_REASONS], *([f"and {more} more"] if more > 0 else [])])


def _how_much(step: Step) -> str:
    """Parts of the tables that it reads in which rows changed."""
    return f"{len(step.partitions):,} changed partitions" if step.partitions else ""
