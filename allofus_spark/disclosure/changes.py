"""Counts of small products that changed by few people from an earlier release to this one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from allofus_spark.disclosure import associations, margins, phenotypes, remainders
from allofus_spark.disclosure.findings import Finding, Verification
from allofus_spark.disclosure.tables import Row, read_product

# Of each product: what names a row, and its counts of people.
_COUNTED = {
    phenotypes.PRODUCT: (("phenotype_id", "ancestry"), phenotypes.COUNTS),
    associations.SUMMARIES: (("scan", "phenotype_id", "ancestry"), associations.COUNTS),
    margins.PRODUCT: (("definitions_version", "people", "category", "answer"), margins.COUNTS),
    remainders.DENSITY: (("pcs", "x_bin", "y_bin"), ("n_participants",)),
    remainders.TIMES: (("step", "month"), ("n_researchers",)),
}


def attack_small_changes(
    release: Path, earlier: Sequence[tuple[str, Path]], round_to: int, result: Verification
) -> None:
    """Add counts shown in both releases whose difference is few people, either way."""
    for product, (key, counts) in _COUNTED.items():
        now = read_product(release, product, round_to, counts)
        rows = {_key(row, key): row for row in now.rows}
        for name, folder in earlier:
            then = read_product(folder, product, round_to, counts)
            pairs = [(rows[_key(row, key)], row) for row in then.rows if _key(row, key) in rows]
            result.try_kind(product, "changes between releases", len(pairs) * len(counts))
            for new, old in pairs:
                for column in counts:
                    if new.get(column) is None or old.get(column) is None:
                        continue
                    (low, high), (lowest, highest) = now.interval(new, column), then.interval(old, column)
                    lo, hi = low - highest, high - lowest
                    if 1 <= lo <= hi <= result.floor or 1 <= -hi <= -lo <= result.floor:
                        what, how = f"{column} more or fewer", f"as the difference from {name}"
                        row_name = " ".join(_key(new, key))
                        result.add(Finding(product, row_name, what, ("as published",), lo, hi, how))


def _key(row: Row, key: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row.get(name)) for name in key)
