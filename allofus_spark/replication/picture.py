"""The scorecard: which share of known associations is seen again, by ancestry, and their odds ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from bokeh.models import ColumnDataSource, FactorRange, HoverTool, LayoutDOM, NumeralTickFormatter, Range1d
from bokeh.models.annotations import Span
from bokeh.plotting import figure
from bokeh.transform import dodge
from pyspark.sql import Row
from pyspark.sql import functions as F

from allofus_spark.arrow import collect
from allofus_spark.pictures import COLOURS, MAX_MARKS, save_picture
from allofus_spark.spacing import evenly_spaced
from allofus_spark.tables import REPLICATIONS, Warehouse, Zone
from allofus_spark.tables.replication_tables import ANY, SAME, TESTED

_HEIGHT = 360  # pixels
_MOST_WHISKERS = 60  # rows of the forest that can still be read
_ROW_HEIGHT = 16  # pixels
_OURS = ("odds_ratio", "lower95", "upper95")
_KNOWN = tuple(f"known_{name}" for name in _OURS)
_TEXTS = ("association_id", "phenotype_id", "ancestry", "contig", "position")


class _Bar(NamedTuple):
    """Where a bar ends, and what stands on it."""

    top: float
    text: str


def draw_scorecard(
    warehouse: Warehouse, own: str, summary: Sequence[Row], simulated: Sequence[str] = ()
) -> str:
    """Write the picture ``replication_SCAN_MAP`` of the rows that ``own`` selects; its path.

    ``summary`` are rows of replication_summary over all categories, with at least one.
    """
    held = summary[0]
    path = warehouse.picture_path(Zone.REGISTERED, f"replication_{held.scan}_{held.map_name}")
    tested = [row for row in summary if row.tested]
    parts: list[LayoutDOM] = []
    for known_in, words in ((SAME, "found in the same ancestry"), (ANY, "found in any ancestry")):
        if rows := [row for row in tested if row.known_in == known_in]:
            parts += [_rates(rows, words), _expected(rows, words)]
    effects = _effects(warehouse, own)
    if len(effects):
        parts += [_forest(effects), _scatter(effects)]
    note = (
        f"Scan {held.scan} against {held.map_name} {held.map_version}. Seen again: p under "
        f"{warehouse.settings.replication.max_p:g} in the known direction; powered: a chance of "
        f"{warehouse.settings.replication.min_power:g} or more to see the lower bound of the known odds "
        "ratio. Internal: not disclosure-controlled."
    )
    title = "Replication of known associations"
    if simulated:
        title = f"{title}: simulated phenotypes"
        note = f"The phenotypes of {', '.join(simulated)} are simulated. {note}"
    save_picture(warehouse.spark, path, title, note, parts)
    return path


def _rates(rows: Sequence[Row], words: str) -> LayoutDOM:
    """Shares seen again: of all, and of the powered."""
    bars = {
        "of all tested": [_Bar(row.rr_all or 0.0, f"{row.replicated:,} of {row.tested:,}") for row in rows],
        "of the powered": [
            _Bar(row.rr_power or 0.0, f"{row.powered_replicated:,} of {row.powered:,}") for row in rows
        ],
    }
    plot = _pairs([row.ancestry for row in rows], bars, f"Associations {words}: share seen again", 1.0)
    plot.yaxis.axis_label = "seen again"
    plot.yaxis.formatter = NumeralTickFormatter(format="0 %")
    return plot


def _expected(rows: Sequence[Row], words: str) -> LayoutDOM:
    """How many were seen again, beside how many power would have."""
    labels = [row.ancestry if row.aer is None else f"{row.ancestry} (ratio {row.aer:.2f})" for row in rows]
    bars = {
        "seen again": [_Bar(float(row.replicated), f"{row.replicated:,}") for row in rows],
        "expected: sum of powers": [_Bar(row.expected, f"{row.expected:,.1f}") for row in rows],
    }
    most = max(bar.top for own in bars.values() for bar in own)
    plot = _pairs(labels, bars, f"Associations {words}: actual and expected", most or 1.0)
    plot.yaxis.axis_label = "associations"
    return plot


def _pairs(labels: Sequence[str], bars: Mapping[str, Sequence[_Bar]], title: str, most: float) -> figure:
    """Two bars for each label, with their texts."""
    plot = figure(
        x_range=FactorRange(factors=list(labels)),
        y_range=Range1d(start=0, end=1.12 * most),
        height=_HEIGHT,
        sizing_mode="stretch_width",
        title=title,
        x_axis_label="ancestry of the people tested",
        toolbar_location=None,
    )
    for (name, own), colour, shift in zip(bars.items(), (COLOURS[5], COLOURS[0]), (-0.18, 0.18), strict=True):
        source = ColumnDataSource(
            {"label": list(labels), "top": [bar.top for bar in own], "text": [bar.text for bar in own]}
        )
        x = dodge("label", shift, range=plot.x_range)
        plot.vbar(x=x, top="top", width=0.32, color=colour, legend_label=name, source=source)
        plot.text(
            x=x, y="top", text="text", source=source, text_align="center", text_font_size="8pt", y_offset=-2
        )
    _legend_above(plot)
    return plot


def _legend_above(plot: figure) -> None:
    """The legend in a line over the plot, which keeps its width."""
    legend = plot.legend[0]
    legend.orientation, legend.border_line_color = "horizontal", None
    plot.add_layout(legend, "above")


def _effects(warehouse: Warehouse, own: str) -> pa.Table:
    """Tests with their odds ratios, the powered first; of very many, by hash before that."""
    rows = warehouse.live(REPLICATIONS).where(own).where(F.col("status") == TESTED)
    columns = [*_TEXTS, "known_ancestry", "power", "is_replicated", *_OURS, *_KNOWN]
    many = rows.select(*columns).orderBy(F.xxhash64("association_id", "ancestry")).limit(4 * MAX_MARKS)
    order = [("power", "descending"), ("association_id", "ascending"), ("ancestry", "ascending")]
    return collect(many).sort_by(order)


def _forest(effects: pa.Table) -> LayoutDOM:
    """Known and observed intervals of the tests with most power, in the ancestry they were found in."""
    own = effects.filter(pc.equal(effects["ancestry"], effects["known_ancestry"]))
    rows = (own if len(own) else effects).slice(0, _MOST_WHISKERS).to_pylist()
    names = [f"{row['phenotype_id']} · {row['association_id']} · {row['ancestry']}" for row in rows][::-1]
    plot = figure(
        y_range=FactorRange(factors=names),
        x_axis_type="log",
        height=120 + _ROW_HEIGHT * 2 * len(rows),
        sizing_mode="stretch_width",
        title=f"Odds ratio of the risk allele with its 95 % interval: the {len(rows):,} with most power",
        x_axis_label="odds ratio of one copy of the risk allele",
        toolbar_location=None,
    )
    for columns, label, colour, shift in (
        (_KNOWN, "known", COLOURS[6], 0.15),
        (_OURS, "here", COLOURS[0], -0.15),
    ):
        source = {"name": names, **{part: [row[part] for row in rows[::-1]] for part in columns}}
        effect, low, high = columns
        place = dodge("name", shift, range=plot.y_range)
        plot.hbar(place, left=low, right=high, height=0.06, color=colour, legend_label=label, source=source)
        plot.scatter(effect, place, size=7, color=colour, legend_label=label, source=source)
    plot.add_layout(Span(location=1, dimension="height", line_dash="dashed", line_color="#666666"))
    _legend_above(plot)
    return plot


def _scatter(effects: pa.Table) -> LayoutDOM:
    """Observed against known odds ratios, by ancestry."""
    known = np.asarray(effects["known_odds_ratio"])
    ends = [float(known.min()), float(known.max())]
    plot = figure(
        x_axis_type="log",
        y_axis_type="log",
        height=_HEIGHT + 100,
        sizing_mode="stretch_width",
        title="Odds ratio of the risk allele: here against known",
        x_axis_label="known odds ratio",
        y_axis_label="odds ratio here",
    )
    ancestries = sorted(set(effects["ancestry"].to_pylist()))
    for ancestry, colour in zip(ancestries, cycle(COLOURS), strict=False):
        rows = effects.filter(pc.equal(effects["ancestry"], ancestry))
        marks = rows.take(evenly_spaced(len(rows), MAX_MARKS))
        source = {name: marks[name].to_pylist() for name in (*_TEXTS, "known_odds_ratio", *_OURS)}
        plot.scatter(
            "known_odds_ratio",
            "odds_ratio",
            source=source,
            size=6,
            alpha=0.6,
            color=colour,
            legend_label=ancestry,
        )
    plot.add_tools(
        HoverTool(
            tooltips=[
                ("association", "@{association_id}, phenotype @{phenotype_id}, @{ancestry}"),
                ("variant", "@{contig}:@{position}{0}"),
                ("odds ratio", "@odds_ratio{0.00} (@lower95{0.00} to @upper95{0.00})"),
                ("known", "@known_odds_ratio{0.00}"),
            ]
        )
    )
    plot.line(ends, ends, line_dash="dashed", color="#666666")
    plot.add_layout(Span(location=1, dimension="width", line_dash="dotted", line_color="#666666"))
    _legend_above(plot)
    return plot
