"""The command that tells who is related to whom."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from allofus_spark.cli.gate import demand_controlled, may_name_people, passport_option
from allofus_spark.cli.options import common_options, fail, open_warehouse
from allofus_spark.cli.screen import grid, screen

if TYPE_CHECKING:
    from allofus_spark.relatedness import Relatedness


@click.command("relatedness")
@click.option(
    "--keep-cases",
    metavar="FILE",
    help="Sample ids, one a line, of which as many as possible stay in the unrelated set.",
)
@click.option(
    "--prefer-call-rate", is_flag=True, help="Among sets that are equally large, the one with most calls."
)
@click.option(
    "--method",
    type=click.Choice(["king-robust", "pc-relate"]),
    default="king-robust",
    show_default=True,
    help="pc-relate goes through Hail, by the PCs of ancestries where all samples have them.",
)
@click.option("--samples", metavar="FILE", help="Only these sample ids, one a line.")
@click.option("--out", metavar="FILE", help="Write the ids of the unrelated set there, one a line.")
@passport_option
@common_options
def relatedness_command(
    keep_cases: str | None,
    prefer_call_rate: bool,
    method: str,
    samples: str | None,
    out: str | None,
    passport: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Find relatives and duplicates, and the largest unrelated set.

    Writes related_pairs and unrelated for the samples of all active callsets together, and draws
    WAREHOUSE/controlled/pictures/relatedness.html. Degrees are those of KING: kinship from 0.3536 for
    duplicates and twins, 0.1768 first, 0.0884 second, 0.0442 third.

    \b
      allofus relatedness --out unrelated.txt
      allofus relatedness --keep-cases cases.txt --prefer-call-rate

    Replicates of one person defeat pc-relate: they make a principal component of their own, which then
    explains what they share, and pass for unrelated. Look for duplicates with king-robust first.

    Where access.enforce is set, --out needs the Controlled tier and a passport that grants the data set, and
    duplicates are not named on the screen.
    """
    from allofus_spark.cohort import read_sample_ids
    from allofus_spark.relatedness import compute_relatedness

    if out is not None:
        _check_can_be_written(out)
    with open_warehouse("relatedness", settings_file, warehouse, overrides) as tables:
        if out is not None:
            demand_controlled(tables, "relatedness --out", passport, ["unrelated"])
        found = compute_relatedness(
            tables,
            method=method.replace("-", "_"),
            sample_ids=None if samples is None else read_sample_ids(samples),
            cases=() if keep_cases is None else read_sample_ids(keep_cases),
            prefer_call_rate=prefer_call_rate,
        )
        if out is not None:
            Path(out).write_text("".join(f"{name}\n" for name in found.kept), encoding="utf-8")
        _draw(found, screen(), out, named=may_name_people(tables))


def _check_can_be_written(out: str) -> None:
    """Fail before hours of work where the list of ids could not be written after them."""
    folder = Path(out).resolve().parent
    if not folder.is_dir():
        fail(f"--out {out}: there is no folder {Path(out).parent}")
    if Path(out).is_dir():
        fail(f"--out {out}: this is a folder; name a file")
    if not os.access(out if Path(out).exists() else folder, os.W_OK):
        fail(f"--out {out}: it may not be written; name another file")


def _draw(found: Relatedness, console: Console, out: str | None, *, named: bool) -> None:
    counters = found.counters
    pairs = grid(
        f"Relatives among {counters['samples']:,} samples, over {counters['sites']:,} sites",
        "degree",
        "pairs",
        numbers=("pairs",),
    )
    for name, n in counters.items():
        if name.startswith("pairs_"):
            pairs.add_row(name.removeprefix("pairs_").replace("_", " "), f"{n:,}")
    console.print(pairs)
    if found.duplicates and named:
        more = counters["pairs_duplicate_or_twin"] - len(found.duplicates)
        pairs_text = ", ".join(f"{first} = {second}" for first, second in found.duplicates)
        console.print(
            f"Duplicates or twins: {pairs_text}{f' and {more:,} more' if more else ''}", markup=False
        )
    of_cases = f", {counters['cases_kept']:,} of {counters['cases']:,} cases" if "cases" in counters else ""
    console.print(
        f"Unrelated set: {counters['samples_kept']:,} kept{of_cases}; "
        f"{counters['samples_left_out']:,} left out"
    )
    if silent := counters["samples_without_calls"]:
        console.print(f"Of them {silent:,} have no call at any site: nothing is known of their relatives")
    if out is not None:
        console.print(f"Their ids are in {out}", markup=False)
    console.print(f"Picture: {found.picture}", markup=False)
