"""How counts of people are kept from telling of few: rounded up, or left out in groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

# What a group is called: a month, or a square's place.
Name = TypeVar("Name", str, tuple[int, int])


def rounded_up(count: int, round_to: int) -> int:
    """The next multiple of ``round_to``; 0 is exact.

    >>> [rounded_up(count, 40) for count in (0, 1, 40, 41)]
    [0, 40, 40, 80]
    """
    return -(-count // round_to) * round_to


def hide_small(sizes: Mapping[Name, int], floor: int) -> set[Name]:
    """The groups of more than ``floor`` people that may be shown.

    What the others hold together is none, or more than ``floor``, too: where it is not, the smallest group
    of those shown goes with them, of equals the one whose name is first.

    >>> sorted(hide_small({"2026-01": 30, "2026-02": 25, "2026-03": 5}, 20))
    ['2026-01']
    """
    shown = {name for name, size in sizes.items() if size > floor}
    hidden = sum(size for name, size in sizes.items() if name not in shown)
    if 0 < hidden <= floor and shown:
        shown.remove(min(shown, key=lambda name: (sizes[name], name)))
    return shown
