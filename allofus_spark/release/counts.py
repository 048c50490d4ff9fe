"""Rules for tables of counts of people that are few enough to be looked at one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Bounds = tuple[int, int]


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


def sizes_withheld(groups: Sequence[int], unlabelled: int, floor: int) -> tuple[list[bool], bool]:
    """Whether the size of each group, and of the unlabelled, is withheld, where they add up to a known total.

    Those of 1..floor are. Allele numbers tell how many are in each group that has them, and how many are in
    none; so further ones are withheld with them, the unlabelled first, then the smallest group, which gets no
    cells then, until those withheld together are more than ``floor`` and each could be. Raises ValueError
    where all together are too few.
    """
    sizes = [*groups, unlabelled]
    withheld = [place for place, size in enumerate(sizes) if 1 <= size <= floor]
    last = len(groups)
    order = sorted(range(last), key=lambda place: sizes[place])
    others = [place for place in (last, *order) if sizes[place] > floor]
    while withheld and (
        len(withheld) == 1
        or last in others
        or sum(sizes[place] for place in withheld) - (len(withheld) - 1) <= floor
    ):
        if not others:
            raise ValueError(f"all groups together are {sum(sizes)} people")
        withheld.append(others.pop(0))
    return [place in withheld for place in range(last)], last in withheld


def group_sizes_shown(sizes: Mapping[str, int], floor: int) -> dict[str, int | None]:
    """Sizes of groups and, last, the unlabelled, with None where one is withheld: see `sizes_withheld`."""
    *groups, unlabelled = sizes.values()
    of_groups, of_rest = sizes_withheld(groups, unlabelled, floor)
    return {
        name: None if hidden else size
        for (name, size), hidden in zip(sizes.items(), [*of_groups, of_rest], strict=True)
    }


def few_moved(
    now: Mapping[str, int | None], then: Mapping[str, int | None], total: str, floor: int
) -> dict[str, int]:
    """Changes of 1..floor people in groups that both releases show, and in all others together."""
    both = {
        name: size - before
        for name, size in now.items()
        if size is not None and (before := then.get(name)) is not None
    }
    others = both.get(total, 0) - sum(change for name, change in both.items() if name != total)
    changes = {**both, "those withheld": others if len(both) < len(now) else 0}
    return {name: change for name, change in changes.items() if 1 <= abs(change) <= floor}


def three_digits(value: float) -> float:
    """A number to three significant digits.

    >>> three_digits(123.456), three_digits(0.0012345)
    (123.0, 0.00123)
    """
    return float(f"{value:.3g}")
