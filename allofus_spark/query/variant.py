"""Everything that the tables say of one variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Row

from allofus_spark.cohort import newest_versions, read_consequences, read_novelty
from allofus_spark.query.places import Key, Places, key_of
from allofus_spark.query.vat import rs_ids
from allofus_spark.tables import (
    ALLELE_KEY,
    CALLSETS,
    CONSEQUENCES,
    NOVELTY,
    VARIANT_SITES,
    allele_frequencies,
    variant_qc,
)
from allofus_spark.tables.consequence_tables import IMPACTS

Values = Mapping[str, Any]


@dataclass(frozen=True)
class VariantReport:
    """One variant. None, where a list or mapping may be: the table is not there, or has no row of it.

    ``frequencies`` by group (``overall``, ``overall_xx``, ``overall_xy`` and the ancestries), fields as in
    allele_frequencies; ``highest`` its columns max_af to fafmax_group. ``novelty`` a row of the table, with
    ``versions`` of all catalogues of the set; ``consequences`` most severe first; ``sites`` by callset, with
    ``qc_reasons`` of variant_qc.
    """

    build: str
    variant_id: str
    contig: str
    position: int
    ref: str
    alt: str
    variant_type: str
    rs_ids: Sequence[str]
    frequencies: Mapping[str, Values] | None
    highest: Values | None
    catalogue_set: str
    versions: Mapping[str, str]
    novelty: Values | None
    annotator: str
    consequences: Sequence[Values] | None
    sites: Sequence[Values]


def describe_variant(places: Places, variant: Row) -> VariantReport:
    """The report of a row of ``variants``. Every table is read at its position alone."""
    settings = places.warehouse.settings
    key = key_of(variant)
    with ThreadPoolExecutor() as pool:  # most of a small query is waiting
        asked_frequencies = pool.submit(_frequencies, places, key)
        asked_novelty = pool.submit(_novelty, places, key)
        asked_consequences = pool.submit(_consequences, places, key)
        sites = _sites(places, key)
    frequencies, novelty = asked_frequencies.result(), asked_novelty.result()
    return VariantReport(
        build=places.build.name,
        **{name: variant[name] for name in ("variant_id", "contig", "position", "ref", "alt")},
        variant_type=variant.variant_type,
        rs_ids=novelty.pop("rs_ids") if novelty else [],
        frequencies=frequencies and {name: of for name, of in frequencies.items() if isinstance(of, dict)},
        highest=frequencies and {name: of for name, of in frequencies.items() if not isinstance(of, dict)},
        catalogue_set=settings.summary.catalogue_set,
        versions=newest_versions(places.reader, settings.summary.catalogue_set),
        novelty=novelty,
        annotator=settings.consequences.annotator,
        consequences=asked_consequences.result(),
        sites=sites,
    )


def _of(rows: Sequence[Row], key: Key) -> list[dict[str, Any]]:
    """The rows of one allele, without its key."""
    return [
        {name: value for name, value in row.asDict(recursive=True).items() if name not in ALLELE_KEY}
        for row in rows
        if key_of(row) == key
    ]


def _frequencies(places: Places, key: Key) -> dict[str, Any] | None:
    table = allele_frequencies(places.warehouse.settings.frequencies.ancestry_groups)
    rows = _of(places.rows(table, [(key[0], key[2])]), key)
    return {name: value for name, value in rows[0].items() if name != "variant_id"} if rows else None


def _novelty(places: Places, key: Key) -> dict[str, Any] | None:
    if not places.reader.holds(NOVELTY):
        return None
    frame = read_novelty(places.warehouse, places.reader).withColumn("rs_ids", rs_ids())
    rows = _of(places.rows(frame.drop("catalogue_set"), [(key[0], key[2])]), key)
    return rows[0] if rows else None


def _consequences(places: Places, key: Key) -> list[dict[str, Any]] | None:
    if not places.reader.holds(CONSEQUENCES):
        return None
    frame = read_consequences(places.warehouse, places.reader).drop("annotator")
    rows = _of(places.rows(frame, [(key[0], key[2])]), key)
    return sorted(rows, key=_severity) or None


def _severity(row: Values) -> tuple[Any, ...]:
    impact = row["impact"]
    rank = IMPACTS.index(impact) if impact in IMPACTS else len(IMPACTS)
    return (not row["is_most_severe"], rank, row["transcript_id"] or "")


def _sites(places: Places, key: Key) -> list[dict[str, Any]]:
    """What each callset says of the site; those that are retired too, and by which."""
    callsets = {row.callset_id: row for row in places.reader.rows(CALLSETS)}
    groups = places.warehouse.settings.frequencies.ancestry_groups
    assessed = _of(places.rows(variant_qc(groups), [(key[0], key[2])]), key)
    reasons = {row["callset_id"]: row["reasons"] for row in assessed}
    shown = ("callset_id", "filters", "qual", "input_id", "input_position", "input_ref", "input_alts")
    return [
        {
            **{name: row[name] for name in shown},
            "callset_date": callsets[row["callset_id"]].callset_date,
            "retired_by": callsets[row["callset_id"]].retired_by,
            "qc_reasons": reasons.get(row["callset_id"]),
        }
        for row in sorted(
            _of(places.rows(VARIANT_SITES, [(key[0], key[2])]), key), key=lambda row: str(row["callset_id"])
        )
    ]
