"""The numbers that a release is known by."""

from __future__ import annotations

from dataclasses import dataclass

from allofus_spark.pages import count, percent
from allofus_spark.report.released import Released, Row


@dataclass(frozen=True)
class Headline:
    """A number with its unit as text, None where the release does not say it, and what it counts."""

    name: str
    value: str | None
    note: str


def headlines(released: Released) -> list[Headline]:
    """The numbers of the top of the page; each is there, with its value or without."""
    return [*_people(released), *_variants(released), *_associations(released), _access(released)]


def _people(released: Released) -> list[Headline]:
    genomes = share = None
    note = "of all participants"
    if released.has("groups"):
        row = released.first("SELECT n_participants FROM groups WHERE ancestry = 'all'")
        genomes = None if row is None else row["n_participants"]
    if released.has("representation"):
        row = released.first(
            "SELECT * FROM representation WHERE people = 'all' AND category = 'any' AND answer = 'all' "
            "ORDER BY definitions_version DESC"
        )
        if row is not None and row["share_under_represented"] is not None:
            share = row["share_under_represented"]
            note = f"of {count(row['n_people'])} participants, in at least one category"
    return [
        Headline("Participants with genomes", _count(genomes), "whose variants are counted"),
        Headline("Under-represented", None if share is None else percent(share), note),
    ]


def _variants(released: Released) -> list[Headline]:
    row = None
    if released.has("variant_counts"):
        row = released.first(
            "SELECT * FROM variant_counts WHERE ancestry = 'all' AND dimension = 'all' "
            "ORDER BY catalogue_set, annotator"
        )
    if row is None:
        product = released.manifest.product("variants")
        return [
            Headline(
                "Variants", _count(product.rows if product else None), "alleles with a row of their own"
            ),
            Headline("Not reported before", None, "in no catalogue"),
            Headline("Coding", None, "of those not reported before"),
        ]
    new = new_of(row)
    judged = row["n_variants"] - (row["n_not_flagged"] or 0)
    coding = row["n_new_coding"] if new is not None else row["n_coding"]
    return [
        Headline("Variants", _count(row["n_variants"]), "alleles that somebody carries"),
        Headline(
            "Not reported before",
            _count(new),
            f"{percent(new / judged)} of those judged" if new is not None and judged else "not judged",
        ),
        Headline("Coding", _count(coding), _coding_note(coding, new)),
    ]


def _coding_note(coding: int | None, new: int | None) -> str:
    if coding is None:
        return "not annotated"
    return "of those not reported before" if new is not None else "of all variants"


def new_of(row: Row) -> int | None:
    """Variants of a row that no catalogue has, new alleles of known sites included; None: not judged."""
    if row["n_variants"] and row["n_not_flagged"] == row["n_variants"]:
        return None
    parts = (row["n_unreported"], row["n_known_site_new_allele"])
    return None if None in parts else sum(parts)


def _associations(released: Released) -> list[Headline]:
    tested = replicated = None
    note = "tested here"
    if released.has("replication_summary"):
        row = released.first(
            """
            SELECT scan, map_name, map_version, sum(tested) AS tested, sum(replicated) AS replicated
            FROM replication_summary
            WHERE known_in = 'any' AND category = 'all' AND ancestry <> 'all'
            GROUP BY ALL ORDER BY ALL LIMIT 1
            """
        )
        if row is not None:
            tested, replicated = int(row["tested"]), int(row["replicated"])
            note = f"of map {row['map_name']}, in each ancestry"
    seen = (
        f"{percent(replicated / tested)} of those evaluated"
        if tested and replicated
        else "of those evaluated"
    )
    return [
        Headline("Known associations evaluated", _count(tested), note),
        Headline("Replicated", _count(replicated), seen),
    ]


def _access(released: Released) -> Headline:
    hours = None
    if released.has("access_times"):
        row = released.first(
            "SELECT median_hours FROM access_times WHERE step = 'registered_to_access' AND month = 'all'"
        )
        hours = None if row is None else row["median_hours"]
    value = None if hours is None else f"{hours:,.3g} h"
    return Headline("Time to access", value, "median from registration to first access")


def _count(number: float | None) -> str | None:
    return None if number is None else count(number)
