"""Related pairs drawn: kinship against sites without a shared allele, and pairs by degree."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
from bokeh.models import DataRange1d, FactorRange, HoverTool, LayoutDOM, Range1d
from bokeh.models.annotations import Label, Span
from bokeh.plotting import figure
from pyspark.sql import functions as F

from allofus_spark.arrow import collect
from allofus_spark.pictures import COLOURS, MAX_MARKS, save_picture
from allofus_spark.spacing import evenly_spaced
from allofus_spark.tables import RELATED_PAIRS, Warehouse, Zone
from allofus_spark.tables.relatedness_tables import DEGREES, FURTHER

_LABELS = (*DEGREES, FURTHER)
_HEIGHT = 420  # pixels

_NONE = pa.table({"degree": pa.array([], pa.string())})
_IN_ORDER = ("kinship", "ibs0", "sample_id_1", "sample_id_2")


def draw_kinship(warehouse: Warehouse, counts: Mapping[str, int]) -> str:
    """Write the picture ``relatedness`` of the live pairs, ``counts`` of each degree; its path."""
    path = warehouse.picture_path(Zone.CONTROLLED, "relatedness")
    parts = [_bars(counts)]
    if marks := _marks(warehouse, counts):
        parts.insert(0, _scatter(marks))
    note = (
        f"Kinship of {sum(counts.values()):,} pairs of samples. Parents and children share an allele at "
        "every site, full siblings do not; duplicates have the same calls. A degree begins at its line. At "
        f"most {MAX_MARKS:,} pairs of a degree are drawn. Individual-level data."
    )
    save_picture(warehouse.spark, path, "Relatedness", note, parts)
    return path


def _marks(warehouse: Warehouse, counts: Mapping[str, int]) -> dict[str, pa.Table]:
    """At most MAX_MARKS pairs of a degree, evenly spaced by kinship; of very many, by hash before that."""
    held = {name: n for name, n in counts.items() if n}
    pairs = warehouse.live(RELATED_PAIRS).where("n_sites IS NOT NULL")
    one_of = F.create_map(
        *(F.lit(part) for name, n in held.items() for part in (name, max(1, n // (4 * MAX_MARKS))))
    )
    is_taken = F.pmod(F.xxhash64("sample_id_1", "sample_id_2"), one_of[F.col("degree")]) == 0
    ibs0 = (F.col("n_ibs0") / F.col("n_sites")).alias("ibs0")
    found = (
        collect(pairs.where(is_taken).select("degree", *_IN_ORDER[2:], ibs0, "kinship")) if held else _NONE
    )
    marks = {name: found.filter(pc.equal(found.column("degree"), name)) for name in held}
    return {name: _spaced(own) for name, own in marks.items() if len(own)}


def _spaced(rows: pa.Table) -> pa.Table:
    in_order = rows.sort_by([(name, "ascending") for name in _IN_ORDER])
    return in_order.take(evenly_spaced(len(rows), MAX_MARKS))


def _scatter(marks: Mapping[str, pa.Table]) -> LayoutDOM:
    most_ibs0 = max(0.01, *(pc.max(rows.column("ibs0")).as_py() for rows in marks.values()))
    least_kinship = min(0.0, *(pc.min(rows.column("kinship")).as_py() for rows in marks.values()))
    plot = figure(
        height=_HEIGHT,
        sizing_mode="stretch_width",
        title="Kinship by share of sites without a shared allele (IBS0)",
        x_axis_label="share of sites with IBS0",
        y_axis_label="kinship",
        x_range=Range1d(start=-0.03 * most_ibs0, end=1.3 * most_ibs0),  # room for names of lines
        y_range=Range1d(start=least_kinship - 0.02, end=0.52),
    )
    for label, colour in zip(_LABELS, COLOURS, strict=False):
        if label in marks:
            source = {name: marks[label].column(name).to_pylist() for name in _IN_ORDER}
            plot.scatter(
                "ibs0", "kinship", source=source, size=6, alpha=0.6, color=colour, legend_label=_shown(label)
            )
    # The browser shows what follows an @ as text, whatever it holds.
    plot.add_tools(
        HoverTool(
            tooltips=[
                ("samples", "@{sample_id_1} and @{sample_id_2}"),
                ("kinship", "@kinship{0.0000}"),
                ("share with IBS0", "@ibs0{0.0000}"),
            ]
        )
    )
    for degree, least in DEGREES.items():
        plot.add_layout(Span(location=least, dimension="width", line_dash="dashed", line_color="#666666"))
        plot.add_layout(
            Label(
                x=1.29 * most_ibs0,
                y=least,
                text=f"{_shown(degree)}: from {least:g}",
                text_align="right",
                text_font_size="11px",
                text_color="#666666",
            )
        )
    plot.add_layout(plot.legend[0], "right")  # beside the marks: within it would cover some
    return plot


def _bars(counts: Mapping[str, int]) -> LayoutDOM:
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
