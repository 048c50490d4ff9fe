"""What the products share: how one is put together, the columns of an allele, and what cells say."""

from __future__ import annotations

from collections.abc import Sequence

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import INT, STRING

ALL, UNLABELLED = "all", "unlabelled"
ROUNDED = "rounded up to a multiple of the manifest's round_to; 0 is exact"
WITHHELD = "null: withheld"

ALLELE = (
    Column("contig", STRING, "Contig as the build spells it"),
    Column("position", INT, "1-based position of the first base of ref"),
    Column("ref", STRING, "Reference allele"),
    Column("alt", STRING, "Alternate allele"),
    Column("variant_id", STRING, "contig-position-ref-alt without chr, M written MT"),
)
ALLELE_KEY = ("contig", "position", "ref", "alt")


def product(
    name: str,
    grain: str,
    key: tuple[str, ...],
    columns: Sequence[Column],
    sort_by: tuple[str, ...] = (),
) -> Table:
    """The contract of a product; its rows are in the order of ``sort_by``, else of the key."""
    return Table(
        name=name, zone=Zone.PUBLIC, grain=grain, key=key, columns=tuple(columns), sort_by=sort_by or key
    )
