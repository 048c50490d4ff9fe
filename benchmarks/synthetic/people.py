"""Invented products that tell of people: sizes of groups, representation, ancestry, access."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from allofus_spark.published import ALL, UNLABELLED, rounded_up
from allofus_spark.tables.contract import Table
from benchmarks.synthetic.shape import from_rows

FLOOR, ROUND_TO = 20, 40
_CATEGORIES = ("race_ethnicity", "age", "sex_at_birth", "income", "education", "geography", "access_to_care")
_SHARES = (0.44, 0.25, 0.01, 0.34, 0.1, 0.07, 0.12)
_SQUARES = 40  # along each component
_PEOPLE = 100_000


def rounded(count: float) -> int:
    """A number of people as a release has it."""
    return rounded_up(int(count), ROUND_TO)


def groups(table: Table, names: Sequence[str], sizes: Sequence[int]) -> pa.Table:
    """The product groups, of which the unlabelled are withheld."""
    rows: list[dict[str, Any]] = [
        {"ancestry": name, "n_participants": size} for name, size in zip(names, sizes, strict=True)
    ]
    rows += [{"ancestry": UNLABELLED}, {"ancestry": ALL, "n_participants": sum(sizes) + 380}]
    return from_rows(table, rows)


def representation(table: Table) -> pa.Table:
    """The product representation; geography is withheld among those with genomes."""
    rows = []
    for people, n in (("all", 230_000), ("with_genomes", _PEOPLE)):
        for category, share in (*zip(_CATEGORIES, _SHARES, strict=True), ("any", 0.77)):
            row: dict[str, Any] = {
                "definitions_version": "all_of_us_1",
                "people": people,
                "category": category,
                "answer": "all",
            }
            if (people, category) != ("with_genomes", "geography"):
                row |= {
                    "n_people": rounded(n),
                    "n_under_represented": rounded(n * share),
                    "n_not": rounded(n * (0.96 - share)),
                    "n_unknown": rounded(n * 0.04),
                    "share_under_represented": rounded(n * share) / rounded(n),
                }
            rows.append(row)
    return from_rows(table, rows)


def ancestry_density(table: Table, names: Sequence[str], rng: Any) -> pa.Table:
    """The product ancestry_density: a cloud a group."""
    rows = []
    for pcs in ("PC1-PC2", "PC3-PC4"):
        cells = np.zeros((_SQUARES, _SQUARES, len(names)), np.int64)
        for number in range(len(names)):
            angle = 2 * np.pi * number / len(names)
            centre = 0.5 + 0.34 * np.array([np.cos(angle), np.sin(angle)])
            points = rng.normal(centre, 0.045, (_PEOPLE // (number + 2), 2))
            squares = np.clip((points * _SQUARES).astype(int), 0, _SQUARES - 1)
            np.add.at(cells, (squares[:, 0], squares[:, 1], number), 1)
        counts = cells.sum(axis=2)
        for x, y in np.argwhere(counts > FLOOR).tolist():
            rows.append(
                {
                    "pcs": pcs,
                    "x_bin": x,
                    "y_bin": y,
                    "x": (x + 0.5) / _SQUARES - 0.5,
                    "y": (y + 0.5) / _SQUARES - 0.5,
                    "n_participants": rounded(counts[x, y]),
                    "ancestry": names[int(cells[x, y].argmax())],
                }
            )
    return from_rows(table, rows)


def access_times(table: Table) -> pa.Table:
    """The product access_times; one month has too few researchers."""
    rows: list[dict[str, Any]] = []
    for step, median in (("registered_to_access", 29.0), ("registered_to_agreement", 6.5)):
        for number, month in enumerate(("all", "2025-10", "2025-11", "2025-12")):
            row: dict[str, Any] = {
                "step": step,
                "month": month,
                "n_researchers": 160 if month == "all" else 80,
            }
            if month != "2025-12":
                row |= {
                    "median_hours": median + number,
                    "lower_quartile_hours": median * 0.6,
                    "upper_quartile_hours": median * 2.1,
                }
            rows.append(row)
    return from_rows(table, rows)
