"""Products that count people: groups, phenotypes, representation, and the density of ancestries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from allofus_spark.published import ALL, UNLABELLED, rounded_up
from allofus_spark.release.counts import (
    bounds_of_rounded,
    group_sizes_shown,
    tells_of_few,
    three_digits,
)
from allofus_spark.settings import ReleaseSettings

Rows = list[dict[str, Any]]
_TOTAL_MONTH = "total"
_WITHOUT_GENOMES = "without_genomes"
NO_GENOME = "no_genome"


@dataclass(frozen=True)
class Small:
    """Rows of a product that the driver holds, and cells or rows withheld, by name."""

    rows: Rows
    withheld: Mapping[str, int]


def group_rows(sizes: Mapping[str, int], rules: ReleaseSettings) -> Small:
    """``groups`` of participants by group and unlabelled."""
    if rules.policy.groups == "exempt":
        shown: dict[str, int | None] = dict(sizes)
    else:
        shown = group_sizes_shown(sizes, rules.floor)
    shown[ALL] = sum(sizes.values())
    rows = [{"ancestry": name, "n_participants": size} for name, size in shown.items()]
    return Small(rows, {"n_participants": sum(size is None for size in shown.values())})


def phenotype_rows(
    catalogue: Iterable[Any],
    definitions: Mapping[str, Any],
    sizes: Mapping[str, int | None],
    rules: ReleaseSettings,
) -> Small:
    """``phenotypes`` of rows of phenotype_catalogue and phenotype_definitions; ``sizes`` as groups shows."""
    by_phenotype: defaultdict[str, list[Any]] = defaultdict(list)
    for row in catalogue:
        by_phenotype[row.phenotype_id].append(row)
    rows: Rows = []
    for phenotype_id, own in sorted(by_phenotype.items()):
        about = definitions[phenotype_id]
        with_mean = _ancestries_with_mean(own, rules)
        for row in sorted(own, key=lambda each: str(each.ancestry)):
            size = None if row.ancestry == ALL else sizes.get(row.ancestry)
            counts = _phenotype_counts(row, size, row.ancestry in with_mean, rules)
            rows.append(
                {
                    "phenotype_set": row.phenotype_set,
                    "phenotype_id": phenotype_id,
                    "description": about.description,
                    "category": about.category,
                    "kind": about.kind,
                    "unit": about.unit,
                    "ancestry": row.ancestry,
                    **counts,
                }
            )
    return Small(rows, {"rows": sum(row["is_withheld"] for row in rows)})


def _ancestries_with_mean(rows: Sequence[Any], rules: ReleaseSettings) -> set[str]:
    """Ancestries of a quantitative phenotype whose mean tells of more than ``floor`` people only."""
    measured = {row.ancestry: row.n_measured or 0 for row in rows}
    if rules.policy.phenotypes == "exempt":
        return set(measured)
    enough = {name for name, n in measured.items() if n > rules.floor}
    others = sum(n for name, n in measured.items() if name not in enough)
    return enough - {ALL} if 1 <= others <= rules.floor else enough


def _phenotype_counts(row: Any, size: int | None, with_mean: bool, rules: ReleaseSettings) -> dict[str, Any]:
    exact = rules.policy.phenotypes == "exempt"
    names = ("n_cases", "n_controls", "n_measured")
    counts = {name: getattr(row, name) for name in names}
    if not exact:
        counts = {
            name: None if count is None else rounded_up(count, rules.round_to)
            for name, count in counts.items()
        }
    parts = [bounds_of_rounded(count, rules.round_to) for count in counts.values() if count is not None]
    withheld = not exact and bool(parts) and tells_of_few(parts, size, rules.floor)
    if withheld:
        counts = dict.fromkeys(names)
    stats = {name: getattr(row, name) for name in ("mean", "sd")}
    kept = with_mean and not withheld
    shown = {
        name: (value if exact else three_digits(value)) if kept and value is not None else None
        for name, value in stats.items()
    }
    lost = any(value is not None and shown[name] is None for name, value in stats.items())
    return {**counts, **shown, "is_withheld": withheld or lost}


def representation_rows(rows: Iterable[Any], n_with_genomes: int, rules: ReleaseSettings) -> Small:
    """``representation`` of the totals over months; who has no genome is not told apart."""
    made: Rows = []
    n_withheld = 0
    exact = rules.policy.representation == "exempt"
    for row in rows:
        if row.enrolment_month != _TOTAL_MONTH or row.people == _WITHOUT_GENOMES:
            continue
        names = ("n_people", "n_under_represented", "n_not", "n_unknown")
        counts: dict[str, int | None] = {name: getattr(row, name) for name in names}
        if not exact:
            most = n_with_genomes if row.people == "with_genomes" else None
            counts = _rounded_parts(counts, most, rules)
            n_withheld += counts["n_people"] is None
        people, under = counts["n_people"], counts["n_under_represented"]
        share = under / people if people and under is not None else None
        made.append(
            {
                "definitions_version": row.definitions_version,
                "people": row.people,
                "category": row.category,
                "answer": row.answer,
                **counts,
                "share_under_represented": None if share is None else min(share, 1.0),
            }
        )
    made.sort(key=lambda row: [row[name] for name in ("definitions_version", "people", "category", "answer")])
    return Small(made, {"rows": n_withheld})


def _rounded_parts(
    counts: Mapping[str, int | None], most: int | None, rules: ReleaseSettings
) -> dict[str, Any]:
    """n_people and its three parts, rounded; all None where a part of so many would be told."""
    rounded = {name: rounded_up(count or 0, rules.round_to) for name, count in counts.items()}
    whole, *parts = [bounds_of_rounded(count, rules.round_to) for count in rounded.values()]
    if tells_of_few(parts, most, rules.floor, whole=whole):
        return dict.fromkeys(counts)
    return rounded


def sizes_by_group(labels: Iterable[str | None], groups: Sequence[str]) -> dict[str, int]:
    """Participants with genomes by group, and unlabelled."""
    sizes = dict.fromkeys((*groups, UNLABELLED), 0)
    for label in labels:
        sizes[(label or UNLABELLED).lower()] += 1
    return sizes
