"""Pictures of a scan: QQ and Manhattan plots of each ancestry, a file for each phenotype."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from bokeh.layouts import row
from pyspark.sql import Row
from pyspark.sql import functions as F

from allofus_spark.association.marks import Axis, Marks, read_axis, read_marks
from allofus_spark.association.plots import manhattan, qq
from allofus_spark.genome import Build
from allofus_spark.pictures import save_picture
from allofus_spark.tables import ASSOCIATION_SUMMARIES, PHENOTYPE_DEFINITIONS, Warehouse, Zone, quoted
from allofus_spark.tables.association_tables import META

MOST_PICTURES = 20
_ODD = re.compile(r"[^A-Za-z0-9._-]")
_log = logging.getLogger(__name__)


def draw_scan(warehouse: Warehouse, build: Build, scan: str, wanted: Sequence[str] | None) -> list[str]:
    """Draw phenotypes of the live tables, each in one file; their paths.

    ``wanted`` None: phenotypes with a p under association.genome_wide_p, at most MOST_PICTURES. Stored rows
    are read once for all of them, and thinned to what can be seen before they come to the driver.
    """
    summaries = _summaries(warehouse, scan, _chosen(warehouse, scan, wanted))
    if not summaries:
        return []
    _log.info("drawing %d pictures", len(summaries))
    axis = read_axis(warehouse, scan, build)
    most = {
        (item.phenotype_id, item.ancestry): item.max_neg_log10_p
        for items in summaries.values()
        for item in items
    }
    marks = read_marks(warehouse, scan, most, axis)
    names = _names(warehouse, list(summaries))
    return [
        _draw(warehouse, names.get(phenotype_id, phenotype_id), items, marks, axis)
        for phenotype_id, items in summaries.items()
    ]


def _chosen(warehouse: Warehouse, scan: str, wanted: Sequence[str] | None) -> list[str]:
    if wanted is not None:
        return sorted(set(wanted))
    hits = warehouse.live(ASSOCIATION_SUMMARIES).where(f"scan = {quoted(scan)}").where("n_genome_wide > 0")
    best = hits.groupBy("phenotype_id").agg(F.max("max_neg_log10_p").alias("most"))
    rows = best.orderBy(F.desc("most"), "phenotype_id").limit(MOST_PICTURES).collect()
    return [row.phenotype_id for row in rows]


def _summaries(warehouse: Warehouse, scan: str, chosen: Sequence[str]) -> dict[str, list[Row]]:
    """Summaries with tests of chosen phenotypes, in that order; of all ancestries together last."""
    if not chosen:
        return {}
    table = warehouse.live(ASSOCIATION_SUMMARIES).where(f"scan = {quoted(scan)}")
    rows = table.where(F.col("phenotype_id").isin(list(chosen)) & (F.col("n_tested") > 0)).collect()
    found: dict[str, list[Row]] = {}
    for item in sorted(rows, key=lambda row: (row.ancestry == META, row.ancestry)):
        found.setdefault(item.phenotype_id, []).append(item)
    return {phenotype_id: found[phenotype_id] for phenotype_id in chosen if phenotype_id in found}


def _names(warehouse: Warehouse, phenotype_ids: Sequence[str]) -> dict[str, str]:
    """What phenotypes are called, with their set, which may say that they are simulated."""
    table = warehouse.live(PHENOTYPE_DEFINITIONS).where(F.col("phenotype_id").isin(list(phenotype_ids)))
    return {
        row.phenotype_id: f"{row.phenotype_id} {row.description or ''} ({row.phenotype_set})"
        for row in table.select("phenotype_id", "description", "phenotype_set").collect()
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
