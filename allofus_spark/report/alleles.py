"""Variants by frequency, novelty and consequence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from allofus_spark.pages import TERM_CLASSES, percent, words
from allofus_spark.published import ALL
from allofus_spark.report.headline import new_of
from allofus_spark.report.released import Released, Row

_COLOURS = 6
_NOVELTIES = {name: f"n_{name}" for name in TERM_CLASSES}
_NUMBER = re.compile(r"[0-9.]+(e-?[0-9]+)?")


@dataclass(frozen=True)
class Part:
    """A class of variants: its name, its class of colour, how many, and what share of the row."""

    name: str
    colour: str
    n: int
    share: float


@dataclass(frozen=True)
class Bar:
    """Variants seen in one ancestry, by class."""

    name: str
    n: int
    parts: list[Part]


def spectrum(released: Released) -> list[Bar]:
    """By frequency in the ancestry itself, rarest first."""
    rows = _rows(released, "frequency")
    classes = sorted({row["class"] for row in rows}, key=_lower_bound)
    colours = {
        name: f"s{round(number * (_COLOURS - 1) / max(len(classes) - 1, 1))}"
        for number, name in enumerate(classes)
    }
    return [
        _bar(ancestry, [(_frequency_name(name), colours[name], _n(rows, ancestry, name)) for name in classes])
        for ancestry in _ancestries(released, rows)
    ]


def novelty(released: Released) -> list[Bar]:
    """By novelty against the catalogues; none where nothing was judged."""
    rows = _rows(released, "all")
    if all(new_of(row) is None for row in rows if row["n_variants"]):
        return []
    by_ancestry = {row["ancestry"]: row for row in rows}
    return [
        _bar(
            ancestry,
            [
                (words(name), TERM_CLASSES[name], by_ancestry[ancestry][column] or 0)
                for name, column in _NOVELTIES.items()
            ],
        )
        for ancestry in _ancestries(released, rows)
    ]


@dataclass(frozen=True)
class Consequence:
    """Variants of one most severe consequence; ``share``: of the most numerous."""

    name: str
    n: int
    share: float
    n_new: int | None
    is_coding: bool


def consequences(released: Released) -> list[Consequence]:
    """Of everybody's variants, the most numerous first."""
    rows = [row for row in _rows(released, "consequence") if row["ancestry"] == ALL and row["n_variants"]]
    rows = sorted(rows, key=lambda row: (-row["n_variants"], row["class"]))
    if all(row["class"] == "not_annotated" for row in rows):
        return []
    most = rows[0]["n_variants"]
    return [
        Consequence(
            words(row["class"]),
            row["n_variants"],
            row["n_variants"] / most,
            new_of(row),
            bool(row["n_coding"]),
        )
        for row in rows
    ]


def _rows(released: Released, dimension: str) -> list[Row]:
    if not released.has("variant_counts"):
        return []
    return released.rows(
        """
        SELECT * FROM variant_counts WHERE dimension = ? AND (catalogue_set, annotator) = (
          SELECT (catalogue_set, annotator) FROM variant_counts ORDER BY catalogue_set, annotator LIMIT 1
        )
        """,
        dimension,
    )


def _ancestries(released: Released, rows: list[Row]) -> list[str]:
    """Those with a variant: everybody, then the manifest's order."""
    present = {row["ancestry"] for row in rows if row["n_variants"]}
    return [name for name in (ALL, *released.manifest.groups) if name in present]


def _n(rows: list[Row], ancestry: str, name: str) -> int:
    return sum(row["n_variants"] for row in rows if row["ancestry"] == ancestry and row["class"] == name)


def _bar(ancestry: str, classes: list[tuple[str, str, int]]) -> Bar:
    whole = sum(n for _, _, n in classes)
    parts = [Part(name, colour, n, n / whole if whole else 0.0) for name, colour, n in classes]
    return Bar(words(ancestry) if ancestry == ALL else ancestry, whole, parts)


def _lower_bound(name: str) -> float:
    if name == "singleton":
        return -2.0
    bound = _NUMBER.search(name)
    if bound is None:
        return -1.0
    return float(bound[0]) - name.startswith("<")  # from 0: before all others, the narrower first


def _frequency_name(name: str) -> str:
    """A class of frequency in per cent.

    >>> _frequency_name("0.001-0.01"), _frequency_name("<0.0001"), _frequency_name("singleton")
    ('0.1–1 %', 'under 0.01 %', 'singleton')
    """
    bounds = [f"{100 * float(found[0]):.6g}" for found in _NUMBER.finditer(name)]
    if not bounds:
        return words(name)
    if len(bounds) == 2:
        return f"{bounds[0]}–{bounds[1]} %"
    return f"under {bounds[0]} %" if name.startswith("<") else f"{bounds[0]} % or more"


def spectrum_sentence(bars: list[Bar]) -> str:
    """What the frequency spectrum says of everybody, and where common alleles weigh most."""
    if not bars:
        return ""
    whole = bars[0]
    most = max(bars[1:], key=lambda bar: bar.parts[-1].share, default=None)
    common = whole.parts[-1]
    text = f"Of variants in {whole.name}, {percent(common.share)} have a frequency of {common.name}"
    if most is None:
        return text + "."
    return f"{text}; of those in {most.name}, {percent(most.parts[-1].share)}."


def novelty_sentence(bars: list[Bar]) -> str:
    """Where the share of new variants is highest."""
    if not bars:
        return ""

    def new(bar: Bar) -> float:
        return sum(part.share for part in bar.parts if part.colour in ("n1", "n2"))

    most = max(bars[1:] or bars, key=new)
    return (
        f"Of all variants {percent(new(bars[0]))} were not reported before; the share is highest in "
        f"{most.name}, {percent(new(most))}."
    )
