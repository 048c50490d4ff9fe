"""Rows of ``variant_summary`` from cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from allofus_spark.summary.cells import EVERYBODY, Cell, frequency_classes
from allofus_spark.tables.novelty_tables import (
    KNOWN_SITE_NEW_ALLELE,
    NEW_STATUSES,
    NOT_ASSESSABLE,
    REPORTED,
    UNREPORTED,
)

NOT_ANNOTATED = "not_annotated"
PASSING, FILTERED = "passing", "filtered"
_NOT_FLAGGED = "not_flagged"

Place = tuple[str, str, str]


class SummaryRow(NamedTuple):
    """A row of ``variant_summary`` without its catalogue set and annotator; columns are described there."""

    ancestry: str
    dimension: str
    class_name: str
    n_variants: int
    n_reported: int
    n_known_site_new_allele: int
    n_unreported: int
    n_not_assessable: int
    n_not_flagged: int
    n_coding: int | None
    n_new_coding: int | None

    @property
    def n_new(self) -> int:
        """Alleles that no catalogue has."""
        return self.n_known_site_new_allele + self.n_unreported


def summary_rows(
    cells: Iterable[Cell], ancestries: Sequence[str], *, bounds: Sequence[float], passing_only: bool
) -> list[SummaryRow]:
    """A row for every ancestry and every class that any ancestry has, zeros included, in a fixed order.

    With ``passing_only`` filtered sites count in the dimension filter alone. Coding counts are None where no
    allele at all is annotated, and those of new alleles where none is flagged.
    """
    cells = list(cells)
    known = {"coding"} if any(cell.term is not None for cell in cells) else set()
    if known and any(cell.status is not None for cell in cells):
        known.add("new_coding")
    tallies: dict[Place, Counter[str]] = {}
    seen: dict[str, set[str]] = {"type": set(), "consequence": set()}
    for cell in cells:
        for dimension, name in _classes(cell, passing_only):
            _add(tallies.setdefault((cell.ancestry, dimension, name), Counter()), cell)
            seen.setdefault(dimension, set()).add(name)
    classes = {
        EVERYBODY: [EVERYBODY],
        "type": sorted(seen["type"]),
        "consequence": sorted(seen["consequence"]),
        "frequency": frequency_classes(bounds),
        "filter": [PASSING, FILTERED],
    }
    return [
        _row((ancestry, dimension, name), tallies.get((ancestry, dimension, name), Counter()), known)
        for ancestry in (EVERYBODY, *ancestries)
        for dimension, names in classes.items()
        for name in names
    ]


def _classes(cell: Cell, passing_only: bool) -> Iterator[tuple[str, str]]:
    """(dimension, class) that a cell counts in: one a dimension, or none."""
    yield "filter", PASSING if cell.passing else FILTERED
    if cell.passing or not passing_only:
        yield EVERYBODY, EVERYBODY
        yield "type", str(cell.type)
        yield "consequence", cell.term or NOT_ANNOTATED
        yield "frequency", cell.frequency


def _add(tally: Counter[str], cell: Cell) -> None:
    status = cell.status or _NOT_FLAGGED
    tally["variants"] += cell.n
    tally[status] += cell.n
    if cell.coding:
        tally["coding"] += cell.n
        tally["new_coding"] += cell.n if status in NEW_STATUSES else 0


def _row(place: Place, tally: Counter[str], known: Collection[str]) -> SummaryRow:
    statuses = (REPORTED, KNOWN_SITE_NEW_ALLELE, UNREPORTED, NOT_ASSESSABLE, _NOT_FLAGGED)
    coding = (tally[name] if name in known else None for name in ("coding", "new_coding"))
    return SummaryRow(*place, tally["variants"], *(tally[name] for name in statuses), *coding)
