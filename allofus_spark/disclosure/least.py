"""Copies of an allele that there must be, since a test of it is shown.

Tests are released of alleles with more copies of alt, and of ref, than the floor: among all analysed, and of
a binary phenotype among cases and among controls. So a row says of a withheld cell of variants that it is no
less, of the group or of all, and what is left for the cells beside it is less.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from allofus_spark.published import ALL, table_files

_ALLELE = ("contig", "position", "ref", "alt")
_ANALYSED = "associations"
# A product of tests: whose each row is, and whether it is one that is shown.
_PRODUCTS = {
    _ANALYSED: ("ancestry", "beta IS NOT NULL"),
    "meta_associations": ("unnest(ancestries)", "beta IS NOT NULL"),
    "replications": ("ancestry", "odds_ratio IS NOT NULL"),
}
_KINDS = ("association_summaries", "phenotypes")


def least_copies(release: Path, groups: Sequence[str], floor: int) -> tuple[str, list[str]] | None:
    """SELECT of the least copies of alt, and of ref, by allele, and its groups; None: it has no tests.

    A column of each group, named as it, and ``all``; null where no test of it is shown.
    """
    tests = [
        f"SELECT {', '.join(_ALLELE)}, {ancestry} AS ancestry, {_is_binary(release, product)} AS is_binary "
        f"FROM {_table(release, product)} WHERE {shown}"
        for product, (ancestry, shown) in _PRODUCTS.items()
        if {*_ALLELE, ancestry.removeprefix("unnest(").removesuffix(")"), shown.split()[0]}
        <= set(_names(release, product))
    ]
    if not tests:
        return None
    copies = f"max(CASE WHEN is_binary THEN {2 * (floor + 1)} ELSE {floor + 1} END)"
    names = [*groups, ALL]
    columns = [f"{copies} FILTER (WHERE ancestry = '{name}') AS \"{name}\"" for name in names]
    tested = " UNION ALL ".join(tests)
    key = ", ".join(_ALLELE)
    return f"SELECT {key}, {', '.join(columns)} FROM ({tested}) GROUP BY {key}", names


def _is_binary(release: Path, product: str) -> str:
    """Whether a row is of a binary phenotype, by what it or another product says."""
    if product == "replications":
        return "true"  # an odds ratio is of cases and controls
    names, told = _names(release, product), []
    if "n_cases" in names:
        told.append("n_cases IS NOT NULL")
    if "test" in names:
        told.append("coalesce(test NOT LIKE 'linear%', false)")
    for other in _KINDS:
        if {"phenotype_id", "kind"} <= set(_names(release, other)) and "phenotype_id" in names:
            binary = f"SELECT phenotype_id FROM {_table(release, other)} WHERE kind = 'binary'"
            told.append(f"phenotype_id IN ({binary})")
    return f"({' OR '.join(told)})" if told else "false"


def _names(release: Path, product: str) -> list[str]:
    files = table_files(release, product)
    return list(pq.read_schema(files[0]).names) if files else []


def _table(release: Path, product: str) -> str:
    files = ", ".join("'" + str(file).replace("'", "''") + "'" for file in table_files(release, product))
    return f"read_parquet([{files}])"
