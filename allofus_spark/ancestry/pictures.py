"""Pictures of ancestries: scores by label, and how sure labels are.

They show one mark a person or counts of people as they are, so they lie in the controlled zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FactorRange, LayoutDOM, Range1d
from bokeh.models.annotations import LabelSet
from bokeh.palettes import Blues256
from bokeh.plotting import figure
from bokeh.transform import linear_cmap
from pyspark.sql import Column
from pyspark.sql import functions as F

from allofus_spark.pictures import COLOURS, MAX_MARKS, save_picture
from allofus_spark.spacing import evenly_spaced
from allofus_spark.tables import ANCESTRY_TRAINING, SAMPLES, SnapshotReader, Warehouse, Zone, ancestries

PCS, PROBABILITIES = "ancestry_pcs", "ancestry_probabilities"
_SHOWN_PCS = 4
_BINS = np.linspace(0, 1, 21)
_NOT_LABELLED = "not labelled"

Frame = Any  # of pandas, which ships no types here


def write_pictures(warehouse: Warehouse, model_id: str) -> list[str]:
    """Draw the samples that one model, or import, labelled; gives the paths of the pictures.

    What is not there is not drawn: scores where an import has none, probabilities likewise.
    """
    people = _people(warehouse, model_id)
    paths = []
    if people["pcs"].notna().any():
        path = warehouse.picture_path(Zone.CONTROLLED, PCS)
        parts = _scatters(people, _training(warehouse, model_id), _colours(warehouse))
        note = (
            f"Model {model_id}, {len(people):,} samples by inferred label. Of each label at most "
            f"{MAX_MARKS:,} marks, evenly spaced in the order of samples; squares are training samples. "
            "Individual-level data."
        )
        save_picture(warehouse.spark, path, "Ancestry: principal components", note, parts)
        paths.append(path)
    if people["top"].notna().any():
        path = warehouse.picture_path(Zone.CONTROLLED, PROBABILITIES)
        parts = [_histogram(people, _colours(warehouse)), *_confusion(people)]
        note = f"Model {model_id}, {len(people):,} samples. Counts of people, not fit for release."
        save_picture(warehouse.spark, path, "Ancestry: probabilities of labels", note, parts)
        paths.append(path)
    return paths


def _people(warehouse: Warehouse, model_id: str) -> Frame:
    """One row a sample of the model, in order: first four pcs, top probability, label, supplied label."""
    groups = warehouse.settings.frequencies.ancestry_groups
    tables = SnapshotReader(warehouse)
    rows = tables.read(ancestries(groups)).where(F.col("model_id") == model_id)
    supplied = tables.read(SAMPLES).select("callset_id", "sample_id", F.col("ancestry").alias("supplied"))
    top = F.greatest(*(F.col(f"probabilities.{name}") for name in groups)) if len(groups) > 1 else F.lit(None)
    return (
        rows.join(supplied, ["callset_id", "sample_id"], "left")
        .orderBy("callset_id", "sample_index")
        .select(
            _first(F.col("pcs")).alias("pcs"),
            top.cast("double").alias("top"),
            F.coalesce("ancestry", F.lit(_NOT_LABELLED)).alias("label"),
            "supplied",
        )
        .toPandas()
    )


def _training(warehouse: Warehouse, model_id: str) -> Frame:
    """One row a training sample: pcs and label; None where the model was trained elsewhere."""
    tables = SnapshotReader(warehouse)
    if not tables.holds(ANCESTRY_TRAINING):
        return None
    rows = tables.read(ANCESTRY_TRAINING).where(F.col("model_id") == model_id).orderBy("sample_id")
    held = rows.select(_first(F.col("pcs")).alias("pcs"), F.col("ancestry").alias("label")).toPandas()
    return held if len(held) else None


def _first(pcs: Column) -> Column:
    return F.slice(pcs, 1, _SHOWN_PCS)


def _colours(warehouse: Warehouse) -> dict[str, str]:
    """A colour for each label; the same in every picture of a warehouse."""
    groups = warehouse.settings.frequencies.ancestry_groups
    named = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(groups)}
    return {**named, _NOT_LABELLED: "#000000"}


def _scatters(people: Frame, training: Frame, colours: dict[str, str]) -> list[LayoutDOM]:
    drawn = people[people["pcs"].notna()]
    n_pcs = min(map(len, drawn["pcs"]))
    pairs = [(first, min(first + 1, n_pcs)) for first in range(1, min(n_pcs, _SHOWN_PCS) + 1, 2)]
    return [_scatter(drawn, training, colours, *pair) for pair in pairs]


def _scatter(people: Frame, training: Frame, colours: dict[str, str], first: int, second: int) -> LayoutDOM:
    plot = figure(
        title=f"PC{first} and PC{second}", height=520, width=760, output_backend="webgl",
        x_axis_label=f"PC{first}", y_axis_label=f"PC{second}",
    )  # fmt: skip
    for frame, marker, suffix in ((training, "square", " (training)"), (people, "circle", "")):
        if frame is None:
            continue
        for label, rows in frame.groupby("label", sort=True):
            places = evenly_spaced(len(rows), MAX_MARKS)
            scores = np.array(rows["pcs"].tolist())[places]
            plot.scatter(
                scores[:, first - 1], scores[:, second - 1], marker=marker, size=4,
                line_color=colours[label], fill_color=None if suffix else colours[label], fill_alpha=0.6,
                legend_label=f"{label}{suffix} ({len(rows):,})",
            )  # fmt: skip
    plot.add_layout(plot.legend[0], "right")
    plot.legend.click_policy = "hide"
    return plot


def _histogram(people: Frame, colours: dict[str, str]) -> LayoutDOM:
    plot = figure(
        title="Probability of the likeliest group", height=420, width=760, x_axis_label="probability",
        y_axis_label="samples", x_range=Range1d(start=0, end=1),
    )  # fmt: skip
    below = np.zeros(len(_BINS) - 1)
    for label, rows in people[people["top"].notna()].groupby("label", sort=True):
        counts, _ = np.histogram(rows["top"], _BINS)
        plot.quad(
            left=_BINS[:-1], right=_BINS[1:], bottom=below, top=below + counts, fill_color=colours[label],
            line_color="white", legend_label=f"{label} ({len(rows):,})",
        )  # fmt: skip
        below = below + counts
    plot.add_layout(plot.legend[0], "right")
    return plot


def _confusion(people: Frame) -> Sequence[LayoutDOM]:
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
    inferred = sorted(set(source.data["inferred"]))
    supplied = sorted(set(source.data["supplied"]), reverse=True)
    plot = figure(
        title="Supplied and inferred labels: samples; colour by share of the supplied label",
        height=420, width=760, x_range=FactorRange(*inferred), y_range=FactorRange(*supplied),
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
