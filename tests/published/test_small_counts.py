"""Laws of rounded counts, and of groups that are left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.published import hide_small, rounded_up

SIZES = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 60), max_size=12)


@given(st.integers(0, 10**9), st.integers(1, 1_000))
def test_a_count_is_rounded_up_to_the_next_multiple(count: int, round_to: int) -> None:
    rounded = rounded_up(count, round_to)
    assert rounded % round_to == 0
    assert count <= rounded < count + round_to


@given(SIZES, st.integers(1, 30))
def test_neither_a_group_nor_the_others_together_are_few(sizes: dict[str, int], floor: int) -> None:
    shown = hide_small(sizes, floor)
    assert all(sizes[name] > floor for name in shown)
    hidden = sum(size for name, size in sizes.items() if name not in shown)
    assert hidden == 0 or hidden > floor or not shown


@given(SIZES, st.integers(1, 30))
def test_no_group_is_left_out_without_need(sizes: dict[str, int], floor: int) -> None:
    """Of the large ones none goes where the small ones are enough, else the smallest alone."""
    large = {name for name, size in sizes.items() if size > floor}
    few = sum(size for size in sizes.values() if size <= floor)
    gone = large - hide_small(sizes, floor)
    if few == 0 or few > floor or not large:
        assert not gone
    else:
        assert [sizes[name] for name in gone] == [min(sizes[name] for name in large)]


def test_squares_are_left_out_likewise() -> None:
    assert hide_small({(0, 0): 30, (0, 1): 30, (5, 5): 1}, 20) == {(0, 1)}
