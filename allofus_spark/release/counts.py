"""Rules for tables of counts of people that are few enough to be looked at one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Bounds = tuple[int, int]


def rounded_up(count: int, round_to: int) -> int:
    """The next multiple of ``round_to``; 0 is exact.

    >>> [rounded_up(count, 40) for count in (0, 1, 40, 41)]
    [0, 40, 40, 80]
    """
    return -(-count // round_to) * round_to


def bounds_of_rounded(count: int, round_to: int) -> Bounds:
    """What a rounded count stands for.

    >>> bounds_of_rounded(80, 40), bounds_of_rounded(0, 40)
    ((41, 80), (0, 0))
    """
    return (count - round_to + 1, count) if count else (0, 0)


def tells_of_few(
    parts: Sequence[Bounds], most: int | None, floor: int, *, whole: Bounds | None = None
) -> bool:
    """Whether a part, or all but one, is bounded to 1..floor people.

    ``parts`` share no person; ``most`` people there are at the most, in them and beside them (None: not
    known); ``whole`` bounds their sum, where they are all of it.
    """
    sums = (0, most) if whole is None else (whole[0], _least(whole[1], most))
    for place, (low, high) in enumerate(parts):
        others = [bounds for other, bounds in enumerate(parts) if other != place]
        others_low, others_high = sum(each[0] for each in others), sum(each[1] for each in others)
        low = low if whole is None else max(low, sums[0] - others_high)
        high = high if sums[1] is None else min(high, sums[1] - others_low)
        if low >= 1 and high <= floor:
            return True
        if most is not None and _rest_is_few(most, low, high, others_low, floor):
            return True
    of_all = max(sums[0], sum(low for low, _ in parts))
    return whole is not None and sums[1] is not None and of_all >= 1 and sums[1] <= floor


def _least(one: int, other: int | None) -> int:
    return one if other is None else min(one, other)


def _rest_is_few(most: int, low: int, high: int, others: int, floor: int) -> bool:
    """Whether the people who are not of a part are 1..floor, where there are exactly ``most``."""
    return max(most - high, others) >= 1 and most - low <= floor


def group_sizes_shown(sizes: Mapping[str, int], floor: int) -> dict[str, int | None]:
    """Sizes of groups that add up to a total that is shown, with None where one is withheld.

    Groups of 1..floor are; further ones, the smallest first, until what is withheld is together more than
    ``floor`` and each could be. Raises ValueError where no more can be withheld: the total is as small.
    """
    withheld = [name for name, size in sizes.items() if 1 <= size <= floor]
    others = sorted((name for name, size in sizes.items() if size > floor), key=lambda name: sizes[name])
    while withheld and sum(sizes[name] for name in withheld) - (len(withheld) - 1) <= floor:
        if not others:
            raise ValueError(f"all groups together are {sum(sizes.values())} people")
        withheld.append(others.pop(0))
    if len(withheld) == 1 and others:
        withheld.append(others.pop(0))
    return {name: None if name in withheld else size for name, size in sizes.items()}


def few_moved(now: Mapping[str, int | None], then: Mapping[str, int | None], floor: int) -> dict[str, int]:
    """Changes of 1..floor people in groups that both releases show."""
    changes = {}
    for name, size in now.items():
        before = then.get(name)
        if size is not None and before is not None and 1 <= abs(size - before) <= floor:
            changes[name] = size - before
    return changes


def three_digits(value: float) -> float:
    """A number to three significant digits.

    >>> three_digits(123.456), three_digits(0.0012345)
    (123.0, 0.00123)
    """
    return float(f"{value:.3g}")
