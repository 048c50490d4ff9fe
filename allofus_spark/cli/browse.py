"""The command that serves a release as web pages."""

from __future__ import annotations

import re
from pathlib import Path

import click

from allofus_spark.cli.options import clear_errors, common_options, fail
from allofus_spark.settings import NAME_PATTERN, load_settings

_RELEASES = ("public", "releases")


@click.command("browse")
@click.option("--release", type=click.Path(path_type=Path), metavar="FOLDER", help="The release's folder.")
@click.option("--version", metavar="NAME", help="A release of the warehouse, such as v8.")
@click.option("--host", help="Address to listen on (default: browser.host).")
@click.option("--port", type=int, help="Port to listen on (default: browser.port).")
@click.option(
    "--index",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Keep here what is made of the release before pages are served, for the next start.",
)
@common_options
def browse_command(
    release: Path | None,
    version: str | None,
    host: str | None,
    port: int | None,
    index: Path | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Serve a release as web pages: variants by id, rs number, gene and region, with JSON beside each.

    \b
      allofus browse --version v8
      allofus browse --release warehouse/public/releases/v8 --port 8090

    Reads the release's folder only, without Java, until Ctrl-C.
    """
    with clear_errors():
        named = {"host": host, "port": port}
        given = [f"browser.{name}={value}" for name, value in named.items() if value is not None]
        settings = load_settings(settings_file, warehouse=warehouse, overrides=(*overrides, *given))
        if (release is None) == (version is None):
            fail("give --release FOLDER, or --version of a release of the warehouse")
        if version is not None and not re.fullmatch(NAME_PATTERN, version):
            fail(f"{version} is no name of a release: write one such as v8")
        folder = release or Path(settings.warehouse).joinpath(*_RELEASES, str(version))
        from allofus_spark.browser import serve
        from allofus_spark.published import read_manifest

        manifest = read_manifest(folder)
        rows = sum(product.rows for product in manifest.products)
        click.echo(f"Release {manifest.release}: {rows:,} rows; its index is made where it is not there")
        serve(folder, settings.browser, index, announce=click.echo)
