"""The smaller callset of common variants, as the release ships it.

A site is kept whole, with every allele of its input record and of other records that started at the same
base, where any of these alleles is common in some ancestry. The position is that of the *input* record: after
trimming and left-aligning, the alleles of one multi-allelic record can lie at different positions.

Source: All of Us Research Program, Controlled Tier data release, ACAF threshold callset.
"""

from __future__ import annotations

import operator
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import read_frequencies
from allofus_spark.errors import BadSource
from allofus_spark.tables import ALLELE_KEY, Freshness, Reader, Warehouse

_SITE = ("contig", "input_position")


def common_sites(warehouse: Warehouse, reader: Reader, sites: DataFrame) -> DataFrame:
    """Rows of ``variant_sites`` (of one callset) at sites with a common allele; joins narrow columns only.

    Raises BadSource where ``allele_frequencies`` is absent or older than the callsets.
    """
    settings = warehouse.settings
    groups = settings.frequencies.ancestry_groups
    _check_current(warehouse)
    common = is_common(groups, min_ac=settings.export.common_min_ac, above_af=settings.export.common_above_af)
    alleles = read_frequencies(reader, groups).where(common).select(*ALLELE_KEY)
    kept = sites.join(alleles, list(ALLELE_KEY), "left_semi").select(*_SITE).distinct()
    return sites.join(kept, list(_SITE), "left_semi")


def is_common(groups: tuple[str, ...], *, min_ac: int, above_af: float) -> Column:
    """Whether a row of ``allele_frequencies`` is common: ac >= min_ac in a group, or max_af > above_af."""
    by_count = reduce(operator.or_, [F.col(f"{group}.ac") >= min_ac for group in groups])
    return by_count | F.coalesce(F.col("max_af") > above_af, F.lit(False))


def _check_current(warehouse: Warehouse) -> None:
    """Raise BadSource unless the frequencies are what they would be today."""
    changes = Freshness(warehouse).changes("compute_frequencies")
    if changes is None:
        raise BadSource(
            "--common needs allele frequencies, and there are none; run allofus frequencies first"
        )
    if changes:
        raise BadSource(
            f"the allele frequencies are of before: {'; '.join(changes)}; run allofus frequencies, then "
            "export again"
        )
