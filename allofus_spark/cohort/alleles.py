"""What is said of alleles, as the settings choose it: filters, frequencies, novelty and consequences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from allofus_spark.cohort.active import active_callsets
from allofus_spark.errors import BadSource, shown
from allofus_spark.tables import (
    ALLELE_KEY,
    CATALOGUE_SETS,
    CONSEQUENCES,
    NOVELTY,
    VARIANT_SITES,
    Reader,
    Table,
    Warehouse,
    allele_frequencies,
)


def passed() -> Column:
    """Whether a row of ``variant_sites`` passed its filters, or was not filtered."""
    return F.col("filters").isNull() | (F.size("filters") == 0)


def passing_alleles(tables: Reader) -> DataFrame:
    """Keys of the alleles that passed, or were not filtered, in an active callset. Grain: allele."""
    sites = tables.read(VARIANT_SITES).where(F.col("callset_id").isin(active_callsets(tables)))
    return sites.where(passed()).select(*ALLELE_KEY).distinct()


def read_frequencies(tables: Reader, groups: Sequence[str]) -> DataFrame:
    """Rows of ``allele_frequencies``; raises BadSource where it lacks a column of ``groups``."""
    frequencies = tables.read(allele_frequencies(groups))
    missing = sorted(set(groups) - set(frequencies.columns))
    if missing:
        raise BadSource(
            f"the allele frequencies have no columns for {shown(missing)}, ancestry groups of the settings; "
            "run allofus frequencies with these settings first"
        )
    return frequencies


def read_novelty(warehouse: Warehouse, tables: Reader) -> DataFrame:
    """Rows of ``novelty`` against ``summary.catalogue_set``; none where the table is not there."""
    chosen = F.col("catalogue_set") == warehouse.settings.summary.catalogue_set
    return _read_or_none(warehouse, tables, NOVELTY).where(chosen)


def read_consequences(warehouse: Warehouse, tables: Reader) -> DataFrame:
    """Rows of ``consequences`` by ``consequences.annotator``; none where the table is not there."""
    chosen = F.col("annotator") == warehouse.settings.consequences.annotator
    return _read_or_none(warehouse, tables, CONSEQUENCES).where(chosen)


def _read_or_none(warehouse: Warehouse, tables: Reader, table: Table) -> DataFrame:
    return tables.read(table) if tables.holds(table) else warehouse.spark.createDataFrame([], table.schema)


def newest_revision(tables: Reader, catalogue_set: str) -> Row | None:
    """The newest row of ``catalogue_sets`` of a set; None: there is no such set."""
    revisions = [row for row in tables.rows(CATALOGUE_SETS) if row.catalogue_set == catalogue_set]
    return max(revisions, key=lambda row: row.revision, default=None)


def newest_versions(tables: Reader, catalogue_set: str) -> dict[str, str]:
    """Version of each catalogue in the newest revision of a set; empty: there is no such set."""
    newest = newest_revision(tables, catalogue_set)
    return {} if newest is None else dict(sorted(newest.versions.items()))


def newest_of_each(catalogues: Iterable[Row]) -> list[Row]:
    """Of rows of ``catalogues`` the newest version of each catalogue, by name.

    The newest has the latest date, the last version in the order of texts where dates are equal or absent.
    """
    by_age = sorted(catalogues, key=lambda row: (row.catalogue, str(row.catalogue_date or ""), row.version))
    return list({row.catalogue: row for row in by_age}.values())
