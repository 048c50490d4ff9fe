"""Rows of small products, and what a published count of theirs stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from allofus_spark.disclosure.linear import MOST_PEOPLE
from allofus_spark.published import table_files

Row = dict[str, Any]


@dataclass(frozen=True)
class Published:
    """One product of one release: its rows, and which of its columns hold exact counts."""

    rows: list[Row]
    exact: frozenset[str]
    round_to: int

    def interval(self, row: Row, column: str) -> tuple[int, int]:
        """Counts for which a cell may stand; any where it is withheld."""
        count = row.get(column)
        if count is None:
            return 0, MOST_PEOPLE
        exact = column in self.exact or count == 0
        return (int(count), int(count)) if exact else (int(count) - self.round_to + 1, int(count))


def read_product(release: Path, product: str, round_to: int, counts: Sequence[str]) -> Published:
    """A product that fits into memory; a column is rounded if every count is a multiple of ``round_to``."""
    rows = [row for file in table_files(release, product) for row in pq.read_table(file).to_pylist()]
    exact = {name for name in counts if any((row.get(name) or 0) % round_to for row in rows)}
    return Published(rows, frozenset(exact), round_to)


def by_columns(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    """Rows by their values of columns."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row.get(name) for name in names)].append(row)
    return groups
