"""``ancestry_density``: participants in squares of principal components, none drawn that holds few."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.published import hide_small, rounded_up
from allofus_spark.release.people import Rows, Small
from allofus_spark.settings import ReleaseSettings

PLANES = {"PC1-PC2": (0, 1), "PC3-PC4": (2, 3)}
_SQUARES = 60  # along an axis, of the middle 98 % of people
_MIDDLE = (0.01, 0.99)

Square = tuple[int, int]


def density_rows(ancestries: DataFrame, rules: ReleaseSettings) -> Small:
    """``ancestry_density`` of the people that the most used model has scores of."""
    scored = ancestries.where(F.col("pcs").isNotNull())
    models = scored.groupBy("model_id").count().orderBy(F.desc("count"), "model_id").head(1)
    if not models:
        return Small([], {})
    people = scored.where(F.col("model_id") == models[0].model_id).select("pcs", "ancestry")
    n_pcs = people.select(F.min(F.size("pcs"))).head()[0]  # type: ignore[index]
    rows: Rows = []
    n_hidden = 0
    for name, (first, second) in PLANES.items():
        if n_pcs <= second:
            continue
        widths = [_width(people, axis) for axis in (first, second)]
        squares = _count(people, (first, second), widths)
        shown = squares if rules.policy.ancestry_density == "exempt" else _large_enough(squares, rules.floor)
        n_hidden += len(squares) - len(shown)
        rows += _as_rows(name, shown, widths, rules)
    return Small(rows, {"squares": n_hidden})


def _width(people: DataFrame, axis: int) -> float:
    """Side of a square: 1, 2 or 5 times a power of ten, so that it tells of nobody."""
    low, high = people.select(F.percentile_approx(F.col("pcs")[axis], list(_MIDDLE), 1000)).head()[0]  # type: ignore[index]
    exact = max((high - low) / _SQUARES, 1e-9)
    power = 10.0 ** math.floor(math.log10(exact))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= exact))


def _count(
    people: DataFrame, axes: tuple[int, int], widths: list[float]
) -> Mapping[Square, Counter[str | None]]:
    """People by square and label."""
    bins = [
        F.floor(F.col("pcs")[axis] / width).cast("int").alias(name)
        for axis, width, name in zip(axes, widths, ("x", "y"), strict=True)
    ]
    squares: defaultdict[Square, Counter[str | None]] = defaultdict(Counter)
    for x, y, label, n in people.select(*bins, "ancestry").groupBy("x", "y", "ancestry").count().collect():
        squares[x, y][label] = n
    return squares


def _large_enough(
    squares: Mapping[Square, Counter[str | None]], floor: int
) -> Mapping[Square, Counter[str | None]]:
    """Squares of more than ``floor`` people; what the others hold together is none or more than it too."""
    large = hide_small({square: labels.total() for square, labels in squares.items()}, floor)
    return {square: labels for square, labels in squares.items() if square in large}


def _as_rows(
    name: str, squares: Mapping[Square, Counter[str | None]], widths: list[float], rules: ReleaseSettings
) -> Rows:
    exact = rules.policy.ancestry_density == "exempt"
    first = [min((square[axis] for square in squares), default=0) for axis in (0, 1)]
    rows: Rows = []
    for (x, y), labels in sorted(squares.items()):
        label, n_of_label = labels.most_common(1)[0]
        total = labels.total()
        # In a smaller square no label would say that its largest group is of few.
        of_most = 2 * n_of_label > total and (exact or total > 2 * rules.floor)
        rows.append(
            {
                "pcs": name,
                "x_bin": x - first[0],
                "y_bin": y - first[1],
                "x": (x + 0.5) * widths[0],
                "y": (y + 0.5) * widths[1],
                "n_participants": total if exact else rounded_up(total, rules.round_to),
                "ancestry": label if of_most else None,
            }
        )
    return rows
