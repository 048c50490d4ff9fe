"""Commands that bring callsets and samples in."""

from __future__ import annotations

import json

import click

from allofus_spark.cli.options import (
    column_option,
    common_options,
    echo_counters,
    named_columns,
    open_warehouse,
)


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
@click.option(
    "--genotype-filter",
    "genotype_filters",
    multiple=True,
    metavar="RULE",
    help="Set calls to missing that fail: adj, adj_no_dp, ft, GQ>=20, DP>=10, AB>=0.2. May be repeated.",
)
@click.option(
    "--reference-allele",
    type=click.Choice(["first", "last"]),
    help="Which allele of a .bim or BGEN is the reference, where no reference FASTA decides.",
)
@click.argument("sources", nargs=-1, required=True)
@common_options
def ingest_genotypes_command(
    callset: str,
    callset_date: str,
    build: str,
    replace: bool,
    replaces: str | None,
    genotype_filters: tuple[str, ...],
    reference_allele: str | None,
    sources: tuple[str, ...],
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Ingest a joint callset, from whatever its sources are.

    \b
    VCF                   bgzip, gzip or plain; files, globs or folders of shards
    Hail                  a MatrixTable or a VDS
    PLINK 1               .bed, with .bim and .fam beside it
    PLINK 2               .pgen, with .pvar or .pvar.zst and .psam
    BGEN 1.2 and 1.3      hard calls; with .sample where it holds no ids

    They are told apart by their content. Alleles are split, normalised and packed into genotypes,
    variant_sites, variants and callsets; refused records are kept in rejected_records.
    """
    from allofus_spark.ingest import ingest_genotypes

    if genotype_filters:
        overrides += (f"ingest.genotype_filters={json.dumps(genotype_filters)}",)
    if reference_allele:
        overrides += (f"ingest.reference_allele={reference_allele}",)
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
@column_option("sample_id, sex_karyotype or ancestry")
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

    named = named_columns(columns, example="sample_id=IID")
    with open_warehouse("ingest-samples", settings_file, warehouse, overrides) as tables:
        counters = ingest_samples(tables, file, callset_id=callset, columns=named)
        echo_counters(f"samples of callset {callset} are in {tables.root}", counters)
