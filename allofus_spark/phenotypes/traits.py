"""Definitions of quantitative traits: their concepts, unit, factors and plausible range."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from allofus_spark.delimited import places_of, read_table
from allofus_spark.errors import BadSource, shown

COLUMNS = ("phenotype_id", "description", "concept_ids", "unit", "unit_factors", "least", "most")
NO_UNIT = "none"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_FACTOR = re.compile(rf"(.+)=\s*({_NUMBER})\s*([+-]{_NUMBER.removeprefix('[+-]?')})?")


class Trait(NamedTuple):
    """A definition; ``factors`` are by unit, a concept id or text: value × factor + offset is in ``unit``."""

    phenotype_id: str
    description: str
    concept_ids: tuple[int, ...]
    unit: str
    factors: Mapping[str, tuple[float, float]]
    least: float
    most: float


def read_traits(path: str) -> list[Trait]:
    """Definitions of a file; raises BadSource naming lines that are not understood."""
    header, rows = read_table(path, "phenotype_id")
    place = places_of(path, header, COLUMNS, {}, COLUMNS)
    traits: dict[str, Trait] = {}
    problems = []
    for number, row in rows:
        if row[0].startswith("#"):
            continue
        try:
            if len(row) != len(header):
                raise ValueError(f"{len(row)} fields, not {len(header)}")
            trait = _trait({name: row[place[name]].strip() for name in COLUMNS})
            if trait.phenotype_id in traits:
                raise ValueError(f"{trait.phenotype_id} is defined twice")
            traits[trait.phenotype_id] = trait
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        raise BadSource(f"{path}: {len(problems)} lines are not understood: {shown(problems)}")
    if not traits:
        raise BadSource(f"{path}: a header and no definitions; add a line for each trait")
    return list(traits.values())


def _trait(cells: Mapping[str, str]) -> Trait:
    """The trait of a line; raises ValueError saying what is wrong."""
    for name in ("phenotype_id", "concept_ids", "unit", "unit_factors", "least", "most"):
        if not cells[name]:
            raise ValueError(f"{name} is empty")
    concepts = [part.strip() for part in cells["concept_ids"].replace(";", ",").split(",")]
    if odd := [part for part in concepts if not part.isdecimal()]:
        raise ValueError(f"concept_ids {shown(odd)}: no concept ids")
    least, most = (_finite(name, cells[name]) for name in ("least", "most"))
    if least > most:
        raise ValueError(f"least {least:g} is above most {most:g}")
    return Trait(
        cells["phenotype_id"],
        cells["description"],
        tuple(map(int, concepts)),
        cells["unit"],
        dict(_factors(cells["unit_factors"])),
        least,
        most,
    )


def _factors(text: str) -> Iterator[tuple[str, tuple[float, float]]]:
    for part in filter(None, map(str.strip, text.split(";"))):
        found = _FACTOR.fullmatch(part)
        if found is None:
            raise ValueError(f"unit_factors {part!r} is not UNIT=FACTOR or UNIT=FACTOR+OFFSET")
        unit, factor, offset = found.groups()
        yield unit.strip(), (_finite("factor", factor), _finite("offset", offset or "0"))


def _finite(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} {text!r} is no number")
    return number
