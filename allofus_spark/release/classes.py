"""Classes of variants by frequency, as a release may count them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from allofus_spark.published import ALL

_FREQUENCY = "frequency"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def merged_rare_classes(
    rows: Iterable[Mapping[str, Any]], sizes: Mapping[str, int], floor: int
) -> list[dict[str, Any]]:
    """Rows of ``variant_summary`` whose classes of frequency each hold more than ``floor`` copies, or may.

    How many alleles of an ancestry are singletons says how many people carry one, where no other allele's
    count is withheld. Rarer classes are one, up to the first of which every allele has more copies; where
    there is none the ancestry has no classes. ``sizes`` are people by group.
    """
    people = {**sizes, ALL: sum(sizes.values())}
    kept: list[dict[str, Any]] = []
    rare: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["dimension"] != _FREQUENCY or 2 * people.get(row["ancestry"], 0) * _least(row) > floor + 1:
            kept.append(dict(row))
        else:
            rare.setdefault(row["ancestry"], []).append(row)
    for ancestry, classes in rare.items():
        common = [row for row in kept if (row["ancestry"], row["dimension"]) == (ancestry, _FREQUENCY)]
        if common:
            kept.append(_sum(classes) | {"class": "<" + _NUMBER.findall(min(common, key=_least)["class"])[0]})
    return kept


def _least(row: Mapping[str, Any]) -> float:
    """The lowest frequency of a class: singleton, <B, A-B or >=A."""
    name = row["class"]
    bound = _NUMBER.search(name)
    return 0.0 if name.startswith("<") or bound is None else float(bound[0])


def _sum(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One row with the counts of all added up; null where one is."""
    counts = [name for name in rows[0] if name.startswith("n_")]
    sums = {name: [row[name] for row in rows] for name in counts}
    return {**rows[0], **{name: None if None in each else sum(each) for name, each in sums.items()}}
