"""Counts of phenotypes: by the sum over ancestries, by means, and as what is left of a group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from allofus_spark.disclosure.findings import Verification
from allofus_spark.disclosure.linear import MOST_PEOPLE, System
from allofus_spark.disclosure.sizes import Sizes
from allofus_spark.disclosure.tables import Published, Row, by_columns, read_product
from allofus_spark.published import ALL

PRODUCT = "phenotypes"
COUNTS = ("n_cases", "n_controls", "n_measured")
_DIGITS = 3  # of a mean


def attack_phenotypes(release: Path, sizes: Sizes, round_to: int, result: Verification) -> None:
    """Add what follows from the counts and means of phenotypes."""
    table = read_product(release, PRODUCT, round_to, COUNTS)
    for (phenotype,), rows in by_columns(table.rows, "phenotype_id").items():
        for column in COUNTS:
            if any(row.get(column) is not None for row in rows):
                _attack_counts(str(phenotype), column, rows, table, sizes, result)
        _attack_means(str(phenotype), rows, table, result)
        _attack_excluded(str(phenotype), rows, table, sizes, result)


def _attack_counts(
    phenotype: str, column: str, rows: Sequence[Row], table: Published, sizes: Sizes, result: Verification
) -> None:
    """Add each ancestry's count, and what it leaves of its group; then the union of those withheld."""
    by_ancestry = {row["ancestry"]: row for row in rows}
    system = System()
    for name, row in by_ancestry.items():
        system.count(name, *table.interval(row, column))
        size = sizes.get(name)
        if size is not None and name != ALL:
            system.count(name, 0, size)
    parts = [name for name in by_ancestry if name != ALL]
    if ALL in by_ancestry and parts:
        system.relate({ALL: -1} | dict.fromkeys(parts, 1))
    if column == "n_measured":
        _relate_means(system, by_ancestry, parts)
    hidden = tuple(name for name in parts if by_ancestry[name].get(column) is None)
    unions = [(name,) for name in by_ancestry] + ([hidden] if len(hidden) > 1 else [])
    what = column.removeprefix("n_")
    result.try_kind(PRODUCT, f"{what}, and the others of the group", 2 * len(unions))
    for groups in unions:
        found = system.bounds(dict.fromkeys(groups, 1))
        if found is None:
            continue
        lo, hi = found
        result.told(PRODUCT, phenotype, what, groups, found, "by the counts of the other ancestries")
        size = sizes.get(groups[0]) if len(groups) == 1 and groups != (ALL,) else None
        if size is not None:
            how = "as the size of the group minus the count"
            result.told(PRODUCT, phenotype, f"not {what}", groups, (size - hi, size - lo), how)


def _attack_excluded(
    phenotype: str, rows: Sequence[Row], table: Published, sizes: Sizes, result: Verification
) -> None:
    """Add who of a group is neither case nor control."""
    for row in rows:
        name, size = str(row["ancestry"]), sizes.get(row["ancestry"])
        if name == ALL or size is None or row.get("n_cases") is None or row.get("n_controls") is None:
            continue
        result.try_kind(PRODUCT, "neither cases nor controls", 1)
        cases, controls = table.interval(row, "n_cases"), table.interval(row, "n_controls")
        bounds = max(size - cases[1] - controls[1], 0), size - cases[0] - controls[0]
        how = "as the size of the group minus both"
        result.told(PRODUCT, phenotype, "neither cases nor controls", (name,), bounds, how)


def _relate_means(system: System, rows: dict[str, Row], parts: Sequence[str]) -> None:
    """Σ n · mean over ancestries is that of all, to within the digits of the means."""
    whole = rows.get(ALL)
    if whole is None or whole.get("mean") is None:
        return
    if any(rows[name].get("mean") is None and rows[name].get("n_measured") != 0 for name in parts):
        return
    lows, highs = {}, {}
    for name in (*parts, ALL):
        mean = rows[name].get("mean")
        if mean is not None:
            slack = _slack(mean)
            sign = -1 if name == ALL else 1
            lows[name], highs[name] = sign * (mean - sign * slack), sign * (mean + sign * slack)
    system.relate(lows, -math.inf, 0)
    system.relate(highs, 0, math.inf)


def _slack(mean: float) -> float:
    """Half of the last digit of a mean: of those that it has, where they are more than three."""
    digits = next((d for d in range(_DIGITS, 16) if float(f"{mean:.{d}g}") == mean), 16)
    power = math.floor(math.log10(abs(mean))) if mean else 0
    return 0.5 * 10.0 ** (power - digits + 1)


def _attack_means(phenotype: str, rows: Sequence[Row], table: Published, result: Verification) -> None:
    """Add a mean of few people, or one that follows for few: all's times n, minus the others'."""
    by_ancestry = {row["ancestry"]: row for row in rows if row.get("kind") != "binary"}
    shown = {name: row for name, row in by_ancestry.items() if row.get("mean") is not None}
    result.try_kind(PRODUCT, "means", len(by_ancestry))
    for name, row in shown.items():
        bounds = table.interval(row, "n_measured")
        result.told(PRODUCT, phenotype, "measured, whose mean is shown", (name,), bounds, "from its own row")
    parts = [name for name in by_ancestry if name != ALL]
    hidden = tuple(name for name in parts if name not in shown and by_ancestry[name].get("n_measured") != 0)
    if ALL not in shown or not hidden:
        return
    everybody = table.interval(by_ancestry[ALL], "n_measured")
    others = [table.interval(shown[name], "n_measured") for name in parts if name in shown]
    own = [table.interval(by_ancestry[name], "n_measured") for name in hidden]
    lo = max(everybody[0] - sum(high for _, high in others), sum(low for low, _ in own), 0)
    hi = min(everybody[1] - sum(low for low, _ in others), sum(high for _, high in own), MOST_PEOPLE)
    how = "the mean of all times n, minus those of the other ancestries, is theirs"
    result.told(PRODUCT, phenotype, "measured, whose mean follows", hidden, (lo, hi), how)
