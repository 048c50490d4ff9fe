"""Commands that bring callsets and samples in."""

from __future__ import annotations

import click

from allofus_spark.cli.options import common_options, echo_counters, open_warehouse


@click.command("ingest-genotypes")
@click.option("--callset", required=True, metavar="ID", help="Name of the callset.")
@click.option(
    "--date", "callset_date", required=True, metavar="YYYY-MM-DD", help="Declared date of the callset."
)
@click.option(
    "--build", required=True, metavar="BUILD", help="GRCh38, GRCh37, or the FASTA index of another build."
)
@click.option("--replace", is_flag=True, help="Put these files in the place of the callset of the same id.")
@click.option(
    "--replaces", metavar="CALLSET", help="Retire another callset whose samples come again in this one."
)
@click.argument("sources", nargs=-1, required=True)
@common_options
def ingest_genotypes_command(
    callset: str,
    callset_date: str,
    build: str,
    replace: bool,
    replaces: str | None,
    sources: tuple[str, ...],
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Ingest a joint-called VCF callset: files, globs or folders of shards.

    bgzip, gzip and plain text are told apart by their bytes. Alleles are split, normalised and packed into
    genotypes, variant_sites, variants and callsets; refused records are kept in rejected_records.
    """
    from allofus_spark.ingest import ingest_genotypes

    with open_warehouse("ingest-genotypes", settings_file, warehouse, overrides) as tables:
        counters = ingest_genotypes(
            tables,
            sources,
            callset_id=callset,
            callset_date=callset_date,
            build=build,
            replace=replace,
            replaces=replaces,
        )
        echo_counters(f"callset {callset} is in {tables.root}", counters)


@click.command("ingest-samples")
@click.option("--callset", required=True, metavar="ID", help="Callset that the samples belong to.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=COLUMN",
    help="The file's name of a column: sample_id, sex_karyotype or ancestry. May be repeated.",
)
@click.argument("file")
@common_options
def ingest_samples_command(
    callset: str,
    columns: tuple[str, ...],
    file: str,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Read sex karyotype and ancestry of samples from a TSV or CSV with a header.

    Best before the genotypes: half calls and haploid calls on X and Y need the sex karyotype.
    """
    from allofus_spark.ingest import ingest_samples

    for column in columns:
        if "=" not in column:
            raise click.BadParameter(
                f"{column}: write NAME=COLUMN, such as sample_id=IID", param_hint="--column"
            )
    named = dict(column.split("=", 1) for column in columns)
    with open_warehouse("ingest-samples", settings_file, warehouse, overrides) as tables:
        counters = ingest_samples(tables, file, callset_id=callset, columns=named)
        echo_counters(f"samples of callset {callset} are in {tables.root}", counters)
