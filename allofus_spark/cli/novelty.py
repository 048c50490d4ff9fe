"""The command that holds variants against catalogues."""

from __future__ import annotations

import click

from allofus_spark.cli.options import common_options, echo_counters, open_warehouse


@click.command("flag-novelty")
@click.option(
    "--catalogue",
    "catalogues",
    multiple=True,
    metavar="NAME=VERSION",
    help="A catalogue to hold variants against; repeatable. None: the newest version of each that is held.",
)
@click.option(
    "--catalogue-set",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Name of the set of catalogues; several sets stand side by side.",
)
@click.option("--recompute", is_flag=True, help="Flag every partition anew, whether or not anything changed.")
@common_options
def flag_novelty_command(
    catalogues: tuple[str, ...],
    catalogue_set: str,
    recompute: bool,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Flag the variants that no catalogue has.

    Writes novelty: reported, known_site_new_allele, unreported or not_assessable, with the reason, the
    catalogues that have the allele, and its id there. What a new version of a catalogue reclassified is in
    novelty_history. Only what changed since is computed.

    \b
      allofus flag-novelty --catalogue dbsnp=156 --catalogue gnomad=4.1
    """
    from allofus_spark.novelty import flag_novelty

    asked = as_versions(catalogues)
    with open_warehouse("flag-novelty", settings_file, warehouse, overrides) as tables:
        counters = flag_novelty(tables, catalogue_set=catalogue_set, catalogues=asked, recompute=recompute)
        echo_counters(f"novelty of {tables.root} is up to date", counters)


def as_versions(catalogues: tuple[str, ...]) -> dict[str, str]:
    """NAME=VERSION texts by name; one version of each."""
    versions: dict[str, str] = {}
    for text in catalogues:
        name, equals, version = text.partition("=")
        if not (name and equals and version):
            raise click.BadParameter(
                f"{text}: write NAME=VERSION, such as dbsnp=156", param_hint="--catalogue"
            )
        if name in versions:
            raise click.BadParameter(
                f"{name}: name one version; use two sets to compare two", param_hint="--catalogue"
            )
        versions[name] = version
    return versions
