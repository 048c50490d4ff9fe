"""Tables of parts of a whole: squares of ancestry's planes, and months of registration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from allofus_spark.disclosure.findings import Verification
from allofus_spark.disclosure.sizes import Sizes
from allofus_spark.disclosure.tables import by_columns, read_product
from allofus_spark.published import ALL

DENSITY, TIMES = "ancestry_density", "access_times"


def attack_density(release: Path, sizes: Sizes, round_to: int, result: Verification) -> None:
    """Add squares of few people, and what is left of everybody for the squares that are not drawn."""
    table = read_product(release, DENSITY, round_to, ["n_participants"])
    everybody = sizes.get(ALL)
    for (plane,), rows in by_columns(table.rows, "pcs").items():
        squares = {
            f"{plane} {row['x_bin']},{row['y_bin']}": table.interval(row, "n_participants") for row in rows
        }
        whole = None if everybody is None else (everybody, everybody)
        _remainder(DENSITY, str(plane), squares, whole, "squares that are not drawn", result)


def attack_times(release: Path, round_to: int, result: Verification) -> None:
    """Add months of few researchers, and what is left of all for the months that are not shown."""
    table = read_product(release, TIMES, round_to, ["n_researchers"])
    for (step,), rows in by_columns(table.rows, "step").items():
        months = {
            str(row["month"]): table.interval(row, "n_researchers") for row in rows if row["month"] != ALL
        }
        whole = [table.interval(row, "n_researchers") for row in rows if row["month"] == ALL]
        left = "months that are not shown"
        _remainder(TIMES, str(step), months, whole[0] if whole else None, left, result)


def _remainder(
    product: str,
    row: str,
    parts: Mapping[str, tuple[int, int]],
    whole: tuple[int, int] | None,
    left: str,
    result: Verification,
) -> None:
    """Add parts, and the whole minus their sum, that are few."""
    result.try_kind(product, "parts, and what is left of the whole", len(parts) + (whole is not None))
    for name, bounds in parts.items():
        result.told(product, row, "people", (name,), bounds, "as it is shown")
    if whole is not None:
        lo = whole[0] - sum(high for _, high in parts.values())
        hi = whole[1] - sum(low for low, _ in parts.values())
        result.told(product, row, "people", (left,), (lo, hi), "as all minus those shown")
