"""The kernel: rows made by hand, and a reader who tries every whole-number assignment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from allofus_spark.release.cells import Counts, Earlier, Shown
from allofus_spark.release.withhold import withhold
from tests.release.brute_force import pages, told_of_change, told_of_people
from tests.release.cohorts import counts_of, earlier_of, genotypes

FLOOR = 20


def made(ac: list[int], an: list[int], n_hom: list[int] | None = None) -> Counts:
    """One diploid variant; ``all`` first, everybody called."""
    homs = n_hom or [0] * len(ac)
    people = np.array(an) // 2
    rest = people[0] - people[1:].sum()
    if 1 <= rest <= FLOOR:
        people[0] += 2  # not called
    return Counts(np.array([ac]), np.array([an]), np.array([homs]), np.array([True]), people)


def shown_of(counts: Counts, *earlier: Earlier) -> tuple[list[bool], list[bool]]:
    shown = withhold(counts, FLOOR, earlier)
    return shown.ac[0].tolist(), shown.n_hom[0].tolist()


@pytest.mark.parametrize(
    ("ac", "an", "shown"),
    [
        # Nobody carries: all is shown.
        ([0, 0, 0], [400, 200, 200], [True, True, True]),
        # A singleton: its group and all are withheld, the other's nought is shown.
        ([1, 1, 0], [400, 200, 200], [False, False, True]),
        # 20 is not over the floor, 21 is.
        ([20, 20, 0], [400, 200, 200], [False, False, True]),
        ([21, 21, 0], [400, 200, 200], [True, True, True]),
        # All less the one that is shown would be 5: all goes, where one group is left.
        ([65, 60, 5], [400, 200, 200], [False, True, False]),
        # Where two are left, the rarer goes and all stays: 5 + 30 are told together.
        ([135, 100, 5, 30], [600, 200, 200, 200], [True, True, False, False]),
        # Ref alleles are counted as alt: 200 − 195 = 5.
        ([295, 100, 195], [400, 200, 200], [False, True, False]),
        # Everybody of a group has two copies.
        ([260, 60, 200], [400, 200, 200], [True, True, True]),
        # 5 among the unlabelled (all less groups).
        ([65, 60, 0], [500, 200, 200], [False, True, True]),
        ([125, 60, 60], [500, 200, 200], [True, False, True]),
        # A group of 20 people is withheld whole, whatever it has, and the next with it; of 21 it is not.
        ([0, 0, 0, 0], [640, 200, 40, 400], [True, False, False, True]),
        ([0, 0, 0, 0], [642, 200, 42, 400], [True, True, True, True]),
        # With more unlabelled than the floor, it alone.
        ([0, 0, 0, 0], [700, 200, 40, 400], [True, True, False, True]),
        # 21 copies in 22 people are of at most 11 homozygotes of ref, and of one at least.
        ([21, 21, 0], [244, 44, 200], [False, False, True]),
        # 22 unlabelled people alone carry, of whom 20 are called: noughts of the groups, and all withheld,
        # would tell.
        ([3, 0, 0], [440, 200, 200], [False, False, False]),
    ],
)
def test_cells_of_one_release(ac: list[int], an: list[int], shown: list[bool]) -> None:
    assert shown_of(made(ac, an))[0] == shown


def test_a_small_group_has_no_allele_number_either() -> None:
    shown = withhold(made([60, 60, 0], [340, 200, 40]), FLOOR)
    assert shown.an.tolist() == [[True, True, False]]
    assert shown.ac.tolist() == [[True, True, False]]


@pytest.mark.parametrize(
    ("n_hom", "shown"),
    [
        ([25, 25, 0], [True, True, True]),
        # Null does not tell 0 from 20.
        ([20, 20, 0], [False, False, True]),
        ([0, 0, 0], [False, False, True]),
        # 100 − 2 × 45 = 10 heterozygotes.
        ([45, 45, 0], [False, False, True]),
        # None has one copy: null does not tell that some have.
        ([50, 50, 0], [False, False, True]),
        # 200 people, 100 copies: 100 + 25 people without any.
        ([30, 30, 0], [True, True, True]),
    ],
)
def test_homozygotes(n_hom: list[int], shown: list[bool]) -> None:
    assert shown_of(made([100, 100, 0], [800, 400, 400], n_hom))[1] == shown


def test_homozygotes_where_copies_are_not_two() -> None:
    counts = made([100, 100, 0], [800, 400, 400], [25, 25, 0])
    haploid = Counts(counts.ac, counts.an, counts.n_hom, np.array([False]), counts.people)
    assert withhold(haploid, FLOOR).n_hom.tolist() == [[False, False, True]]


def test_what_moved_by_few_is_withheld_and_cannot_be_worked_out() -> None:
    """25 people joined afr, who brought 7 copies, then 35 with 35; eur did not change."""
    then = made([300, 100, 200], [1000, 500, 500])
    earlier = earlier_of(then, withhold(then, FLOOR))
    now = made([307, 107, 200], [1050, 550, 500])
    assert shown_of(now, earlier)[0] == [False, False, True]
    many = made([335, 135, 200], [1070, 570, 500])
    assert shown_of(many, earlier)[0] == [True, True, True]
    of_ref = made([335, 135, 200], [1050, 550, 500])  # 15 copies of ref
    assert shown_of(of_ref, earlier)[0] == [False, False, True]


def test_the_same_people_carry_the_same_alleles_in_both_releases() -> None:
    """A cell of unchanged eur is known from the release before; now afr must not follow from it."""
    then = made([330, 30, 300], [1000, 500, 500])
    earlier = earlier_of(then, withhold(then, FLOOR))
    now = made([309, 9, 300], [960, 460, 500])
    assert shown_of(now, earlier)[0] == [False, False, True]


def test_a_variant_that_the_release_before_lacks_was_carried_by_nobody() -> None:
    now = made([30, 25, 5], [1050, 550, 500])
    nothing = np.full((1, 3), -1)
    people = np.array([500, 250, 250])
    absent = Earlier(nothing, nothing, nothing, np.array([False]), people)
    assert shown_of(now, absent)[0] == shown_of(now)[0] == [False, True, False]


def test_other_variants_are_refused() -> None:
    counts = made([1, 1], [40, 40])
    other = made([1, 1, 0], [40, 40, 0])
    with pytest.raises(ValueError, match="same variants"):
        withhold(counts, FLOOR, [earlier_of(other, withhold(other, FLOOR))])


SIZES = st.lists(st.integers(0, 6), min_size=3, max_size=3).filter(lambda sizes: sum(sizes) > 0)


@settings(max_examples=60)
@given(sizes=SIZES, floor=st.integers(1, 2), seed=st.integers(0, 2**32 - 1))
def test_no_count_of_a_tiny_cohort_follows(sizes: list[int], floor: int, seed: int) -> None:
    counts = counts_of(genotypes(np.random.default_rng(seed), 12, sizes))
    for page in pages(counts, withhold(counts, floor)):
        assert told_of_people(page, floor) == [], page


STEPS = st.lists(st.sampled_from([0, 0, 3, 4]), min_size=3, max_size=3)


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(2, 4), min_size=3, max_size=3),
    joined=STEPS,
    left=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
# Whoever left had the only copy: that a total is withheld says that somebody else has one.
@example(sizes=[3, 3, 2], joined=[4, 0, 0], left=True, seed=665)
# Who takes every withheld cell to be some but not all of its alleles knows each of them.
@example(sizes=[4, 2, 3], joined=[4, 3, 0], left=True, seed=342056260)
def test_no_change_of_a_tiny_cohort_follows(
    sizes: list[int], joined: list[int], left: bool, seed: int
) -> None:
    """People join, or (read backwards) leave; nothing of one release tells of the other, or of the change."""
    floor = 1
    rng = np.random.default_rng(seed)
    larger = genotypes(rng, 10, [size + step for size, step in zip(sizes, joined, strict=True)])
    smaller = [group[:, :size] for group, size in zip(larger, sizes, strict=True)]
    first, second = (counts_of(groups) for groups in ((larger, smaller) if left else (smaller, larger)))
    before = withhold(first, floor)
    after = withhold(second, floor, [earlier_of(first, before)])
    same = [column for column, step in enumerate(joined) if step == 0]
    for one, other in zip(pages(second, after), pages(first, before), strict=True):
        assert told_of_change(one, other, same, floor) == [], (one, other)
        assert told_of_people(one, floor) == [], one


@given(seed=st.integers(0, 2**32 - 1))
def test_rows_do_not_depend_on_each_other(seed: int) -> None:
    counts = counts_of(genotypes(np.random.default_rng(seed), 8, [40, 30, 60, 5]))
    together = withhold(counts, FLOOR)
    for row in range(8):
        alone = withhold(
            Counts(
                *(part[[row]] for part in (counts.ac, counts.an, counts.n_hom, counts.diploid)), counts.people
            ),
            FLOOR,
        )
        assert (alone.ac == together.ac[[row]]).all()
        assert (alone.n_hom == together.n_hom[[row]]).all()


def test_the_same_counts_again_show_the_same() -> None:
    counts = counts_of(genotypes(np.random.default_rng(7), 500, [40, 300, 60, 45]))
    first = withhold(counts, FLOOR)
    second = withhold(counts, FLOOR, [earlier_of(counts, first)])
    assert isinstance(second, Shown)
    assert (first.ac == second.ac).all()
    assert (first.n_hom == second.n_hom).all()
