"""The command that writes files for other tools."""

from __future__ import annotations

import click

from allofus_spark.cli.gate import demand_controlled, passport_option
from allofus_spark.cli.options import common_options, echo_counters, open_warehouse, region_options


@click.command("export")
@click.option(
    "--format",
    "file_format",
    required=True,
    type=click.Choice(["pgen", "bed", "vcf", "mt"]),
    help="pgen: PLINK 2 (.pgen .pvar .psam); bed: PLINK 1 (.bed .bim .fam); vcf: bgzip with index; "
    "mt: Hail MatrixTable.",
)
@click.option(
    "--out", required=True, metavar="PATH", help="Local or mounted path, with or without the ending."
)
@click.option("--callset", metavar="ID", help="Callset to export; needed where several are active.")
@region_options
@click.option("--samples", "samples_file", metavar="FILE", help="Only these sample ids, one a line.")
@click.option("--pass-only", is_flag=True, help="Only sites that passed their filters, or were not filtered.")
@click.option(
    "--common",
    is_flag=True,
    help="Only sites with a common allele: export.common_min_ac copies in an ancestry, or a max_af above "
    "export.common_above_af. Needs allele frequencies.",
)
@click.option(
    "--positions-of",
    metavar="CATALOGUE=VERSION",
    help="Only alleles at positions where a catalogue has an allele, such as clinvar=2025-01.",
)
@passport_option
@common_options
def export_command(
    file_format: str,
    out: str,
    callset: str | None,
    regions: tuple[str, ...],
    regions_file: str | None,
    samples_file: str | None,
    pass_only: bool,
    common: bool,
    positions_of: str | None,
    passport: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Export genotypes of a callset to PLINK 2, PLINK 1, VCF or Hail.

    Multi-allelic sites come as one bi-allelic record an allele. Any spelling of a contig is understood. A
    region or filter limits sites, --samples limits people; all of them may be combined:

    \b
      allofus export --format pgen --out cohort
      allofus export --format vcf  --out exome.vcf.gz --regions-file exome.bed --pass-only
      allofus export --format bed  --out common --common --samples unrelated.txt
      allofus export --format mt   --out brca2.mt --region chr13:32315086-32400268
      allofus export --format vcf  --out clinvar.vcf.gz --positions-of clinvar=2025-01

    Files at the target are replaced when the new ones are whole. Where access.enforce is set, the Controlled
    tier and a passport that grants the data set are needed.
    """
    from allofus_spark.cohort import read_sample_ids
    from allofus_spark.export import Selection, export_genotypes

    with open_warehouse("export", settings_file, warehouse, overrides) as tables:
        demand_controlled(tables, "export", passport, ["genotypes"])
        selection = Selection(
            callset_id=callset,
            regions=regions,
            regions_file=regions_file,
            sample_ids=None if samples_file is None else read_sample_ids(samples_file),
            pass_only=pass_only,
            common=common,
            positions_of=positions_of,
        )
        counters = export_genotypes(tables, file_format=file_format, out=out, selection=selection)
        echo_counters(f"genotypes are in {out}", counters)
