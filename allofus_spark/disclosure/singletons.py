"""Withheld cells of which the numbers of variants by frequency say that each is of one copy."""

from __future__ import annotations

from pathlib import Path

from allofus_spark.disclosure.findings import Verification
from allofus_spark.disclosure.rows import column_names, engine, listed
from allofus_spark.disclosure.tables import by_columns, read_product
from allofus_spark.published import table_files

_VARIANTS, _COUNTS = "variants", "variant_counts"


def attack_singletons(release: Path, result: Verification) -> None:
    """Add ancestries that withhold no more cells than variants of which they have one copy.

    Such a variant is always withheld: where there are as many, no other is.
    """
    rows = [
        row
        for row in read_product(release, _COUNTS, 1, ()).rows
        if row.get("dimension") == "frequency" and row.get("class") == "singleton" and row.get("n_variants")
    ]
    names = set(column_names(release, _VARIANTS))
    for (ancestry,), own in by_columns(rows, "ancestry").items():
        if {f"{ancestry}_ac", f"{ancestry}_an"} <= names:
            result.try_kind(_VARIANTS, "withheld cells by numbers of singletons", 1)
            singletons, withheld = max(row["n_variants"] for row in own), _withheld(release, ancestry)
            if 0 < withheld <= singletons:
                how = (
                    f"{withheld:,} cells are withheld, and {_COUNTS} says that {singletons:,} are of one copy"
                )
                result.told(_VARIANTS, "all that are withheld", "carriers", (ancestry,), (1, 1), how)


def _withheld(release: Path, ancestry: str) -> int:
    table = f"read_parquet({listed(table_files(release, _VARIANTS))})"
    where = f'"{ancestry}_ac" IS NULL AND "{ancestry}_an" > 0'
    with engine() as connection:
        (number,) = connection.sql(f"SELECT count(*) FROM {table} WHERE {where}").fetchall()[0]
    return int(number)
