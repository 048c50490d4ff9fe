"""Known associations that are seen again, by ancestry."""

from __future__ import annotations

from dataclasses import dataclass

from allofus_spark.pages import colour_class, percent
from allofus_spark.published import ALL
from allofus_spark.report.released import Released


@dataclass(frozen=True)
class Replicated:
    """Known associations in one ancestry; ``share``: of those with the power to be seen, None: none had."""

    name: str
    colour: str
    tested: int
    replicated: int
    powered: int
    powered_replicated: int
    share: float | None
    expected: float


def replication(released: Released) -> list[Replicated]:
    """By ancestry in the manifest's order, of the whole map."""
    if not released.has("replication_summary"):
        return []
    rows = released.rows(
        """
        SELECT * FROM replication_summary
        WHERE known_in = 'any' AND category = 'all' AND (scan, map_name, map_version) = (
          SELECT (scan, map_name, map_version) FROM replication_summary
          ORDER BY scan, map_name, map_version LIMIT 1
        )
        """
    )
    by_ancestry = {row["ancestry"]: row for row in rows}
    groups = released.manifest.groups
    return [
        Replicated(
            name="everybody pooled" if name == ALL else name,
            colour=colour_class(groups.index(name)) if name in groups else "whole",
            tested=row["tested"],
            replicated=row["replicated"],
            powered=row["powered"],
            powered_replicated=row["powered_replicated"],
            share=row["rr_power"],
            expected=row["expected"],
        )
        for name in (*groups, ALL)
        if (row := by_ancestry.get(name)) is not None
    ]


def replication_sentence(rows: list[Replicated]) -> str:
    """What is seen again of what had the power to be."""
    powered = sum(row.powered for row in rows)
    if not powered:
        return "No known association had the power to be seen again."
    seen = sum(row.powered_replicated for row in rows)
    return (
        f"Of {powered:,} tests with the power to see a known association again, {percent(seen / powered)} "
        "saw it."
    )
