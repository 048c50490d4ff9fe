"""The products of a release: what each is, row by row and column by column.

A count of people is shown exactly, rounded up to a multiple of the manifest's ``round_to``, or withheld:
null. Null without a mark of being withheld means that there is nothing to count.
"""

from __future__ import annotations

from collections.abc import Sequence

from allofus_spark.published.products.associations import (
    ASSOCIATION_SUMMARIES,
    ASSOCIATIONS,
    META_ASSOCIATIONS,
    REPLICATION_SUMMARY,
    REPLICATIONS,
)
from allofus_spark.published.products.people import (
    ACCESS_TIMES,
    ANCESTRY_DENSITY,
    GROUPS,
    PHENOTYPES,
    REPRESENTATION,
)
from allofus_spark.published.products.shape import ALL, UNLABELLED
from allofus_spark.published.products.variants import CONSEQUENCES, GENES, RSIDS, VARIANT_COUNTS, variants
from allofus_spark.tables.contract import Table

__all__ = ["ALL", "UNLABELLED", "products", "variants"]


def products(groups: Sequence[str]) -> tuple[Table, ...]:
    """Every product of a release, for a warehouse's ancestry groups."""
    return (
        variants(groups),
        CONSEQUENCES,
        RSIDS,
        GENES,
        GROUPS,
        VARIANT_COUNTS,
        PHENOTYPES,
        ASSOCIATIONS,
        META_ASSOCIATIONS,
        ASSOCIATION_SUMMARIES,
        REPLICATIONS,
        REPLICATION_SUMMARY,
        REPRESENTATION,
        ANCESTRY_DENSITY,
        ACCESS_TIMES,
    )
