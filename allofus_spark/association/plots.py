"""QQ and Manhattan plots of one phenotype in one ancestry."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from bokeh.models import DataRange1d, FixedTicker, LayoutDOM, Range1d
from bokeh.models.annotations import Label, Span
from bokeh.plotting import figure
from pyspark.sql import Row
from scipy.special import betaincinv

from allofus_spark.association.marks import Axis, Floats, Points
from allofus_spark.pictures import COLOURS
from allofus_spark.tables.association_tables import QQ_EDGES

_HEIGHT, _QQ_WIDTH = 300, 320  # pixels
_EVEN, _ODD, _LINE, _SHADE = COLOURS[0], COLOURS[5], COLOURS[3], "#999999"
_BAND = 0.95
_BAND_POINTS = 100
_MOST_NAMED = 5
_PEAK_SHARE = 0.02  # of the axis: the smallest p of so wide a stretch has the name
_LABEL_SHARE = 0.025  # of the axis: contigs that are nearer to the last named one have no name


def qq(summary: Row) -> LayoutDOM:
    """Observed against expected −log10 p of all tests."""
    expected, observed = qq_points(np.array(summary.neg_log10_p_counts, np.int64), summary.max_neg_log10_p)
    lambda_gc = "not known" if summary.lambda_gc is None else f"{summary.lambda_gc:.3f}"
    plot: Any = figure(
        height=_HEIGHT,
        width=_QQ_WIDTH,
        title=f"{summary.ancestry}: λGC {lambda_gc}",
        x_axis_label="expected −log10 p",
        y_axis_label="observed −log10 p",
        toolbar_location=None,
    )
    top = max(expected.max(initial=1), 1)
    x, low, high = chance_band(int(summary.n_tested))
    plot.varea(x, low, high, fill_color=_SHADE, fill_alpha=0.3)
    plot.line([0, top], [0, top], line_color=_SHADE, line_dash="dashed")
    plot.scatter(expected, observed, size=4, color=_EVEN)
    return plot  # type: ignore[no-any-return]


def qq_points(counts: npt.NDArray[np.int64], most: float | None) -> tuple[Floats, Floats]:
    """Expected and observed −log10 p at the lower edges of the bins that hold tests, and of the smallest p.

    Of n tests, k with a p at an edge or less: k / n are expected there.

    >>> expected, observed = qq_points(np.array([90, 10] + [0] * 329), 0.008)
    >>> expected.round(3).tolist(), observed.tolist()
    ([0.0, 1.0, 2.301], [0.0, 0.005, 0.008])
    """
    n = int(counts.sum())
    if not n or most is None:
        return np.zeros(0), np.zeros(0)
    at_least = n - np.concatenate([[0], np.cumsum(counts)[:-1]])
    lower = np.concatenate([[0.0], QQ_EDGES])
    held = (counts > 0) & (at_least > 1)  # the smallest p is given by itself
    expected = np.append(-np.log10(at_least[held] / n), -np.log10(0.5 / n))
    return np.asarray(expected) + 0.0, np.append(lower[held], most)


def chance_band(n: int) -> tuple[Floats, Floats, Floats]:
    """Expected −log10 p of the k smallest of n independent p, and the bounds that 95 % of them lie in.

    The k-th smallest of n uniform p is of Beta(k, n + 1 − k).

    >>> [values.round(2).tolist() for values in chance_band(1)]
    [[0.3], [0.01], [1.6]]
    """
    k = np.unique(np.geomspace(1, n, _BAND_POINTS).round())
    tail = (1 - _BAND) / 2
    low, high = (-np.log10(betaincinv(k, n + 1 - k, p)) for p in (1 - tail, tail))
    return -np.log10((k - 0.5) / n), low, high


def manhattan(summary: Row, points: Points | None, axis: Axis, genome_wide_p: float) -> LayoutDOM:
    """Stored variants along the genome, contigs in turns of two colours, with the line of genome-wide p."""
    threshold = -np.log10(genome_wide_p)
    x, height = (np.zeros(0), np.zeros(0)) if points is None else (points.x, points.neg_log10_p)
    plot: Any = figure(
        height=_HEIGHT,
        sizing_mode="stretch_width",
        title=_title(summary, genome_wide_p),
        x_axis_label="contig" if len(axis.names) > 1 else f"position on {''.join(axis.names)}, bases",
        y_axis_label="−log10 p",
        x_range=Range1d(start=0, end=int(axis.starts[-1])) if len(axis.names) > 1 else DataRange1d(),
        y_range=Range1d(start=0, end=1.15 * max(threshold, height.max(initial=0.0))),
    )
    plot.toolbar.logo = None
    shift = 0 if len(axis.names) > 1 else int(axis.first.sum())
    is_odd = np.searchsorted(axis.starts, x, "right") % 2 == 0
    for own, colour in ((~is_odd, _EVEN), (is_odd, _ODD)):
        plot.scatter(x[own] + shift, height[own], size=4, color=colour)
    plot.add_layout(Span(location=threshold, dimension="width", line_dash="dashed", line_color=_LINE))
    for at in peaks(x, height, threshold, _PEAK_SHARE * float(axis.starts[-1])):
        contig, position = axis.place(x[at])
        plot.add_layout(_name(x[at] + shift, height[at], f"{contig}:{position:,}", x[at] / axis.starts[-1]))
    if len(axis.names) > 1:
        _name_contigs(plot, axis)
    return plot  # type: ignore[no-any-return]


def peaks(x: Floats, height: Floats, threshold: float, apart: float) -> list[int]:
    """The highest points over a threshold of which none lies nearer than ``apart`` to a higher one.

    >>> peaks(np.array([1.0, 2.0, 9.0, 20.0]), np.array([8.0, 9.0, 10.0, 3.0]), 7.3, 5)
    [2, 1]
    """
    found: list[int] = []
    for at in np.argsort(-height, kind="stable"):
        if height[at] <= threshold or len(found) == _MOST_NAMED:
            break
        if all(abs(x[at] - x[other]) >= apart for other in found):
            found.append(int(at))
    return found


def _title(summary: Row, genome_wide_p: float) -> str:
    of_cases = "" if summary.n_cases is None else f" ({summary.n_cases:,} cases)"
    hits = f"{summary.n_genome_wide:,} with p < {genome_wide_p:g}"
    return f"{summary.ancestry}: {summary.n:,} people{of_cases}, {summary.n_tested:,} variants, {hits}"


def _name(x: float, y: float, text: str, share: float) -> Label:
    """The name beside a mark, on the side where there is more room."""
    is_right = share > 0.5
    return Label(
        x=x,
        y=y,
        text=text,
        text_font_size="8pt",
        text_align="right" if is_right else "left",
        x_offset=-6 if is_right else 6,
        text_baseline="middle",
    )


def _name_contigs(plot: Any, axis: Axis) -> None:
    """Contigs by their names without chr, where there is room for them."""
    middles = (axis.starts[:-1] + axis.starts[1:]) / 2
    named: dict[float, str] = {}
    for middle, name in zip(middles.tolist(), axis.names, strict=True):
        if not named or middle - max(named) >= _LABEL_SHARE * axis.starts[-1]:
            named[middle] = name.removeprefix("chr")
    plot.xaxis.ticker = FixedTicker(ticks=list(named))
    plot.xaxis.major_label_overrides = named
    plot.xgrid.visible = False
