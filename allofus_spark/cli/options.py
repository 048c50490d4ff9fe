"""Options that every command has, and the session that it works in."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import click

from allofus_spark.errors import AllofusError
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--settings",
        "settings_file",
        metavar="FILE",
        envvar="ALLOFUS_SETTINGS",
        help="TOML settings, such as conf/laptop.toml (default: the file that ALLOFUS_SETTINGS names).",
    ),
    click.option("--warehouse", metavar="PATH", help="Folder or URI of the tables (default: ./warehouse)."),
    click.option(
        "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="One setting; may be repeated."
    ),
)
_REGION_OPTIONS = (
    click.option(
        "--region",
        "regions",
        multiple=True,
        metavar="CONTIG:START-END",
        help="Alleles whose REF shares a base with it, 1-based and inclusive, or a whole CONTIG; repeatable.",
    ),
    click.option(
        "--regions-file",
        metavar="BED",
        help="The same by a BED file (0-based, half-open), such as exome targets.",
    ),
)


def common_options(command: Command) -> Command:
    """Give a command --settings, --warehouse and --set."""
    return with_options(_OPTIONS, command)


def region_options(command: Command) -> Command:
    """Give a command --region, which may be repeated, and --regions-file."""
    return with_options(_REGION_OPTIONS, command)


def with_options(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    """The command with options, in the order in which help shows them."""
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


def column_option(names: str) -> Callable[[Command], Command]:
    """``--column NAME=COLUMN``, which may be repeated; `named_columns` reads it."""
    text = f"The file's name of a column: {names}. May be repeated."
    return click.option("--column", "columns", multiple=True, metavar="NAME=COLUMN", help=text)


def named_columns(columns: Sequence[str], *, example: str) -> dict[str, str]:
    """The file's name of each column, from values of --column NAME=COLUMN."""
    for column in columns:
        if "=" not in column:
            raise click.BadParameter(f"{column}: write NAME=COLUMN, such as {example}", param_hint="--column")
    pairs = [column.split("=", 1) for column in columns]
    named = {name.strip(): column.strip() for name, column in pairs}
    if len(named) < len(pairs):
        raise click.BadParameter("one column is named twice; name each once", param_hint="--column")
    return named


@contextmanager
def open_warehouse(
    name: str, settings_file: str | None, warehouse: str | None, overrides: tuple[str, ...]
) -> Iterator[Warehouse]:
    """The warehouse of a command's options, in a Spark session with progress; errors end the process."""
    from allofus_spark.progress import show_progress, watch_tasks
    from allofus_spark.session import start_session

    show_progress()
    with clear_errors():
        settings = load_settings(settings_file, warehouse=warehouse, overrides=overrides)
        spark = start_session(settings, app_name=f"allofus {name}")
        try:
            with watch_tasks(spark):
                yield Warehouse(spark, settings)
        finally:
            spark.stop()


@contextmanager
def clear_errors(status: int = 1) -> Iterator[None]:
    """Print an error that the user can act on as one message, and end with ``status``: no traceback."""
    try:
        yield
    except AllofusError as error:
        fail(str(error), status)


def fail(message: str, status: int = 1) -> NoReturn:
    """End with a message and an exit status."""
    click.echo(f"error: {message}", err=True)
    sys.exit(status)


def echo_counters(title: str, counters: dict[str, int]) -> None:
    """Print what a run counted, leaving out zeros."""
    click.echo(title)
    width = max((len(name) for name in counters), default=0)
    for name, value in counters.items():
        if value:
            click.echo(f"  {name.replace('_', ' '):<{width}}  {value:>12,}")
