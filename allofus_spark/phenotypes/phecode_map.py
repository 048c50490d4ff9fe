"""A map of codes to phecodes, and the broader phecodes of each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from allofus_spark.phenotypes.exclusions import Ranges

ICD9CM, ICD10CM = "ICD9CM", "ICD10CM"
_BLANKS_AND_DOTS = re.compile(r"[\s.]+")


class Code(NamedTuple):
    """A code as it is compared: in upper case, without dots and blanks."""

    vocabulary: str
    code: str


class Phecode(NamedTuple):
    """What a map says of a phecode."""

    description: str
    category: str | None
    sex: str


@dataclass
class PhecodeMap:
    """Phecodes of codes, ``excluded`` by phecode what else keeps somebody from being its control.

    ``ranges`` are the same as ranges of numbers, where a map has these. ``rolled_up`` says that codes stand
    beside the ancestors of their phecodes already, ``not_rolled_up`` which codes are to count for their
    phecode alone. ``short_codes`` are of ICD-9-CM with less than three digits before the dot, of which there
    are none: zeros were taken away.
    """

    format: str
    rolled_up: bool
    sha256: str
    phecodes: dict[Code, set[str]] = field(default_factory=lambda: defaultdict(set))
    about: dict[str, Phecode] = field(default_factory=dict)
    excluded: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    ranges: dict[str, Ranges] = field(default_factory=dict)
    not_rolled_up: set[Code] = field(default_factory=set)
    short_codes: set[str] = field(default_factory=set)

    @property
    def vocabularies(self) -> list[str]:
        return sorted({code.vocabulary for code in self.phecodes})


def compared(code: str) -> str:
    """A code as it is compared.

    >>> compared(" e11.9 ")
    'E119'
    """
    return _BLANKS_AND_DOTS.sub("", code).upper()


def ancestors(phecode: str) -> Iterator[str]:
    """Broader phecodes: one decimal less each.

    >>> list(ancestors("250.21")), list(ancestors("EM_202.2")), list(ancestors("008"))
    (['250.2', '250'], ['EM_202'], [])
    """
    while "." in phecode:
        phecode = phecode[:-1].removesuffix(".")
        yield phecode


def with_roll_up(phecodes: PhecodeMap, *, roll_up: bool) -> dict[Code, set[str]]:
    """Phecodes of each code with their ancestors, or without.

    Ancestors are those of the map's own rows where it is rolled up, else those that the map knows. Without, a
    code counts for the narrowest phecodes that the map gives it.
    """
    known = set(phecodes.about)
    made = {}
    for code, found in phecodes.phecodes.items():
        broader = {name for phecode in found for name in ancestors(phecode)} & known
        if not roll_up:
            made[code] = found - broader
        elif phecodes.rolled_up or code in phecodes.not_rolled_up:
            made[code] = set(found)
        else:
            made[code] = found | broader
    return made
