"""The command that brings catalogues of known variants in."""

from __future__ import annotations

import click

from allofus_spark.cli.options import common_options, echo_counters, open_warehouse


@click.command("ingest-catalogue")
@click.option("--name", required=True, metavar="NAME", help="Name of the catalogue, such as dbsnp.")
@click.option("--version", required=True, metavar="VERSION", help="Its version, such as 156.")
@click.option(
    "--build", required=True, metavar="BUILD", help="GRCh38, GRCh37, or the FASTA index of another build."
)
@click.option(
    "--date", metavar="YYYY-MM-DD", help="Date of the version (default: the newest ##fileDate of the files)."
)
@click.option(
    "--covers",
    multiple=True,
    metavar="REGION",
    help="Where it is complete: CONTIG:START-END (1-based, inclusive), CONTIG, or a BED file; repeatable. "
    "Default: the whole of every contig that has an allele.",
)
@click.option("--replace", is_flag=True, help="Put these files in the place of the version that is held.")
@click.argument("sources", nargs=-1, required=True)
@common_options
def ingest_catalogue_command(
    name: str,
    version: str,
    build: str,
    date: str | None,
    covers: tuple[str, ...],
    replace: bool,
    sources: tuple[str, ...],
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Ingest a version of a catalogue of known variants: dbSNP, gnomAD, ClinVar or any other.

    \b
    VCF          with or without samples; bgzip, gzip or plain; files, globs or folders
    TSV, CSV     with a header: chrom, pos, ref, alt and id, or variant_id (22-19963748-G-A)

    Contigs may be spelled chr1, 1 or NC_000001.11. Alleles are split and normalised as those of a callset
    are. Versions lie side by side; the same files again change nothing.

    \b
      allofus ingest-catalogue --name dbsnp --version 156 --build GRCh38 GCF_000001405.40.gz
      allofus ingest-catalogue --name gnomad --version 4.1 --build GRCh38 --covers exome.bed gnomad/*.vcf.bgz
    """
    from allofus_spark.ingest import ingest_catalogue

    with open_warehouse("ingest-catalogue", settings_file, warehouse, overrides) as tables:
        counters = ingest_catalogue(
            tables,
            sources,
            name=name,
            version=version,
            build=build,
            date=date,
            covers=covers,
            replace=replace,
        )
        echo_counters(f"catalogue {name} {version} is in {tables.root}", counters)
