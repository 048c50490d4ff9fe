"""The command that serves a release as web pages."""

from __future__ import annotations

from pathlib import Path

import click

from allofus_spark.cli.chosen_release import chosen_release, release_options
from allofus_spark.cli.options import clear_errors, common_options
from allofus_spark.settings import load_settings


@click.command("browse")
@release_options
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
    folder: Path | None,
    version: str | None,
    releases: str | None,
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
      allofus browse warehouse/public/releases/v8 --port 8090

    Reads the release's folder only, without Java, until Ctrl-C.
    """
    with clear_errors():
        named = {"host": host, "port": port}
        given = [f"browser.{name}={value}" for name, value in named.items() if value is not None]
        settings = load_settings(settings_file, warehouse=warehouse, overrides=(*overrides, *given))
        release = chosen_release(folder, version, releases, settings.warehouse)
        from allofus_spark.browser import serve
        from allofus_spark.published import read_manifest

        manifest = read_manifest(release)
        rows = sum(product.rows for product in manifest.products)
        click.echo(f"Release {manifest.release}: {rows:,} rows; its index is made where it is not there")
        serve(release, settings.browser, index, announce=click.echo)
