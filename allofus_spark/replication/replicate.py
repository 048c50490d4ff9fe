"""``replications`` and ``replication_summary`` of a scan and a map of known associations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource, NotFound, shown
from allofus_spark.replication.judged_rows import JudgedRows
from allofus_spark.replication.lookup import look_up, match_alleles_of, thinned
from allofus_spark.replication.picture import draw_scorecard
from allofus_spark.replication.summary import summarise
from allofus_spark.tables import (
    ASSOCIATION_SUMMARIES,
    ASSOCIATIONS,
    KNOWN_ASSOCIATIONS,
    PHENOTYPE_DEFINITIONS,
    REPLICATION_SUMMARY,
    REPLICATIONS,
    VARIANTS,
    Recipe,
    Run,
    Warehouse,
    Write,
    quoted,
    start_run,
)
from allofus_spark.tables.replication_tables import (
    ALL_CATEGORIES,
    AS_WRITTEN,
    STATUSES,
    VARIANT_NOT_SCANNED,
)

_SIMULATED = "simulated"


@dataclass(frozen=True)
class Replication:
    """What came of it.

    ``summary``: rows of replication_summary over all categories. ``by_status``: rows of replications.
    ``simulated_sets``: sets of phenotypes that say that they are simulated.
    """

    scan: str
    map_name: str
    map_version: str
    summary: Sequence[Row]
    by_status: Mapping[str, int]
    simulated_sets: Sequence[str]
    picture: str

    def of(self, known_in: str) -> list[Row]:
        """Rows by ancestry: of associations found in the same one, or in any."""
        return [row for row in self.summary if row.known_in == known_in]


def replicate(
    warehouse: Warehouse, *, scan: str, map_name: str | None = None, map_version: str | None = None
) -> Replication:
    """Hold a scan against known associations, and record a snapshot.

    Parameters
    ----------
    scan
        Scan of ``associations``.
    map_name, map_version
        The map; not given: the only one that there is.

    Rows of the scan and map are replaced. Raises NotFound where there is no such scan or map, or several
    maps; BadSource where the scan does not store rows of known associations that it may have tested.
    """
    asked = {"map_name": map_name, "map_version": map_version}
    with start_run(warehouse, "replicate", Recipe(scan, asked)) as run:
        chosen = _choose_map(run, map_name, map_version)
        own = f"scan = {quoted(scan)} AND {chosen}"
        summaries = _summaries_of(run, scan)
        associations = run.read(ASSOCIATIONS).where(F.col("scan") == scan)
        known = run.read(KNOWN_ASSOCIATIONS).where(chosen)
        matched = match_alleles_of(known, run.read(VARIANTS))
        rules = warehouse.settings.replication
        looked_up = look_up(matched, associations, summaries, min_cases=rules.min_cases)
        judged = looked_up.mapInArrow(JudgedRows(scan, rules), REPLICATIONS.schema).persist()
        try:
            by_status = _count(run, judged)
            if by_status[VARIANT_NOT_SCANNED]:
                _refuse_thinned(scan, by_status, thinned(judged, associations, summaries))
            run.write(Write(REPLICATIONS, judged.coalesce(1), own))
        finally:
            judged.unpersist()
        held = warehouse.live(REPLICATIONS).where(own)
        run.write(Write(REPLICATION_SUMMARY, summarise(held).coalesce(1), own))
        simulated = _simulated_sets(run, known)
    summary = _summary_rows(warehouse, own)
    picture = draw_scorecard(warehouse, own, summary, simulated)
    names = (scan, summary[0].map_name, summary[0].map_version)
    return Replication(*names, summary, by_status, simulated, picture)


def _choose_map(run: Run, name: str | None, version: str | None) -> str:
    """The condition of the rows of the map that is meant; raises NotFound where none or several are."""
    maps = set()
    if run.holds(KNOWN_ASSOCIATIONS):
        columns = ("map_name", "map_version")
        maps = {tuple(row) for row in run.read(KNOWN_ASSOCIATIONS).select(*columns).distinct().collect()}
    meant = [(own, its) for own, its in sorted(maps) if name in (None, own) and version in (None, its)]
    if len(meant) == 1:
        return "map_name = {} AND map_version = {}".format(*map(quoted, meant[0]))
    there = shown([" ".join(pair) for pair in sorted(maps)])
    if not maps:
        raise NotFound("there are no known associations; run allofus ingest-known-associations first")
    asked = " ".join(part for part in (name, version) if part)
    what = f"is no map {asked}" if not meant else f"are several maps {asked}".rstrip()
    raise NotFound(f"there {what}: name one with --map and --version; there are {there}")


def _summaries_of(run: Run, scan: str) -> DataFrame:
    """Rows of association_summaries of the scan; raises NotFound where it has none."""
    scans = []
    if run.holds(ASSOCIATION_SUMMARIES) and run.holds(ASSOCIATIONS):
        summaries = run.read(ASSOCIATION_SUMMARIES)
        scans = sorted(row.scan for row in summaries.select("scan").distinct().collect())
    if scan not in scans:
        there = f"scans are {shown(scans)}" if scans else "there is none"
        raise NotFound(f"there is no scan {scan}: {there}; run allofus associate first")
    return summaries.where(F.col("scan") == scan)


def _count(run: Run, judged: DataFrame) -> Counter[str]:
    """Associations of all ancestries by status; counts them, and how the variants matched."""
    cells = judged.groupBy("status", "matched").agg(F.count(F.lit(1)).alias("n"))
    by_status: Counter[str] = Counter()
    for row in cells.collect():
        by_status[row.status] += row.n
        if row.matched not in (None, AS_WRITTEN):
            run.counters[f"tests_{row.matched}"] += row.n
    run.counters.update(rows=by_status.total(), **{name: by_status[name] for name in STATUSES})
    return by_status


def _refuse_thinned(scan: str, by_status: Counter[str], pairs: DataFrame) -> None:
    """Raise BadSource where rows that are missing may be tests that were not stored."""
    few = [
        f"{row.phenotype_id} in {row.ancestry}" for row in pairs.orderBy("phenotype_id", "ancestry").collect()
    ]
    if few:
        raise BadSource(
            f"scan {scan} has no row for {by_status[VARIANT_NOT_SCANNED]} known associations, and does not "
            f"store every test of {len(few)} of their phenotypes ({shown(few)}): rates over what is stored "
            "would be too high; nothing was written. Scan again after ingest-known-associations, or with "
            "association.keep_neg_log10_p = 0."
        )


def _simulated_sets(run: Run, known: DataFrame) -> list[str]:
    """Sets with phenotypes of the map whose name or definitions say that they are simulated."""
    if not run.holds(PHENOTYPE_DEFINITIONS):
        return []
    definitions = run.read(PHENOTYPE_DEFINITIONS).join(
        F.broadcast(known.select("phenotype_id").distinct()), "phenotype_id"
    )
    texts = F.lower(F.concat_ws(" ", "phenotype_set", "description", "definition"))
    sets = definitions.where(texts.contains(_SIMULATED)).select("phenotype_set").distinct()
    return sorted(row.phenotype_set for row in sets.collect())


def _summary_rows(warehouse: Warehouse, own: str) -> list[Row]:
    rows = warehouse.live(REPLICATION_SUMMARY).where(own).where(F.col("category") == ALL_CATEGORIES)
    return rows.orderBy("known_in", "ancestry").collect()
