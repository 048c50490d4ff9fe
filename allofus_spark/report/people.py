"""Who the participants are: representation, and ancestry as a binned density."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from allofus_spark.pages import colour_class, count, decimal, percent, words
from allofus_spark.pages.plot import Tick, plot, round_ticks, squares
from allofus_spark.published import ALL
from allofus_spark.report.released import Released, Row

# Squares of a plane that are drawn at most, those with most people first.
MOST_SQUARES = 5_000
NO_GROUP = "n3"  # colour of squares in which no group is over the floor
_OPACITIES = (0.35, 0.55, 0.78, 1.0)


@dataclass(frozen=True)
class Category:
    """Representation in one category: shares of everybody and of those with genomes; None: withheld.

    ``unknown``: share of everybody of whom it is not known.
    """

    name: str
    everybody: float | None
    n: int | None
    with_genomes: float | None
    unknown: float | None


def representation(released: Released) -> list[Category]:
    """By category, the union of them first, then by share."""
    if not released.has("representation"):
        return []
    rows = released.rows(
        """
        SELECT category,
          max(share_under_represented) FILTER (people = 'all') AS everybody,
          max(n_under_represented) FILTER (people = 'all') AS n,
          max(share_under_represented) FILTER (people = 'with_genomes') AS with_genomes,
          max(least(n_unknown / nullif(n_people, 0), 1.0)) FILTER (people = 'all') AS unknown
        FROM representation
        WHERE answer = 'all'
          AND definitions_version = (SELECT max(definitions_version) FROM representation)
        GROUP BY category ORDER BY category <> 'any', everybody DESC NULLS LAST, category
        """
    )
    return [Category(words(row.pop("category")), **row) for row in rows]


@dataclass(frozen=True)
class Group:
    """People of one ancestry group; None: withheld."""

    name: str
    colour: str
    n: int | None
    share: float | None


def groups(released: Released) -> list[Group]:
    """Ancestry groups in the manifest's order, then the unlabelled."""
    if not released.has("groups"):
        return []
    n_of = {row["ancestry"]: row["n_participants"] for row in released.rows("SELECT * FROM groups")}
    whole = n_of.pop(ALL, None)
    order = [*released.manifest.groups, *(name for name in n_of if name not in released.manifest.groups)]
    return [
        Group(
            name,
            colour_class(number) if name in released.manifest.groups else "n4",
            n_of[name],
            n_of[name] / whole if whole and n_of[name] is not None else None,
        )
        for number, name in enumerate(order)
        if name in n_of
    ]


@dataclass(frozen=True)
class Plane:
    """A picture of two principal components, with what is seen in words."""

    picture: Markup
    sentence: str


def planes(released: Released) -> list[Plane]:
    """One picture for each pair of components."""
    if not released.has("ancestry_density"):
        return []
    names = [row["pcs"] for row in released.rows("SELECT DISTINCT pcs FROM ancestry_density ORDER BY pcs")]
    return [_plane(released, name, number) for number, name in enumerate(names)]


def _plane(released: Released, pcs: str, number: int) -> Plane:
    rows = released.rows(
        f"""
        SELECT x_bin, y_bin, x, y, n_participants, ancestry FROM ancestry_density
        WHERE pcs = ? ORDER BY n_participants DESC, x_bin, y_bin LIMIT {MOST_SQUARES}
        """,
        pcs,
    )
    x_name, _, y_name = pcs.partition("-")
    low_x, span_x = _span([row["x_bin"] for row in rows])
    low_y, span_y = _span([row["y_bin"] for row in rows])
    most = max(row["n_participants"] for row in rows)
    by_look: dict[tuple[str, float], list[tuple[float, float]]] = {}
    for row in rows:
        look = (_colour(released, row["ancestry"]), _opacity(row["n_participants"], most))
        corner = ((row["x_bin"] - low_x) / span_x, (row["y_bin"] - low_y) / span_y)
        by_look.setdefault(look, []).append(corner)
    marks = Markup("").join(
        squares(corners, 1 / span_x, 1 / span_y, colour, opacity)
        for (colour, opacity), corners in sorted(by_look.items())
    )
    sentence = (
        f"{len(rows):,} squares of {x_name} and {y_name}, each with more than {released.manifest.floor} "
        f"participants; the fullest has {count(most)}, rounded up."
    )
    picture = plot(
        f"pca{number}",
        f"Participants by {x_name} and {y_name}",
        sentence,
        marks,
        x_ticks=_ticks(rows, "x", low_x, span_x),
        y_ticks=_ticks(rows, "y", low_y, span_y),
        x_label=x_name,
        y_label=y_name,
        is_square=True,
    )
    return Plane(picture, sentence)


def _colour(released: Released, ancestry: str | None) -> str:
    named = released.manifest.groups
    return colour_class(named.index(ancestry)) if ancestry in named else NO_GROUP


def _span(bins: list[int]) -> tuple[int, int]:
    """One empty square on either side."""
    return min(bins) - 1, max(bins) - min(bins) + 3


def _opacity(n: int, most: int) -> float:
    level = math.log(max(n, 1)) / math.log(most) if most > 1 else 1.0
    return _OPACITIES[min(int(level**2 * len(_OPACITIES)), len(_OPACITIES) - 1)]


def _ticks(rows: list[Row], axis: str, low: int, span: int) -> list[Tick]:
    """Round values of a component, by the line through the middles of its first and last square."""
    ends = sorted({(row[f"{axis}_bin"], row[axis]) for row in rows})
    (first_bin, first), (last_bin, last) = ends[0], ends[-1]
    if first_bin == last_bin:
        return [((first_bin - low + 0.5) / span, decimal(first))]
    per_bin = (last - first) / (last_bin - first_bin)
    left, width = first + (low - first_bin - 0.5) * per_bin, span * per_bin
    step = next(iter(round_ticks(width, 5)[1:]), width)
    values = (
        step * number for number in range(math.ceil(left / step), math.floor((left + width) / step) + 1)
    )
    return [((value - left) / width, decimal(value) if value else "0") for value in values]


def representation_sentence(categories: list[Category]) -> str:
    """What the shares by category say."""
    union = next((item for item in categories if item.name == words("any")), None)
    single = [item for item in categories if item is not union and item.everybody is not None]
    parts = []
    if union is not None and union.everybody is not None:
        parts.append(
            f"{percent(union.everybody)} of participants are under-represented in biomedical research"
        )
    if single:
        parts.append(f"the largest single category is {single[0].name}, {percent(single[0].everybody)}")
    return "; ".join(parts) + "." if parts else "No share is shown."
