"""The command that says what variants do to genes."""

from __future__ import annotations

import click

from allofus_spark.cli.options import common_options, echo_counters, fail, open_warehouse


@click.command("annotate")
@click.option("--table", metavar="FILE", help="Take a ready annotation table (TSV, plain, gz or bgz).")
@click.option("--annotator", metavar="NAME", help="With --table: what made it, such as vep.")
@click.option("--annotation-version", metavar="VERSION", help="With --table: the version of what made it.")
@click.option("--severity", is_flag=True, help="Print the consequence terms, most severe first, and end.")
@common_options
def annotate_command(
    table: str | None,
    annotator: str | None,
    annotation_version: str | None,
    severity: bool,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Say what each variant does to each transcript: missense, frameshift, splice site and so on.

    Writes consequences, by bcftools csq with the genes of consequences.gff3 and the sequence of
    genome.reference_fasta; only variants without a current annotation are annotated. With --table, takes the
    answers of another annotator from a table with the columns of the public Variant Annotation Table.
    """
    from allofus_spark.consequences import annotate_consequences, import_annotation, severity_table

    if severity:
        click.echo(severity_table())
        return
    if len({table is None, annotator is None, annotation_version is None}) > 1:
        fail("--table FILE, --annotator NAME and --annotation-version VERSION go together")
    with open_warehouse("annotate", settings_file, warehouse, overrides) as tables:
        if table is None or annotator is None or annotation_version is None:
            counters = annotate_consequences(tables)
        else:
            counters = import_annotation(tables, table, annotator=annotator, version=annotation_version)
        echo_counters(f"consequences of {tables.root} are up to date", counters)
