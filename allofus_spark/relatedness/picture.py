"""Related pairs drawn: kinship against sites without a shared allele, and pairs by degree."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from bokeh.models import DataRange1d, FactorRange, LayoutDOM
from bokeh.plotting import figure
from pyspark.sql import functions as F

from allofus_spark.arrow import collect
from allofus_spark.pictures import COLOURS, MAX_MARKS, save_picture
from allofus_spark.tables import RELATED_PAIRS, Warehouse, Zone
from allofus_spark.tables.relatedness_tables import DEGREES, FURTHER

_LABELS = (*DEGREES, FURTHER)
_HEIGHT = 420  # pixels

# Share of sites with IBS0 and kinship, float64[2, pairs].
Marks = npt.NDArray[np.float64]


def draw_kinship(warehouse: Warehouse) -> str:
    """Write the picture ``relatedness`` from the live pairs; its path. A mark is a pair of people."""
    pairs = warehouse.live(RELATED_PAIRS)
    counts = dict.fromkeys(_LABELS, 0) | dict(pairs.groupBy("degree").count().collect())
    drawn = {name: _marks(warehouse, name, counts[name]) for name in _LABELS if counts[name]}
    marks = {name: own for name, own in drawn.items() if own.size}
    path = warehouse.picture_path(Zone.CONTROLLED, "relatedness")
    parts = [_bars(counts)]
    if marks:
        parts.insert(0, _scatter(marks))
    note = (
        f"Kinship of {sum(counts.values()):,} pairs of samples. Parents and children share an allele at "
        "every site, full siblings do not; duplicates have the same calls. At most "
        f"{MAX_MARKS:,} pairs of a degree are drawn."
    )
    save_picture(warehouse.spark, path, "Relatedness", note, parts)
    return path


def _marks(warehouse: Warehouse, degree: str, n: int) -> Marks:
    """At most MAX_MARKS pairs of a degree, evenly spaced by kinship; of very many, by hash before that."""
    pairs = warehouse.live(RELATED_PAIRS).where((F.col("degree") == degree) & F.col("n_sites").isNotNull())
    one_of = max(1, n // (4 * MAX_MARKS))
    taken = pairs.where(F.pmod(F.xxhash64("sample_id_1", "sample_id_2"), F.lit(one_of)) == 0)
    found = collect(taken.select((F.col("n_ibs0") / F.col("n_sites")).alias("ibs0"), "kinship"))
    marks = np.array([np.asarray(column) for column in found.columns], np.float64)
    n_drawn = min(marks.shape[1], MAX_MARKS)
    return marks[:, np.lexsort(marks)[np.arange(n_drawn) * marks.shape[1] // max(n_drawn, 1)]]


def _scatter(marks: dict[str, Marks]) -> LayoutDOM:
    plot = figure(
        height=_HEIGHT,
        sizing_mode="stretch_width",
        title="Kinship by share of sites without a shared allele (IBS0)",
        x_axis_label="share of sites with IBS0",
        y_axis_label="kinship",
    )
    for label, colour in zip(_LABELS, COLOURS, strict=False):
        if label in marks:
            ibs0, kinship = marks[label]
            plot.scatter(ibs0, kinship, size=6, alpha=0.6, color=colour, legend_label=_shown(label))
    return plot


def _bars(counts: dict[str, int]) -> LayoutDOM:
    labels = [f"{_shown(name)} ({counts[name]:,})" for name in _LABELS]
    plot = figure(
        x_range=FactorRange(factors=labels),
        height=_HEIGHT,
        sizing_mode="stretch_width",
        title="Pairs by degree",
        y_axis_label="pairs",
        toolbar_location=None,
        y_range=DataRange1d(start=0),
    )
    plot.vbar(
        x=labels, top=[counts[name] for name in _LABELS], width=0.7, color=list(COLOURS[: len(_LABELS)])
    )
    return plot


def _shown(degree: str) -> str:
    return degree.replace("_", " ")
