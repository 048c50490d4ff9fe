"""Exclusion ranges of phecodes: who, without being a case, is no control either."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

from allofus_spark.delimited import read_table
from allofus_spark.errors import BadSource, shown

Ranges = list[tuple[Decimal, Decimal]]
"""Least number, and the one that all are below: the upper bound is open."""

_RANGE_FILE = {"phecode", "range_start", "range_end"}
_PAIR_FILES = ({"phewas_code", "exclusion_criteria"}, {"code", "exclusion_criteria"})


def ranges_of_text(text: str) -> Ranges:
    """Ranges as pyPheWAS writes them; raises ValueError naming what is none.

    >>> ranges_of_text("001-009.99, 210-210.99")[1]
    (Decimal('210'), Decimal('210.99'))
    """
    return [_range(*part.split("-", 1)) for part in text.split(",") if part.strip()]


def read_exclusions(path: str) -> tuple[dict[str, Ranges], dict[str, set[str]]]:
    """Ranges, or phecodes, by phecode, of a file as of PGRM (range_start, range_end) or PheWAS (pairs).

    Raises BadSource where the columns are of neither, naming them, and naming lines that are not understood.
    """
    header, rows = read_table(path, "phecode")
    names = [name.strip().lower() for name in header]
    pair = next((columns for columns in _PAIR_FILES if columns <= set(names)), None)
    if not set(names) >= _RANGE_FILE and pair is None:
        raise BadSource(
            f"{path}: no exclusions of phecodes are known with the columns {', '.join(header)}. Known are: "
            "phecode, range_start, range_end (PGRM); code or phewas_code, exclusion_criteria (PheWAS)"
        )
    ranges: defaultdict[str, Ranges] = defaultdict(list)
    excluded: defaultdict[str, set[str]] = defaultdict(set)
    problems = []
    for number, row in rows:
        cells = dict(zip(names, map(str.strip, row), strict=False))
        try:
            if pair is None:
                ranges[cells["phecode"]].append(_range(cells["range_start"], cells["range_end"]))
            else:
                (named,) = pair - {"exclusion_criteria"}
                excluded[cells[named]].add(cells["exclusion_criteria"])
        except (KeyError, ValueError) as error:
            problems.append(f"line {number}: {error}")
    if problems:
        raise BadSource(f"{path}: {len(problems)} rows are not understood: {shown(problems)}")
    return dict(ranges), dict(excluded)


def excluded_phecodes(
    phecodes: Iterable[str], ranges: Mapping[str, Ranges], excluded: Mapping[str, Iterable[str]]
) -> dict[str, set[str]]:
    """Other phecodes in the exclusion range of each; texts are compared as numbers where they are such.

    A range holds what is at its start and all below its end.
    """
    by_key: defaultdict[str | Decimal, set[str]] = defaultdict(set)
    for phecode in phecodes:
        by_key[_same(phecode)].add(phecode)
    numbers = [(key, names) for key, names in by_key.items() if isinstance(key, Decimal)]
    bounds = {_same(name): found for name, found in ranges.items()}
    listed: defaultdict[str | Decimal, set[str | Decimal]] = defaultdict(set)
    for name, others in excluded.items():
        listed[_same(name)].update(map(_same, others))
    made: dict[str, set[str]] = {}
    for key, names in by_key.items():
        found: set[str] = set()
        for start, end in bounds.get(key, []):
            found.update(*(others for number, others in numbers if start <= number < end))
        found.update(*(by_key[other] for other in listed.get(key, ()) if other in by_key))
        made |= {phecode: found - {phecode} for phecode in names}
    return made


def _range(start: str, end: str) -> tuple[Decimal, Decimal]:
    least, below = _number(start), _number(end)
    if least is None or below is None:
        raise ValueError(f"{start!r} to {end!r} is no range of numbers")
    return least, below


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None


def _same(phecode: str) -> str | Decimal:
    """008 is 8 in files that went through a spreadsheet."""
    number = _number(phecode)
    return phecode if number is None else number
