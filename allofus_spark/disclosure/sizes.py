"""Sizes of ancestry groups: hidden ones by the total and by alleles called; changes between releases."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from allofus_spark.disclosure.cells import REST
from allofus_spark.disclosure.findings import Finding, Verification
from allofus_spark.disclosure.linear import System
from allofus_spark.disclosure.tables import read_product
from allofus_spark.published import ALL

PRODUCT = "groups"
_COUNT = "n_participants"
Sizes = Mapping[str, int | None]


def group_sizes(release: Path) -> dict[str, int | None]:
    """Participants of each group, unlabelled and all; None where withheld."""
    return {row["ancestry"]: row[_COUNT] for row in read_product(release, PRODUCT, 1, [_COUNT]).rows}


def attack_sizes(
    names: Sequence[str],
    sizes: Sequence[Sizes],
    most_called: Sequence[Mapping[str, int]],
    result: Verification,
) -> None:
    """Add what follows from group sizes of releases, oldest first.

    ``most_called``: of each release the highest AN of each group, and of the rest: nobody has more than two
    alleles, so that a group has at least half as many people.
    """
    systems = [_system(of_release, called) for of_release, called in zip(sizes, most_called, strict=True)]
    for name, of_release, system in zip(names, sizes, systems, strict=True):
        _hidden(name, of_release, system, result)
    for old, new in itertools.combinations(range(len(names)), 2):
        result.extend(_changes(names[old], names[new], sizes[old], sizes[new], result))


def _system(sizes: Sizes, called: Mapping[str, int]) -> System:
    system = System()
    parts = [name for name in sizes if name != ALL]
    for name, size in sizes.items():
        low = -(-called.get(name, 0) // 2)
        if size is None:
            system.count(name, max(low, 1))
        else:
            system.count(name, size, size)
    if ALL in sizes:
        system.relate({ALL: -1} | dict.fromkeys(parts, 1))
    lone = [name for name in parts if called and name not in called]
    if called.get(REST) and lone:
        system.relate(dict.fromkeys(lone, 1), -(-called[REST] // 2), float("inf"))
    return system


def _hidden(name: str, sizes: Sizes, system: System, result: Verification) -> None:
    """Add groups that are shown, that are hidden, and unions of those hidden."""
    hidden = [group for group, size in sizes.items() if size is None and group != ALL]
    unions: list[tuple[str, ...]] = [(group,) for group in sizes]
    unions += [some for k in range(2, len(hidden) + 1) for some in itertools.combinations(hidden, k)]
    result.try_kind(PRODUCT, "sizes and unions of hidden groups", len(unions))
    for groups in unions:
        bounds = system.bounds(dict.fromkeys(groups, 1))
        how = f"by the other sizes of {name} and the alleles called"
        result.told(PRODUCT, name, "participants", groups, bounds, how)


def _changes(old: str, new: str, before: Sizes, after: Sizes, result: Verification) -> Iterator[Finding]:
    """Groups, and the union of those that one of two releases hides, that differ by few people."""
    both = {name for name in before if before[name] is not None and after.get(name) is not None}
    changes: dict[tuple[str, ...], int] = {
        (name,): (after[name] or 0) - (before[name] or 0) for name in sorted(both)
    }
    if ALL in both and set(before) == set(after):
        others = tuple(sorted(set(before) - both))
        parts = sum(change for groups, change in changes.items() if groups != (ALL,))
        if others:
            changes[others] = changes[ALL,] - parts
    result.try_kind(PRODUCT, "changes of sizes between releases", len(changes))
    for groups, change in changes.items():
        if 1 <= abs(change) <= result.floor:
            how = f"as the difference between {old} and {new}"
            yield Finding(PRODUCT, new, "participants more or fewer", groups, change, change, how)
