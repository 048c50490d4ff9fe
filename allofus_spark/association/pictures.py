"""Pictures of a scan: QQ and Manhattan plots of each ancestry, a file for each phenotype."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bokeh.layouts import row
from pyspark.sql import Row

from allofus_spark.association.marks import Axis, Marks, read_axis, read_marks
from allofus_spark.association.plots import manhattan, qq
from allofus_spark.genome import Build
from allofus_spark.pictures import save_picture
from allofus_spark.tables import PHENOTYPE_DEFINITIONS, Run, Warehouse, Zone
from allofus_spark.tables.association_tables import META

MOST_PICTURES = 20
_ODD = re.compile(r"[^A-Za-z0-9._-]")


def draw_scan(run: Run, build: Build, summaries: Sequence[Row], wanted: Sequence[str] | None) -> list[str]:
    """Draw phenotypes of a scan whose rows are live, each in one file; their paths.

    ``summaries`` are the scan's. ``wanted`` None: phenotypes with a p under
    association.genome_wide_p, at most MOST_PICTURES. Stored rows are read once for all of them, and thinned
    to what can be seen before they come to the driver.
    """
    drawn = _drawn(summaries, wanted)
    if not drawn:
        return []
    run.progress(f"drawing {len(drawn)} pictures")
    warehouse, scan = run.warehouse, summaries[0].scan
    axis = read_axis(warehouse, scan, build)
    most = {
        (item.phenotype_id, item.ancestry): item.max_neg_log10_p for items in drawn.values() for item in items
    }
    marks = read_marks(warehouse, scan, most, axis)
    names = _names(run)
    return [
        _draw(warehouse, names.get(phenotype_id, phenotype_id), items, marks, axis)
        for phenotype_id, items in drawn.items()
    ]


def _drawn(summaries: Sequence[Row], wanted: Sequence[str] | None) -> dict[str, list[Row]]:
    """Summaries with tests of each phenotype to draw; that of all ancestries together last."""
    if wanted is None:
        best: dict[str, float] = {}
        for item in summaries:
            if item.n_genome_wide:
                best[item.phenotype_id] = max(item.max_neg_log10_p, best.get(item.phenotype_id, 0.0))
        chosen = sorted(best, key=lambda name: (-best[name], name))[:MOST_PICTURES]
    else:
        chosen = sorted(set(wanted))
    found: dict[str, list[Row]] = {phenotype_id: [] for phenotype_id in chosen}
    for item in sorted(summaries, key=lambda row: (row.ancestry == META, row.ancestry)):
        if item.n_tested and item.phenotype_id in found:
            found[item.phenotype_id].append(item)
    return {phenotype_id: items for phenotype_id, items in found.items() if items}


def _names(run: Run) -> dict[str, str]:
    """What phenotypes are called, with their set, which may say that they are simulated."""
    return {
        row.phenotype_id: f"{row.phenotype_id} {row.description or ''} ({row.phenotype_set})"
        for row in run.rows(PHENOTYPE_DEFINITIONS)
    }


def _draw(warehouse: Warehouse, name: str, summaries: Sequence[Row], marks: Marks, axis: Axis) -> str:
    scan, phenotype_id = summaries[0].scan, summaries[0].phenotype_id
    file_name = _ODD.sub("_", phenotype_id)
    path = warehouse.picture_path(Zone.REGISTERED, f"associations/{scan}/{file_name}")
    settings = warehouse.settings.association
    parts = [
        row(
            qq(item),
            manhattan(item, marks.get((phenotype_id, item.ancestry)), axis, settings.genome_wide_p),
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
        f"Scan {scan}. Left: all tests, observed against expected −log10 p, with the line of chance, the "
        "band that holds 95 % of independent tests, and λGC from the median. Right: stored variants, the "
        f"smallest p of each place; the line is p = {settings.genome_wide_p:g}, and peaks over it are named "
        f"by contig:position.{stored} Internal: counts are not disclosure-controlled."
    )
    save_picture(warehouse.spark, path, f"Associations of {name}", note, parts)
    return path
