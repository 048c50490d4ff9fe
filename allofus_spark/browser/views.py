"""What the pages of variants, genes, regions and phenotypes show, as plain values for templates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allofus_spark.browser.opened import OpenRelease, Row
from allofus_spark.pages import colour_class, words
from allofus_spark.published import ALL

TRACK_BINS = 200


@dataclass(frozen=True)
class FrequencyLine:
    """One group's frequency of a variant; ``state``: shown, withheld, no_calls, or hidden: the group."""

    group: str
    name: str
    colour: str
    state: str
    ac: int | None
    an: int | None
    af: float | None
    faf95: float | None
    n_hom: int | None
    share: float | None


def frequency_lines(opened: OpenRelease, variant: Row) -> list[FrequencyLine]:
    """Frequencies by group, everybody first; ``share``: of the highest, for bars."""
    highest = max((variant[f"{group}_af"] or 0.0 for group in opened.groups), default=0.0)
    return [_line(variant, group, number, highest) for number, group in enumerate(opened.groups)]


def _line(variant: Row, group: str, number: int, highest: float) -> FrequencyLine:
    an, af = variant[f"{group}_an"], variant[f"{group}_af"]
    if group in variant["withheld"]:
        state = "withheld"
    elif an is None:
        state = "hidden"
    else:
        state = "shown" if an else "no_calls"
    return FrequencyLine(
        group=group,
        name=words(group) if group == ALL else group,
        colour="whole" if group == ALL else colour_class(number - 1),
        state=state,
        ac=variant[f"{group}_ac"],
        an=an,
        af=af,
        faf95=variant[f"{group}_faf95"],
        n_hom=variant[f"{group}_n_hom"],
        share=af / highest if af and highest else None,
    )


def track(counts: list[int]) -> Iterator[dict[str, Any]]:
    """Columns of a picture of variants by place: each non-empty bin with its height, 0 to 40."""
    most = max(counts, default=0)
    width = 1000 / max(len(counts), 1)
    for number, count in enumerate(counts):
        if count:
            height = max(40 * count / most, 2)
            yield {"x": round(number * width, 2), "y": round(40 - height, 2), "height": round(height, 2)}


def phenotype_facts(opened: OpenRelease, phenotype_id: str) -> dict[str, Any] | None:
    """What a phenotype is, and its rows by ancestry in the manifest's order; None: there is none."""
    rows = opened.phenotypes.get(phenotype_id)
    if rows is None:
        return None
    order = {name: number for number, name in enumerate((ALL, *opened.manifest.groups))}
    return rows[0] | {"rows": sorted(rows, key=lambda row: order.get(row["ancestry"], len(order)))}


def described(opened: OpenRelease, association: Row) -> Row:
    """An association with the phenotype's name, set, kind and unit, where phenotypes are released."""
    rows = opened.phenotypes.get(association["phenotype_id"], [{}])
    names = {name: rows[0].get(name) for name in ("description", "phenotype_set", "kind", "unit")}
    return association | names
