"""Commands that train models of genetic ancestry, label samples by them, and take labels from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import click

from allofus_spark.cli.options import (
    column_option,
    common_options,
    echo_counters,
    named_columns,
    open_warehouse,
)


@click.group("infer-ancestry")
def infer_ancestry_group() -> None:
    """Infer genetic ancestry: train a model, project samples on it, or import labels.

    Which label counts in frequencies and quality, the supplied or the inferred one, is the setting
    ancestry.labels.
    """


@infer_ancestry_group.command("train")
@click.option("--callset", required=True, metavar="ID", help="Labelled callset: the reference panel.")
@click.option("--name", required=True, metavar="NAME", help="Name of the model.")
@click.option("--samples", metavar="FILE", help="Sample ids to train on, one a line, such as unrelated ones.")
@common_options
def train_command(
    callset: str,
    name: str,
    samples: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Train a model on the labelled samples of a callset.

    Writes ancestry_models, ancestry_loadings and ancestry_training. Labels are those of ingest-samples.
    """
    from allofus_spark.ancestry import train_model
    from allofus_spark.cohort import read_sample_ids

    with open_warehouse("infer-ancestry train", settings_file, warehouse, overrides) as tables:
        chosen = None if samples is None else read_sample_ids(samples)
        model_id, counters = train_model(tables, callset_id=callset, name=name, sample_ids=chosen)
        echo_counters(f"model {model_id} is in {tables.root}", counters)


@infer_ancestry_group.command("project")
@click.option("--model", metavar="NAME_OR_ID", help="Model to use, where there are several.")
@click.option("--from", "source", metavar="WAREHOUSE", help="Take the model over from this warehouse.")
@click.option(
    "--callset",
    "callsets",
    multiple=True,
    metavar="ID",
    help="Callset to label; may be repeated. Default: all.",
)
@common_options
def project_command(
    model: str | None,
    source: str | None,
    callsets: tuple[str, ...],
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Label the samples of active callsets by a trained model.

    Writes ancestries, in the place of what it held for these callsets, imported labels included.
    """
    from allofus_spark.ancestry import project_samples, write_pictures

    with open_warehouse("infer-ancestry project", settings_file, warehouse, overrides) as tables:
        model_id, counters = project_samples(tables, model=model, source=source, callset_ids=callsets)
        echo_counters(f"ancestries of {tables.root} are by model {model_id}", counters)
        _echo_pictures(write_pictures(tables, model_id))


@infer_ancestry_group.command("import")
@click.option("--callset", required=True, metavar="ID", help="Callset that the samples belong to.")
@click.option("--name", required=True, metavar="NAME", help="What stands as the labels' model.")
@column_option("sample_id, ancestry, ancestry_before_threshold, pcs")
@click.argument("file")
@common_options
def import_command(
    callset: str,
    name: str,
    columns: tuple[str, ...],
    file: str,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Take labels, and scores where there are any, from a TSV or CSV as they are.

    \b
    For the ancestry_preds.tsv of the All of Us release:
      --column sample_id=research_id --column ancestry=ancestry_pred_other
      --column ancestry_before_threshold=ancestry_pred --column pcs=pca_features
    """
    from allofus_spark.ancestry import import_labels, write_pictures

    named = named_columns(columns, example="sample_id=research_id")
    with open_warehouse("infer-ancestry import", settings_file, warehouse, overrides) as tables:
        counters = import_labels(tables, file, callset_id=callset, name=name, columns=named)
        echo_counters(f"ancestries of callset {callset} are in {tables.root}", counters)
        _echo_pictures(write_pictures(tables, name))


def _echo_pictures(paths: Sequence[str]) -> None:
    for path in paths:
        click.echo(f"picture: {path}")
