"""Pictures of ancestries: scores by label, and how sure labels are.

They show one mark a person or counts of people as they are, so they lie in the controlled zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.layouts import gridplot
from bokeh.models import ColumnDataSource, DataRange1d, FactorRange, LayoutDOM, Range1d
from bokeh.models.annotations import LabelSet, Span
from bokeh.palettes import Blues256
from bokeh.plotting import figure
from bokeh.transform import linear_cmap
from pyspark.sql import Column
from pyspark.sql import functions as F

from allofus_spark.pictures import COLOURS, MAX_MARKS, save_picture
from allofus_spark.spacing import evenly_spaced
from allofus_spark.tables import (
    ANCESTRY_MODELS,
    ANCESTRY_TRAINING,
    SAMPLES,
    SnapshotReader,
    Warehouse,
    Zone,
    ancestries,
)

PCS, PROBABILITIES = "ancestry_pcs", "ancestry_probabilities"
_SHOWN_PCS = 4
_BINS = np.linspace(0, 1, 21)
_NOT_LABELLED = "not labelled"
_WIDTH = 760  # pixels

Frame = Any  # of pandas, which ships no types here


@dataclass(frozen=True)
class _Model:
    """What is held of a model here: nothing of an import, no training of a model from elsewhere.

    ``training`` has one row a training sample: id, pcs and label.
    """

    trained_on: str | None
    eigenvalues: Sequence[float]
    training: Frame

    @property
    def has_training(self) -> bool:
        return self.training is not None


def write_pictures(warehouse: Warehouse, model_id: str) -> list[str]:
    """Draw the samples that one model, or import, labelled; gives the paths of the pictures.

    What is not there is not drawn: scores where an import has none, probabilities likewise. People who taught
    the model are squares among the scores, and are left out of the probabilities.
    """
    model = _model(warehouse, model_id)
    people = _people(warehouse, model_id, model)
    paths = []
    if people["pcs"].notna().any():
        path = warehouse.picture_path(Zone.CONTROLLED, PCS)
        parts = _scatters(people, model, _colours(warehouse))
        note = _scores_note(model_id, people, model)
        save_picture(warehouse.spark, path, "Ancestry: principal components", note, parts)
        paths.append(path)
    if people["top"].notna().any():
        path = warehouse.picture_path(Zone.CONTROLLED, PROBABILITIES)
        others, colours = people[~people["is_taught"]], _colours(warehouse)
        threshold = warehouse.settings.ancestry.min_probability
        parts = [*_histograms(others, colours, threshold), *_confusion(others, [*colours])]
        note = _probabilities_note(model_id, people, model, threshold)
        save_picture(warehouse.spark, path, "Ancestry: probabilities of labels", note, parts)
        paths.append(path)
    return paths


def _scores_note(model_id: str, people: Frame, model: _Model) -> str:
    squares = (
        f" Open squares: the {len(model.training):,} samples that the model was trained on, by the label "
        "that they were given; circles: all others."
        if model.has_training
        else ""
    )
    return (
        f"Model {model_id}, {len(people):,} samples by inferred label.{squares} Of each label at most "
        f"{MAX_MARKS:,} marks, evenly spaced in the order of samples. Individual-level data."
    )


def _probabilities_note(model_id: str, people: Frame, model: _Model, threshold: float) -> str:
    n_taught = int(people["is_taught"].sum())
    if n_taught == len(people):
        about = (
            f"All {n_taught:,} samples taught the model: nothing is drawn, as what it says of them does not "
            "tell how well it names others."
        )
    else:
        of_taught = f"{n_taught:,} people who taught the model are left out."
        if not n_taught:
            of_taught = "None of them taught the model."
        if model.trained_on is not None and not model.has_training:
            of_taught = "Who taught the model is not held in this warehouse: nobody is left out for it."
        about = (
            f"{len(people) - n_taught:,} samples are drawn. {of_taught} Line: a group is the label where its "
            f"probability is above {threshold:g} (ancestry.min_probability). The y axes of labels differ."
        )
    return f"Model {model_id}. {about} Counts of people, not fit for release."


def _model(warehouse: Warehouse, model_id: str) -> _Model:
    tables = SnapshotReader(warehouse)
    is_of_model = F.col("model_id") == model_id
    trained_on: str | None = None
    eigenvalues: Sequence[float] = ()
    training: Frame = None
    if tables.holds(ANCESTRY_MODELS):
        models = tables.read(ANCESTRY_MODELS).where(is_of_model).select("trained_on", "eigenvalues")
        for row in models.collect():
            trained_on, eigenvalues = row
    if trained_on is not None and tables.holds(ANCESTRY_TRAINING):
        rows = tables.read(ANCESTRY_TRAINING).where(is_of_model).orderBy("sample_id")
        held = rows.select("sample_id", _first(F.col("pcs")).alias("pcs"), F.col("ancestry").alias("label"))
        frame = held.toPandas()
        training = frame if len(frame) else None
    return _Model(trained_on, eigenvalues, training)


def _people(warehouse: Warehouse, model_id: str, model: _Model) -> Frame:
    """One row a sample of the model, in order: first four pcs, top probability, labels, whether it taught."""
    groups = warehouse.settings.frequencies.ancestry_groups
    tables = SnapshotReader(warehouse)
    rows = tables.read(ancestries(groups)).where(F.col("model_id") == model_id)
    supplied = tables.read(SAMPLES).select("callset_id", "sample_id", F.col("ancestry").alias("supplied"))
    top = F.greatest(*(F.col(f"probabilities.{name}") for name in groups)) if len(groups) > 1 else F.lit(None)
    people: Frame = (
        rows.join(supplied, ["callset_id", "sample_id"], "left")
        .orderBy("callset_id", "sample_index")
        .select(
            "callset_id",
            "sample_id",
            _first(F.col("pcs")).alias("pcs"),
            top.cast("double").alias("top"),
            F.coalesce("ancestry", F.lit(_NOT_LABELLED)).alias("label"),
            "supplied",
        )
        .toPandas()
    )
    # The id of a sample is its own within a callset alone.
    taught = model.training["sample_id"] if model.has_training else []
    people["is_taught"] = (people["callset_id"] == model.trained_on) & people["sample_id"].isin(taught)
    return people


def _first(pcs: Column) -> Column:
    return F.slice(pcs, 1, _SHOWN_PCS)


def _colours(warehouse: Warehouse) -> dict[str, str]:
    """A colour for each label, in their order; the same in every picture of a warehouse."""
    groups = warehouse.settings.frequencies.ancestry_groups
    named = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(groups)}
    return {**named, _NOT_LABELLED: "#000000"}


def _scatters(people: Frame, model: _Model, colours: Mapping[str, str]) -> list[LayoutDOM]:
    drawn = people[people["pcs"].notna()]
    n_pcs = min(map(len, drawn["pcs"]))
    pairs = [(first, min(first + 1, n_pcs)) for first in range(1, min(n_pcs, _SHOWN_PCS) + 1, 2)]
    return [_scatter(drawn[~drawn["is_taught"]], model, colours, *pair) for pair in pairs]


def _scatter(others: Frame, model: _Model, colours: Mapping[str, str], x: int, y: int) -> LayoutDOM:
    plot = figure(
        title=f"PC{x} and PC{y}", height=520, width=_WIDTH, output_backend="webgl",
        x_axis_label=_axis(model, x), y_axis_label=_axis(model, y),
    )  # fmt: skip
    if model.has_training:
        for label, scores, n in _marks(model.training, colours):
            plot.scatter(
                scores[:, x - 1], scores[:, y - 1], marker="square", size=6, fill_color=None,
                line_color=colours[label], legend_label=f"{label} (training) ({n:,})",
            )  # fmt: skip
    for label, scores, n in _marks(others, colours):
        plot.scatter(
            scores[:, x - 1], scores[:, y - 1], marker="circle", size=4, fill_color=colours[label],
            line_color=colours[label], fill_alpha=0.6, legend_label=f"{label} ({n:,})",
        )  # fmt: skip
    plot.add_layout(plot.legend[0], "right")
    plot.legend.click_policy = "hide"
    return plot


def _axis(model: _Model, pc: int) -> str:
    return f"PC{pc} (eigenvalue {model.eigenvalues[pc - 1]:.3g})" if model.eigenvalues else f"PC{pc}"


def _marks(frame: Frame, labels: Mapping[str, str]) -> list[tuple[str, Any, int]]:
    """Label, scores of its marks and number of its samples, of labels that somebody has, in their order."""
    by_label = dict(iter(frame.groupby("label")))
    return [
        (label, np.array(rows["pcs"].tolist())[evenly_spaced(len(rows), MAX_MARKS)], len(rows))
        for label in labels
        if (rows := by_label.get(label)) is not None
    ]


def _histograms(people: Frame, colours: Mapping[str, str], threshold: float) -> Sequence[LayoutDOM]:
    """One histogram a label, each with a y axis of its own: a rare label is seen beside a frequent one."""
    by_label = {label: rows["top"] for label, rows in people[people["top"].notna()].groupby("label")}
    plots: list[Any] = []
    for label in (name for name in colours if name in by_label):
        # A bin holds its upper limit, not its lower one: who is at the threshold is not above it.
        counts = np.histogram(-by_label[label], -_BINS[::-1])[0][::-1]
        plot = figure(
            title=f"{label} ({len(by_label[label]):,})", height=210, width=_WIDTH // 2,
            x_axis_label="probability of the likeliest group", y_axis_label="samples",
            x_range=Range1d(start=0, end=1), y_range=DataRange1d(start=0),
        )  # fmt: skip
        plot.quad(
            left=_BINS[:-1], right=_BINS[1:], bottom=0, top=counts, fill_color=colours[label],
            line_color="white",
        )  # fmt: skip
        plot.add_layout(Span(location=threshold, dimension="height", line_dash="dashed", line_width=2))
        plots.append(plot)
    return [gridplot(plots, ncols=2, toolbar_location=None)] if plots else []


def _confusion(people: Frame, labels: Sequence[str]) -> Sequence[LayoutDOM]:
    """A map of supplied against inferred labels; nothing where no label was supplied."""
    both = people[people["supplied"].notna()]
    if not len(both):
        return []
    counts = both.groupby(["supplied", "label"]).size()
    sizes = counts.groupby(level=0).transform("sum")
    source = ColumnDataSource(
        {
            "supplied": counts.index.get_level_values(0).tolist(),
            "inferred": counts.index.get_level_values(1).tolist(),
            "share": (counts / sizes).tolist(),
            "count": [f"{count:,}" for count in counts],
        }
    )
    inferred = [name for name in labels if name in source.data["inferred"]]
    # A label may be supplied that the settings do not have.
    strange = sorted(set(source.data["supplied"]) - set(labels))
    supplied = [*(name for name in labels if name in source.data["supplied"]), *strange][::-1]
    plot = figure(
        title="Supplied and inferred labels: samples; colour by share of the supplied label",
        height=420, width=_WIDTH,
        x_range=FactorRange(factors=inferred), y_range=FactorRange(factors=supplied),
        x_axis_label="inferred", y_axis_label="supplied",
    )  # fmt: skip
    # From white to a blue on which black digits can be read.
    fill = linear_cmap("share", Blues256[:100:-1], 0, 1)
    plot.rect("inferred", "supplied", 1, 1, source=source, fill_color=fill, line_color="white")
    plot.add_layout(
        LabelSet(
            x="inferred",
            y="supplied",
            text="count",
            source=source,
            text_align="center",
            text_baseline="middle",
        )
    )
    return [plot]
