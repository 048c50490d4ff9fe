"""Commands about health records and phenotypes."""

from __future__ import annotations

import click

from allofus_spark.cli.gate import demand_controlled, passport_option
from allofus_spark.cli.options import (
    column_option,
    common_options,
    echo_counters,
    named_columns,
    open_warehouse,
)


@click.command("ingest-omop")
@click.argument("paths", nargs=-1, metavar="[FILE_OR_FOLDER]...")
@click.option("--person-samples", metavar="FILE", help="TSV or CSV with person_id and sample_id.")
@click.option("--one-sample-each", is_flag=True, help="Refuse persons with more than one sample.")
@column_option("such as person_id=subject_id")
@common_options
def ingest_omop_command(
    paths: tuple[str, ...],
    person_samples: str | None,
    one_sample_each: bool,
    columns: tuple[str, ...],
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Read health records of the OMOP CDM 5.2 to 5.4, in the place of the same tables held before.

    \b
    person  observation_period  visit_occurrence  condition_occurrence  measurement
    observation  procedure_occurrence  drug_exposure  death  concept  concept_relationship

    A file or folder of parts is named for its table: PERSON.csv, condition_occurrence.csv.gz, measurement/;
    or name a folder of such. CSV, tab-separated text as of Athena, or Parquet; names in upper or lower case.
    Columns may be in any order; those that the CDM 5.4 does not have are left out and named. Dates are
    YYYY-MM-DD or YYYYMMDD, with or without a time.

    \b
      allofus ingest-omop cdm/ --person-samples samples.tsv
      allofus ingest-omop measurement.parquet

    A row with a value that cannot be read, without one that the CDM requires, or of nobody in person is
    refused; rejected_omop_rows has such values with their reason. Above ingest.max_rejected_share the
    command fails and nothing changes.
    """
    from allofus_spark.phenotypes import ingest_omop

    named = named_columns(columns, example="person_id=subject_id")
    with open_warehouse("ingest-omop", settings_file, warehouse, overrides) as tables:
        counters = ingest_omop(
            tables, paths, person_samples=person_samples, columns=named, one_sample_each=one_sample_each
        )
        echo_counters(f"health records are in {tables.root}", counters)


@click.command("build-phenotypes")
@click.option(
    "--name", required=True, metavar="SET", help="Name of the set, such as phecode12; it is replaced whole."
)
@click.option("--phecode-map", "maps", multiple=True, metavar="FILE", help="Map of codes; may be repeated.")
@click.option("--exclusions", metavar="FILE", help="Exclusion ranges, in the place of the map's own.")
@click.option("--no-rollup", is_flag=True, help="A code counts for its narrowest phecode alone.")
@click.option(
    "--icd10",
    type=click.Choice(["ICD10CM", "ICD10"]),
    default="ICD10CM",
    show_default=True,
    help="Vocabulary of a map's ICD-10 codes where it names none; ICD10 is that of the WHO.",
)
@click.option(
    "--table",
    "record_tables",
    multiple=True,
    type=click.Choice(["condition_occurrence", "observation", "procedure_occurrence"]),
    help="Records whose codes count (default: condition_occurrence); may be repeated.",
)
@click.option(
    "--source-vocabulary",
    metavar="NAME",
    help="Vocabulary of codes whose records name neither concept nor vocabulary, such as ICD9CM.",
)
@click.option("--measurements", metavar="FILE", help="TSV of definitions of traits.")
@click.option("--file", "table_file", metavar="FILE", help="Phenotypes as a table, a column each.")
@click.option("--binary", multiple=True, metavar="COLUMN", help="Of --file: it is binary. May be repeated.")
@click.option("--quantitative", multiple=True, metavar="COLUMN", help="Of --file: it is a number.")
@common_options
def build_phenotypes_command(
    name: str,
    maps: tuple[str, ...],
    exclusions: str | None,
    no_rollup: bool,
    icd10: str,
    record_tables: tuple[str, ...],
    source_vocabulary: str | None,
    measurements: str | None,
    table_file: str | None,
    binary: tuple[str, ...],
    quantitative: tuple[str, ...],
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Tell who is a case of which phenotype, who a control, and what was measured of whom.

    \b
    --phecode-map    phecodes 1.2 or X from health records; maps of PheTK, PGRM, PheWAS
                     (vocabulary_id, code, phecode) and pyPheWAS are known by their columns
    --measurements   medians of measurements, by a TSV with phenotype_id, description,
                     concept_ids, unit, unit_factors (8840=1; mmol/L=18.02), least, most
    --file           a table with person_id, sample_id or IID; 0/1 and 1/2 are binary,
                     other numbers quantitative, NA and -9 missing

    \b
      allofus build-phenotypes --name phecode12 --phecode-map phecode12.csv.gz
      allofus build-phenotypes --name labs --measurements traits.tsv
      allofus build-phenotypes --name mine --file pheno.txt

    A case has codes on phenotypes.min_dates distinct dates or more; whoever has fewer, or a code in the
    exclusion range, or is of the other sex of a phecode of one sex, is neither case nor control. The
    catalogue, cases and controls by ancestry, is phenotype_catalogue; codes that the map lacks are in
    unmapped_codes.
    """
    from allofus_spark.phenotypes import build_from_file, build_measurements, build_phecodes

    if sum(map(bool, (maps, measurements, table_file))) != 1:
        raise click.UsageError("give one of --phecode-map, --measurements and --file")
    if not table_file and (binary or quantitative):
        raise click.UsageError("--binary and --quantitative are of a --file; leave them out")
    if not maps and (exclusions or no_rollup or record_tables or source_vocabulary):
        raise click.UsageError(
            "--exclusions, --no-rollup, --table and --source-vocabulary are of --phecode-map; leave them out"
        )
    with open_warehouse("build-phenotypes", settings_file, warehouse, overrides) as tables:
        if measurements:
            counters = build_measurements(tables, measurements, name=name)
        elif table_file:
            counters = build_from_file(
                tables, table_file, name=name, binary=binary, quantitative=quantitative
            )
        else:
            counters = build_phecodes(
                tables,
                maps,
                name=name,
                exclusions=exclusions,
                roll_up=not no_rollup,
                icd10=icd10,
                tables=record_tables or ("condition_occurrence",),
                source_vocabulary=source_vocabulary,
            )
        echo_counters(f"set {name} of phenotypes is in {tables.root}", counters)


@click.command("export-phenotypes")
@click.option("--out", "prefix", required=True, metavar="PREFIX", help="PREFIX.pheno and PREFIX.covar.")
@click.option("--format", "form", type=click.Choice(["plink", "regenie"]), default="plink", show_default=True)
@click.option(
    "--coding",
    type=click.Choice(["12", "01"]),
    help="Controls and cases (default: 12 of plink, 01 of regenie). PLINK reads 01 with --1.",
)
@click.option(
    "--phenotype", "phenotypes", multiple=True, metavar="ID", help="May be repeated; all by default."
)
@click.option("--ancestry", multiple=True, metavar="GROUP", help="Only these people; may be repeated.")
@click.option("--covariates", is_flag=True, help="Write sex (XX 0, XY 1), age and PCs too.")
@passport_option
@common_options
def export_phenotypes_command(
    prefix: str,
    form: str,
    coding: str | None,
    phenotypes: tuple[str, ...],
    ancestry: tuple[str, ...],
    covariates: bool,
    passport: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Write phenotypes as PLINK 2 or regenie reads them, of everybody with a sample in an active callset.

    \b
      allofus export-phenotypes --out cohort --phenotype 250.2 --covariates
      plink2 --pfile cohort --pheno cohort.pheno --covar cohort.covar --glm

    NA is missing: neither case nor control, or not measured. The files are of single people; keep them as
    you keep genotypes. Where access.enforce is set, the Controlled tier and a passport that grants the data
    set are needed.
    """
    from allofus_spark.phenotypes import export_phenotypes

    with open_warehouse("export-phenotypes", settings_file, warehouse, overrides) as tables:
        demand_controlled(tables, "export-phenotypes", passport, ["phenotypes"])
        counters = export_phenotypes(
            tables,
            prefix,
            form=form,
            coding=coding,
            phenotypes=phenotypes,
            ancestry=ancestry,
            covariates=covariates,
        )
        echo_counters(f"wrote {prefix}.pheno{f' and {prefix}.covar' if covariates else ''}", counters)
