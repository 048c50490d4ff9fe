"""The command that makes anew what is stale."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from allofus_spark.cli.options import common_options, fail, open_warehouse
from allofus_spark.cli.plan_screen import show_plan
from allofus_spark.cli.screen import grid, screen

if TYPE_CHECKING:
    from allofus_spark.pipeline import Night


_TITLE = "What is to be made anew"


@click.command("nightly")
@click.option("--dry-run", is_flag=True, help="Show the plan, and run nothing.")
@click.option(
    "--stage", "stages", metavar="NAME", multiple=True, help="Only this stage, repeatable (default: all)."
)
@common_options
def nightly_command(
    dry_run: bool,
    stages: tuple[str, ...],
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Make anew what is stale, in order, and nothing else.

    A stage is stale where a table, a setting or a file that it rests on is not what it was when the stage
    last ran; it is repeated as it was asked then. Stages of the setting nightly.stages are run for the first
    time once what they need is there. The plan is shown first: what, why, and how much. Where a stage fails,
    those that read what it writes are held back, the others go on, and the exit status is 1.

    \b
      allofus nightly --dry-run
      allofus nightly
      allofus nightly --stage compute_frequencies --stage compute_qc
    """
    from allofus_spark.pipeline import make_plan, run_nightly
    from allofus_spark.tables.stages import STAGES

    if unknown := sorted(set(stages) - set(STAGES)):
        fail(f"no such stage: {', '.join(unknown)}; there are: {', '.join(STAGES)}")
    console = screen()
    with open_warehouse("nightly", settings_file, warehouse, overrides) as tables:
        if dry_run:
            show_plan(console, make_plan(tables, stages), _TITLE)
            return
        night = run_nightly(tables, only=stages, show=lambda plan: show_plan(console, plan, _TITLE))
        _show_night(console, night)
    if not night.is_well:
        sys.exit(1)


def _show_night(console: Console, night: Night) -> None:
    from allofus_spark.pipeline import Outcome

    shown = [each for each in night.results if each.outcome is not Outcome.CURRENT]
    if not shown:
        console.print(f"All {len(night.results)} stages are current; nothing was written.")
        return
    table = grid("What became of it", "stage", "outcome", "took", "message", numbers=("took",))
    for each in shown:
        table.add_row(each.step.name, each.outcome.value, f"{each.seconds:,.1f} s", Text(each.message))
    console.print(table)
    counts = [(len(night.of(outcome)), outcome.value) for outcome in Outcome]
    console.print(", ".join(f"{count} {name}" for count, name in counts if count) + ".")
