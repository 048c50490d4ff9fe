"""Commands that train models of genetic ancestry, label samples by them, and take labels from elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from allofus_spark.cli.options import column_option, common_options, named_columns, open_warehouse
from allofus_spark.cli.screen import grid, screen

if TYPE_CHECKING:
    from allofus_spark.tables import Warehouse

_NOT_TRAINED_ON = {
    "samples_not_chosen": "samples that --samples does not name",
    "samples_without_label": "samples without a label",
    "samples_labelled_unassigned": "samples labelled as of no group",
    "samples_with_few_called_sites": "samples with calls at too few of the sites",
}

Lines = Iterable[tuple[str, int]]


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
    Prints how many samples of each group the trees that had not seen them name so.
    """
    from allofus_spark.ancestry import train_model
    from allofus_spark.cohort import read_sample_ids

    with open_warehouse("infer-ancestry train", settings_file, warehouse, overrides) as tables:
        chosen = None if samples is None else read_sample_ids(samples)
        model_id, counters = train_model(tables, callset_id=callset, name=name, sample_ids=chosen)
        _draw_training(tables, model_id, counters)


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
        before = _labels_that_count(tables)
        model_id, counters = project_samples(tables, model=model, source=source, callset_ids=callsets)
        lines = [
            ("callsets", counters["callsets"]),
            ("samples", counters["samples"]),
            ("sites of the model", counters["model_sites"]),
            ("of these in the callset that has fewest", counters["fewest_sites_of_a_callset"]),
            *_labels(tables, counters),
            ("inferred label is the supplied one", counters["labels_that_agree"]),
            ("inferred label is not the supplied one", counters["labels_that_differ"]),
        ]
        _echo(f"ancestries of {tables.root} are by model {model_id}", lines)
        _echo_stale(tables, before)
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
        before = _labels_that_count(tables)
        counters = import_labels(tables, file, callset_id=callset, name=name, columns=named)
        lines = [
            ("samples of the callset", counters["samples"]),
            *_labels(tables, counters),
            ("samples of the file that are not in the callset", counters["samples_not_in_callset"]),
        ]
        _echo(f"ancestries of callset {callset} are in {tables.root}", lines)
        _echo_stale(tables, before)
        _echo_pictures(write_pictures(tables, name))


def _draw_training(tables: Warehouse, model_id: str, counters: Mapping[str, int]) -> None:
    from allofus_spark.tables import ANCESTRY_MODELS

    lines = [
        ("sites of the model", counters["sites"]),
        ("principal components", counters["principal_components"]),
        ("samples trained on", counters["samples_trained_on"]),
        *((text, n) for name, text in _NOT_TRAINED_ON.items() if (n := counters.get(name, 0))),
    ]
    _echo(f"model {model_id} is in {tables.root}", lines)
    columns = ("samples", "named so out of bag")
    agreement = grid(
        "Training samples, by the trees that had not seen them", "group", *columns, numbers=columns
    )
    for group in tables.settings.frequencies.ancestry_groups:
        if n := counters.get(f"samples_{group}", 0):
            agreement.add_row(group, f"{n:,}", f"{counters[f'out_of_bag_{group}']:,}")
    console = screen()
    console.print(agreement)
    if n := counters["samples_that_every_tree_saw"]:
        console.print(f"Of them {n:,} were seen by every tree: nothing can be said of these")
    # A warehouse with several models does not tell by itself which one is meant.
    has_others = tables.live(ANCESTRY_MODELS).count() > 1
    named = f" --model {model_id}" if has_others else ""
    click.echo(
        "Next, in the warehouse of the samples to label: "
        f"allofus infer-ancestry project --from {shlex.quote(tables.root)}{named}"
    )


def _labels(tables: Warehouse, counters: Mapping[str, int]) -> Lines:
    """Samples by label, in the order of the settings; without zeros, but of those that have no group."""
    settings = tables.settings.frequencies
    for group in settings.ancestry_groups:
        n = counters.get(f"samples_{group}", 0)
        if n and group != settings.unassigned_group:
            yield f"labelled {group}", n
    unassigned = settings.unassigned_group
    yield f"unassigned: labelled {unassigned}", counters.get(f"samples_{unassigned}", 0)
    yield "not labelled", counters["samples_not_labelled"]


def _labels_that_count(tables: Warehouse) -> dict[tuple[str, str], str | None]:
    """The label by ``ancestry.labels`` of each sample of an active callset."""
    from allofus_spark.cohort import active_callsets, labels_in_use, sample_rows
    from allofus_spark.tables import SnapshotReader

    held = SnapshotReader(tables)
    label_of = labels_in_use(tables, held)
    rows = sample_rows(held, active_callsets(held))
    return {(row.callset_id, row.sample_id): label_of(row) for row in rows}


def _echo_stale(tables: Warehouse, before: Mapping[tuple[str, str], str | None]) -> None:
    """Say which commands had run with labels that are others now."""
    from allofus_spark.tables import MADE_BY, SAMPLE_OUTLIERS, SAMPLE_QC, allele_frequencies

    n_changed = sum(label != before.get(sample) for sample, label in _labels_that_count(tables).items())
    if not n_changed:
        return
    frequencies = allele_frequencies(tables.settings.frequencies.ancestry_groups)
    held = tables.snapshot()
    by_label = [table.name for table in (frequencies, SAMPLE_QC, SAMPLE_OUTLIERS)]
    stale = [f"allofus {MADE_BY[name]}" for name in by_label if name in held]
    if stale:
        click.echo(f"Labels that count changed for {n_changed:,} samples: run again {', '.join(stale)}")


def _echo(title: str, lines: Lines) -> None:
    click.echo(title)
    shown = list(lines)
    width = max(len(text) for text, _ in shown)
    for text, n in shown:
        click.echo(f"  {text:<{width}}  {n:>12,}")


def _echo_pictures(paths: Sequence[str]) -> None:
    for path in paths:
        click.echo(f"Picture: {path}")
