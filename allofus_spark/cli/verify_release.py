"""The command that attacks a release: what counts of few people follow from it and from those before."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from allofus_spark.cli.chosen_release import chosen_release, release_options
from allofus_spark.cli.options import clear_errors, common_options
from allofus_spark.cli.screen import grid, screen
from allofus_spark.settings import load_settings

if TYPE_CHECKING:
    from allofus_spark.disclosure import Verification

_LISTED = 20
_UNREADABLE = 2  # status where the folder is no whole release: nothing was attacked


@click.command("verify-release")
@release_options
@click.option(
    "--earlier",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Folder of an earlier release, oldest first; may be repeated. Default: those that the manifest "
    "names, beside it.",
)
@click.option("--floor", type=click.IntRange(1), help="Another floor than the manifest's.")
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON object.")
@common_options
def verify_release_command(
    folder: Path | None,
    version: str | None,
    releases: str | None,
    earlier: tuple[Path, ...],
    floor: int | None,
    as_json: bool,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Try to derive any count of 1 to the floor of people from a release and those before it.

    FOLDER holds manifest.json, and is to hold what that lists and nothing else. Every published cell is read,
    no Spark is started. Ends with status 1 where something follows, with 2 where the folder is no whole
    release; docs/release.md says what is tried, and what is not claimed.

    \b
      allofus verify-release warehouse/public/releases/v8
      allofus verify-release --version v8
    """
    from allofus_spark.disclosure import verify_release
    from allofus_spark.published import read_manifest

    with clear_errors(_UNREADABLE):
        root = load_settings(settings_file, warehouse=warehouse, overrides=overrides).warehouse
        release = chosen_release(folder, version, releases, root)
        before = list(earlier) or [release.parent / name for name in read_manifest(release).previous]
        result = verify_release(release, before, floor=floor)
    if as_json:
        click.echo(json.dumps(result.as_dict()))
    else:
        draw_verification(result, screen())
    sys.exit(1 if result.n_derived else 0)


def draw_verification(result: Verification, console: Console) -> None:
    """Print what was tried, and what was derived, each with how."""
    against = f", with {', '.join(result.earlier)}" if result.earlier else ""
    table = grid(f"Tried on {result.release}{against}", "product", "quantities bounded", "n", numbers=("n",))
    for product, kinds in result.tried.items():
        for kind, number in kinds.items():
            table.add_row(product, kind, f"{number:,}")
    console.print(table)
    for finding in result.derived[:_LISTED]:
        console.print(str(finding), markup=False, style="red", soft_wrap=True)
    if result.n_derived > _LISTED:
        console.print(f"and {result.n_derived - min(_LISTED, len(result.derived)):,} more")
    if result.n_exempt:
        console.print(f"{result.n_exempt:,} counts of exempt products")
    if result.n_derived:
        console.print(
            f"{result.n_derived:,} counts of 1 to {result.floor} people were derived: not to be published"
        )
    else:
        console.print(f"Nothing of 1 to {result.floor} people was derived")
