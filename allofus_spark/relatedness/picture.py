"""Related pairs drawn: kinship against sites without a shared allele, and pairs by degree."""

from __future__ import annotations

import numpy as np
import pandas as pd
from bokeh.models import LayoutDOM
from bokeh.plotting import figure
from pyspark.sql import functions as F

from allofus_spark.pictures import COLOURS, MAX_MARKS, save_picture
from allofus_spark.tables import RELATED_PAIRS, Warehouse, Zone
from allofus_spark.tables.relatedness_tables import DEGREES, FURTHER

_LABELS = (*DEGREES, FURTHER)
_HEIGHT = 420  # pixels


def draw_kinship(warehouse: Warehouse) -> str:
    """Write the picture ``relatedness`` from the live pairs; its path. A mark is a pair, so it stays controlled."""
    pairs = warehouse.live(RELATED_PAIRS)
    counts = dict.fromkeys(_LABELS, 0) | dict(pairs.groupBy("degree").count().collect())
    marks = pd.concat([_marks(warehouse, name, counts[name]) for name in _LABELS if counts[name]] or [_NONE])
    path = warehouse.picture_path(Zone.CONTROLLED, "relatedness")
    parts = [_bars(counts)]
    if len(marks):
        parts.insert(0, _scatter(marks))
    note = (
        f"Kinship of {sum(counts.values()):,} pairs of samples. Parents and children share an allele at every "
        f"site, full siblings do not; duplicates have the same calls. At most {MAX_MARKS:,} pairs of a degree "
        "are drawn."
    )
    save_picture(warehouse.spark, path, "Relatedness", note, parts)
    return path


_NONE = pd.DataFrame({"degree": [], "kinship": [], "ibs0": []})


def _marks(warehouse: Warehouse, degree: str, n: int) -> pd.DataFrame:
    """At most MAX_MARKS pairs of a degree, evenly spaced by kinship; of very many, by hash before that."""
    pairs = warehouse.live(RELATED_PAIRS).where((F.col("degree") == degree) & F.col("n_sites").isNotNull())
    one_of = max(1, n // (4 * MAX_MARKS))
    taken = pairs.where(F.pmod(F.xxhash64("sample_id_1", "sample_id_2"), F.lit(one_of)) == 0)
    marks = taken.select("degree", "kinship", (F.col("n_ibs0") / F.col("n_sites")).alias("ibs0")).toPandas()
    marks = marks.sort_values(["kinship", "ibs0"])
    n_drawn = min(len(marks), MAX_MARKS)
    return marks.iloc[np.arange(n_drawn) * len(marks) // max(n_drawn, 1)]


def _scatter(marks: pd.DataFrame) -> LayoutDOM:
    plot = figure(
        height=_HEIGHT,
        sizing_mode="stretch_width",
        title="Kinship by share of sites without a shared allele (IBS0)",
        x_axis_label="share of sites with IBS0",
        y_axis_label="kinship",
    )
    for label, colour in zip(_LABELS, COLOURS, strict=False):
        own = marks[marks["degree"] == label]
        if len(own):
            plot.scatter(
                own["ibs0"], own["kinship"], size=6, alpha=0.6, color=colour, legend_label=_shown(label)
            )
    return plot


def _bars(counts: dict[str, int]) -> LayoutDOM:
    labels = [f"{_shown(name)} ({counts[name]:,})" for name in _LABELS]
    plot = figure(
        x_range=labels,
        height=_HEIGHT,
        sizing_mode="stretch_width",
        title="Pairs by degree",
        y_axis_label="pairs",
        toolbar_location=None,
    )
    plot.vbar(
        x=labels, top=[counts[name] for name in _LABELS], width=0.7, color=list(COLOURS[: len(_LABELS)])
    )
    plot.y_range.start = 0
    return plot


def _shown(degree: str) -> str:
    return degree.replace("_", " ")
