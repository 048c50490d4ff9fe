"""Options of commands that read one release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from allofus_spark.cli.options import Command, with_options
from allofus_spark.published import release_folder

_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.argument("folder", required=False, type=click.Path(path_type=Path)),
    click.option("--version", metavar="NAME", help="A release by its name, such as v8, instead of FOLDER."),
    click.option(
        "--releases",
        metavar="FOLDER",
        help="Where --version is looked for (default: public/releases of the warehouse).",
    ),
)


def release_options(command: Command) -> Command:
    """Give a command FOLDER, --version and --releases; `chosen_release` reads them."""
    return with_options(_OPTIONS, command)


def chosen_release(folder: Path | None, version: str | None, releases: str | None, root: str) -> Path:
    """The release's folder; ``root``: the warehouse. Raises UsageError where it is named twice, or not."""
    if (folder is None) == (version is None):
        raise click.UsageError("give the FOLDER of a release, or its --version")
    if folder is not None:
        if releases is not None:
            raise click.UsageError("--releases goes with --version: a FOLDER is the release's own")
        return folder
    return release_folder(root, str(version), releases)
