"""Which alleles passed their filters, and the frequencies of the settings' groups."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource, shown
from allofus_spark.tables import ALLELE_KEY, CALLSETS, VARIANT_SITES, Reader, allele_frequencies


def passed() -> Column:
    """Whether a row of ``variant_sites`` passed its filters, or was not filtered."""
    return F.col("filters").isNull() | (F.size("filters") == 0)


def active_callsets(tables: Reader) -> list[str]:
    """Ids of the callsets that are not retired, sorted."""
    return sorted(row.callset_id for row in tables.rows(CALLSETS) if row.retired_by is None)


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
