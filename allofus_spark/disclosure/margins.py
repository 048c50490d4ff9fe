"""Representation: what follows from margins, from parts of a whole, and from shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from allofus_spark.disclosure.findings import Verification
from allofus_spark.disclosure.linear import System
from allofus_spark.disclosure.tables import Published, Row, by_columns, read_product

PRODUCT = "representation"
WHOLE = "n_people"
PARTS = ("n_under_represented", "n_not", "n_unknown")
COUNTS = (WHOLE, *PARTS)
_ALL, _ANY, _GENOMES, _OTHERS = "all", "any", "with_genomes", "without genomes"
_NEAR = 1e-9


def attack_representation(release: Path, round_to: int, result: Verification) -> None:
    """Add what follows from the counts and shares of representation, a category at a time."""
    table = read_product(release, PRODUCT, round_to, COUNTS)
    told = any(_tells(row, column) for row in table.rows for column in PARTS)
    for (version,), rows in by_columns(table.rows, "definitions_version").items():
        whole = [row for row in rows if row["category"] == _ANY]
        for (category,), own in by_columns(rows, "category").items():
            both = own if category == _ANY else [*own, *whole]
            _attack(f"{version} {category}", str(category), both, table, told, result)


def _tells(row: Row, column: str) -> bool:
    """Whether a share is not that of the counts shown, so that it was worked out from others."""
    share, part, whole = row.get(_share(column)), row.get(column), row.get(WHOLE)
    return share is not None and bool(whole) and part is not None and abs(part / whole - share) > _NEAR


def _share(column: str) -> str:
    return column.replace("n_", "share_", 1)


def _name(row: Row, column: str) -> str:
    return "/".join((row["people"], row["category"], row["answer"], column))


def _attack(
    name: str, category: str, rows: Sequence[Row], table: Published, told: bool, result: Verification
) -> None:
    system = System()
    for row in rows:
        for column in COUNTS:
            system.count(_name(row, column), *table.interval(row, column))
        system.relate({_name(row, WHOLE): -1} | {_name(row, column): 1 for column in PARTS})
        if told:
            _relate_shares(system, row)
    by_key = {(row["people"], row["category"], row["answer"]): row for row in rows}
    _relate_rows(system, by_key, category)
    wanted: list[tuple[dict[str, float], Row, str]] = [
        ({_name(row, column): 1.0}, row, column)
        for row in rows
        for column in COUNTS
        if row["category"] == category
    ]
    for row in rows:
        genomes = by_key.get((_GENOMES, row["category"], row["answer"]))
        if row["people"] == _ALL and row["category"] == category and genomes:
            rest = {"people": _OTHERS, "category": category, "answer": row["answer"]}
            wanted += [({_name(row, c): 1.0, _name(genomes, c): -1.0}, rest, c) for c in COUNTS]
    result.try_kind(PRODUCT, "margins, parts, shares and people without genomes", len(wanted))
    for terms, row, column in wanted:
        groups = (row["people"], row["answer"])
        quantity = column.removeprefix("n_").replace("_", "-")
        how = "by the other counts of its category"
        result.told(PRODUCT, name, quantity, groups, system.bounds(terms), how)


def _relate_shares(system: System, row: Row) -> None:
    """Share · whole is the part, to within the share's digits."""
    for column in PARTS:
        share = row.get(_share(column))
        if share is not None:
            digits = next((d for d in range(16) if round(share, d) == share), 16)
            slack = 0.5 * 10.0**-digits if digits < 16 else _NEAR
            part, whole = _name(row, column), _name(row, WHOLE)
            system.relate({part: 1, whole: -(share - slack)}, 0, math.inf)
            system.relate({part: 1, whole: -(share + slack)}, -math.inf, 0)


def _relate_rows(system: System, rows: Mapping[tuple[str, str, str], Row], category: str) -> None:
    """Parts are no more than their wholes: answers of all, people with genomes of all people, one of any."""
    for (people, own, answer), row in rows.items():
        wholes: list[tuple[tuple[str, str, str], tuple[str, ...]]] = [
            ((people, own, _ALL), COUNTS),
            ((_ALL, own, answer), COUNTS),
        ]
        if own == category and answer == _ALL:
            wholes.append(((people, _ANY, _ALL), COUNTS[:2]))
        for key, columns in wholes:
            if key in rows and rows[key] is not row:
                for column in columns:
                    system.relate({_name(rows[key], column): 1, _name(row, column): -1}, 0, math.inf)
    # Everybody has a status in every category.
    for people in {key[0] for key in rows}:
        one, any_row = rows.get((people, category, _ALL)), rows.get((people, _ANY, _ALL))
        if one is not None and any_row is not None and one is not any_row:
            system.relate({_name(one, WHOLE): 1, _name(any_row, WHOLE): -1})
