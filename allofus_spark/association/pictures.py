"""Pictures of a scan: QQ plots from the counts of all tests, Manhattan plots from the stored rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from bokeh.layouts import row
from bokeh.models import FixedTicker, LayoutDOM
from bokeh.models.annotations import Span
from bokeh.plotting import figure
from pyspark.sql import Row, Window
from pyspark.sql import functions as F

from allofus_spark.genome import Build
from allofus_spark.pictures import COLOURS, MAX_MARKS, save_picture
from allofus_spark.tables import (
    ASSOCIATION_SUMMARIES,
    ASSOCIATIONS,
    META_ASSOCIATIONS,
    Warehouse,
    Zone,
    quoted,
)
from allofus_spark.tables.association_tables import META, QQ_EDGES

MOST_PICTURES = 20
_HEIGHT, _QQ_WIDTH = 320, 340  # pixels
_COLUMNS, _ROWS = 1_000, 250  # of the grid in which one mark a cell is drawn
_ODD = re.compile(r"[^A-Za-z0-9._-]")

Marks = dict[tuple[str, str], list[Row]]


def draw_scan(warehouse: Warehouse, build: Build, scan: str, wanted: Sequence[str] | None) -> list[str]:
    """Draw phenotypes of the live tables, each in one file; their paths.

    ``wanted`` None: phenotypes with a p under association.genome_wide_p, at most MOST_PICTURES. Of each
    ancestry at most MAX_MARKS variants are drawn, the smallest p of each cell of a grid.
    """
    chosen = _chosen(warehouse, scan, wanted)
    if not chosen:
        return []
    summaries = _summaries(warehouse, scan, chosen)
    contigs = _contigs(warehouse, scan, build)
    marks = _marks(warehouse, scan, chosen, contigs)
    return [
        _draw(warehouse, scan, phenotype_id, summaries[phenotype_id], marks, contigs)
        for phenotype_id in chosen
        if phenotype_id in summaries
    ]


def _of_scan(scan: str) -> str:
    return f"scan = {quoted(scan)}"


def _chosen(warehouse: Warehouse, scan: str, wanted: Sequence[str] | None) -> list[str]:
    if wanted is not None:
        return sorted(set(wanted))
    hits = warehouse.live(ASSOCIATION_SUMMARIES).where(_of_scan(scan)).where("n_genome_wide > 0")
    best = hits.groupBy("phenotype_id").agg(F.max("max_neg_log10_p").alias("most"))
    rows = best.orderBy(F.desc("most"), "phenotype_id").limit(MOST_PICTURES).collect()
    return [row.phenotype_id for row in rows]


def _summaries(warehouse: Warehouse, scan: str, chosen: Sequence[str]) -> dict[str, list[Row]]:
    table = warehouse.live(ASSOCIATION_SUMMARIES).where(_of_scan(scan))
    rows = table.where(F.col("phenotype_id").isin(list(chosen)) & (F.col("n_tested") > 0)).collect()
    found: dict[str, list[Row]] = {}
    for item in sorted(rows, key=lambda row: (row.phenotype_id, row.ancestry == META, row.ancestry)):
        found.setdefault(item.phenotype_id, []).append(item)
    return found


def _contigs(warehouse: Warehouse, scan: str, build: Build) -> dict[str, tuple[int, int, int]]:
    """First and last stored position of each contig, and where it starts on the axis of the plots."""
    rows = warehouse.live(ASSOCIATIONS).where(_of_scan(scan)).groupBy("contig").agg(
        F.min("position").alias("first"), F.max("position").alias("last")
    ).collect()  # fmt: skip
    held = {row.contig: (row.first, row.last) for row in rows}
    start, contigs = 0, {}
    for name in build.contig_lengths:
        if name in held:
            first, last = held[name]
            contigs[name] = first, last, start
            start += last - first + 1
    return contigs


def _marks(
    warehouse: Warehouse, scan: str, chosen: Sequence[str], contigs: Mapping[str, tuple[int, int, int]]
) -> Marks:
    """The variants to draw, of each phenotype and ancestry."""
    if not contigs:
        return {}
    width = max(1, sum(last - first + 1 for first, last, _ in contigs.values()) // _COLUMNS)
    shifts = {name: start - first for name, (first, _, start) in contigs.items()}
    shift = F.create_map(*(F.lit(part) for pair in shifts.items() for part in pair))[F.col("contig")]
    keys = ("phenotype_id", "ancestry")
    frames = [
        warehouse.live(table)
        .where(_of_scan(scan))
        .select("phenotype_id", ancestry, "contig", "position", "neg_log10_p")
        for table, ancestry in (
            (ASSOCIATIONS, "ancestry"),
            (META_ASSOCIATIONS, F.lit(META).alias("ancestry")),
        )
    ]
    stored = frames[0].unionAll(frames[1]).where(F.col("phenotype_id").isin(list(chosen)))
    placed = stored.where("neg_log10_p IS NOT NULL").withColumn("x", F.col("position") + shift)
    of_pair = Window.partitionBy(*keys)
    most = F.greatest(F.max("neg_log10_p").over(of_pair), F.lit(1.0))
    celled = placed.withColumn("column", F.floor(F.col("x") / width)).withColumn(
        "row", F.floor(F.col("neg_log10_p") * _ROWS / most)
    )
    best = celled.groupBy(*keys, "column", "row").agg(
        F.max("neg_log10_p").alias("neg_log10_p"), F.max_by("x", "neg_log10_p").alias("x"),
        F.max_by("contig", "neg_log10_p").alias("contig"),
    )  # fmt: skip
    # The top of every column stays; of the rest the smallest p.
    in_column = Window.partitionBy(*keys, "column").orderBy(F.desc("row"))
    first = best.withColumn("is_lower", (F.row_number().over(in_column) > 1).cast("int"))
    in_pair = Window.partitionBy(*keys).orderBy("is_lower", F.desc("neg_log10_p"))
    few = first.withColumn("number", F.row_number().over(in_pair)).where(F.col("number") <= MAX_MARKS)
    marks: Marks = {}
    for item in few.select(*keys, "contig", "x", "neg_log10_p").collect():
        marks.setdefault((item.phenotype_id, item.ancestry), []).append(item)
    return marks


def _draw(
    warehouse: Warehouse,
    scan: str,
    phenotype_id: str,
    summaries: Sequence[Row],
    marks: Marks,
    contigs: Mapping[str, tuple[int, int, int]],
) -> str:
    name = _ODD.sub("_", phenotype_id)
    path = warehouse.picture_path(Zone.REGISTERED, f"associations/{scan}/{name}")
    settings = warehouse.settings.association
    parts = [
        row(
            _qq(item),
            _manhattan(marks.get((phenotype_id, item.ancestry), []), contigs, settings.genome_wide_p),
            sizing_mode="stretch_width",
        )
        for item in summaries
    ]
    stored = (
        f" Stored are p with −log10 p of {settings.keep_neg_log10_p:g} or more."
        if settings.keep_neg_log10_p
        else ""
    )
    note = (
        f"Scan {scan}. Left: all tests, observed against expected −log10 p, with λGC from the median. Right: "
        f"at most {MAX_MARKS:,} stored variants, the smallest p of each place; the line is p = "
        f"{settings.genome_wide_p:g}.{stored} Internal: counts are not disclosure-controlled."
    )
    save_picture(warehouse.spark, path, f"Associations of {phenotype_id}", note, parts)
    return path


def _qq(summary: Row) -> LayoutDOM:
    expected, observed = qq_points(np.array(summary.neg_log10_p_counts, np.int64), summary.max_neg_log10_p)
    lambda_gc = "not known" if summary.lambda_gc is None else f"{summary.lambda_gc:.3f}"
    of_cases = "" if summary.n_cases is None else f", {summary.n_cases:,} cases"
    plot = figure(
        height=_HEIGHT,
        width=_QQ_WIDTH,
        title=f"{summary.ancestry}: n {summary.n:,}{of_cases}, λGC {lambda_gc}",
        x_axis_label="expected −log10 p",
        y_axis_label="observed −log10 p",
    )
    top = max(expected.max(initial=1), 1)
    plot.line([0, top], [0, top], line_color="#999999", line_dash="dashed")
    plot.scatter(expected, observed, size=4, color=COLOURS[0])
    return plot


def qq_points(
    counts: npt.NDArray[np.int64], most: float | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Expected and observed −log10 p at the lower edges of the bins, and of the smallest p.

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
    held = at_least > 0
    expected = np.append(-np.log10(at_least[held] / n), -np.log10(0.5 / n))
    return np.asarray(expected) + 0.0, np.append(lower[held], most)


def _manhattan(
    marks: Sequence[Row], contigs: Mapping[str, tuple[int, int, int]], genome_wide_p: float
) -> LayoutDOM:
    plot: Any = figure(
        height=_HEIGHT,
        sizing_mode="stretch_width",
        x_axis_label="contig" if len(contigs) > 1 else f"position on {next(iter(contigs), '')}",
        y_axis_label="−log10 p",
    )
    for number, (name, (first, _, start)) in enumerate(contigs.items()):
        own = [mark for mark in marks if mark.contig == name]
        x = [mark.x if len(contigs) > 1 else mark.x + first - start for mark in own]
        plot.scatter(
            x, [mark.neg_log10_p for mark in own], size=4, color=COLOURS[0 if number % 2 == 0 else 5]
        )
    plot.add_layout(
        Span(location=-np.log10(genome_wide_p), dimension="width", line_dash="dashed", line_color="#D55E00")
    )
    if len(contigs) > 1:
        middles = {start + (last - first) // 2: name for name, (first, last, start) in contigs.items()}
        plot.xaxis.ticker = FixedTicker(ticks=list(middles))
        plot.xaxis.major_label_overrides = middles
        plot.xgrid.visible = False
    return plot  # type: ignore[no-any-return]
