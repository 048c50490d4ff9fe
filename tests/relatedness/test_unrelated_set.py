"""The unrelated set against every possible one."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.relatedness.decide import Relations, decide
from allofus_spark.relatedness.people import People
from allofus_spark.relatedness.unrelated_set import unrelated_set

MOST = 9


@st.composite
def families(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]], np.ndarray, np.ndarray]:
    n = draw(st.integers(1, MOST))
    possible = list(itertools.combinations(range(n), 2))
    pairs = draw(st.lists(st.sampled_from(possible), unique=True)) if possible else []
    is_case = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    n_called = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), np.int64)
    return n, pairs, is_case, n_called


def ends(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def best_by_trying(
    n: int, pairs: list[tuple[int, int]], is_case: np.ndarray, n_called: np.ndarray
) -> list[int]:
    """Of all sets without a pair the best by cases, number, calls, then the lowest people."""
    subsets = (set(own) for size in range(n + 1) for own in itertools.combinations(range(n), size))
    free = [own for own in subsets if not any(first in own and second in own for first, second in pairs)]

    def wishes(own: set[int]) -> tuple[int, int, int, list[bool]]:
        kept = sorted(own)
        return int(is_case[kept].sum()), len(kept), int(n_called[kept].sum()), [v in own for v in range(n)]

    return sorted(max(free, key=wishes))


@given(families())
def test_small_families_are_solved_exactly(
    family: tuple[int, list[tuple[int, int]], np.ndarray, np.ndarray],
) -> None:
    n, pairs, is_case, n_called = family
    kept = unrelated_set(n, *ends(pairs), is_case=is_case, n_called=n_called)
    assert np.flatnonzero(kept).tolist() == best_by_trying(n, pairs, is_case, n_called)


@given(seed=st.integers(0, 10_000), n=st.integers(31, 120), with_cases=st.booleans())
def test_large_families_keep_nobody_related_and_leave_out_nobody_needlessly(
    seed: int, n: int, with_cases: bool
) -> None:
    rng = np.random.default_rng(seed)
    pairs = [(v, int(rng.integers(0, v))) for v in range(1, n)]  # all are one family
    pairs = sorted({*pairs, *((max(p), min(p)) for p in rng.integers(0, n, (n, 2)).tolist() if p[0] != p[1])})
    is_case = rng.random(n) < 0.3 if with_cases else np.zeros(n, np.bool_)
    first, second = ends(pairs)
    kept = unrelated_set(n, first, second, is_case=is_case, n_called=np.zeros(n, np.int64))
    assert not (kept[first] & kept[second]).any()
    beside_kept = np.zeros(n, np.bool_)
    beside_kept[first[kept[second]]] = True
    beside_kept[second[kept[first]]] = True
    assert (kept | beside_kept).all()
    both_cases = is_case[first] & is_case[second]
    cases = unrelated_set(
        n, first[both_cases], second[both_cases], is_case=is_case, n_called=np.zeros(n, np.int64)
    )
    if with_cases:  # no case is left out but for another case
        left_out = is_case & ~kept
        for case in np.flatnonzero(left_out):
            relatives = np.concatenate([second[first == case], first[second == case]])
            assert (kept & is_case)[relatives].any()
        assert (kept & is_case).sum() >= 0.8 * (cases & is_case).sum()


def test_a_large_star_loses_its_middle_only() -> None:
    n = 200
    first, second = np.full(n - 1, 100), np.delete(np.arange(n), 100)
    kept = unrelated_set(n, first, second, is_case=np.zeros(n, np.bool_), n_called=np.zeros(n, np.int64))
    assert np.flatnonzero(~kept).tolist() == [100]
    is_case = np.arange(n) == 100
    kept = unrelated_set(n, first, second, is_case=is_case, n_called=np.zeros(n, np.int64))
    assert np.flatnonzero(kept).tolist() == [100]


def test_a_family_of_thirty_that_is_hard_takes_no_more_than_its_steps() -> None:
    rng = np.random.default_rng(3)
    pairs = [pair for pair in itertools.combinations(range(30), 2) if rng.random() < 0.15]
    n_called = rng.integers(0, 100, 30)
    kept = unrelated_set(30, *ends(pairs), is_case=np.zeros(30, np.bool_), n_called=n_called)
    first, second = ends(pairs)
    assert not (kept[first] & kept[second]).any()


@given(families(), st.randoms(use_true_random=False))
def test_decisions_do_not_depend_on_the_order_of_samples(
    family: tuple[int, list[tuple[int, int]], np.ndarray, np.ndarray], random: object
) -> None:
    n, pairs, is_case, n_called = family
    ids = [f"s{number}" for number in range(n)]
    kinship = {pair: 0.1 + 0.3 * ((7 * pair[0] + 3 * pair[1]) % 5) / 5 for pair in pairs}
    answers = []
    for order in (list(range(n)), random.sample(range(n), n)):  # type: ignore[attr-defined]
        place = {person: number for number, person in enumerate(order)}
        people = People({"c": np.arange(n)}, {"c": n}, [ids[person] for person in order])
        first, second = (np.array([place[pair[end]] for pair in pairs], np.int32) for end in (0, 1))
        relations = Relations(first, second, np.array([kinship[pair] for pair in pairs]))
        cases = [ids[person] for person in range(n) if is_case[person]]
        found = decide(people, relations, n_called[order], 10, cases=cases, prefer_call_rate=True)
        answers.append(
            {
                people.sample_ids[at]: (
                    people.sample_ids[found.relative_kept[at]] if found.relative_kept[at] >= 0 else None,
                    int(found.n_relatives[at]),
                    float(found.call_rate[at]),
                )
                for at in range(n)
            }
        )
    assert answers[0] == answers[1]


def test_the_nearest_kept_relative_is_named() -> None:
    """b is related to a, c and d, who are kept: nearest to c and d alike, of whom c comes first."""
    people = People({"c": np.arange(4)}, {"c": 4}, ["d", "b", "a", "c"])
    relations = Relations(
        np.array([1, 1, 0], np.int32), np.array([2, 3, 1], np.int32), np.array([0.1, 0.4, 0.4])
    )
    found = decide(people, relations, np.full(4, 5), 10, cases=(), prefer_call_rate=False)
    assert found.relative_kept.tolist() == [-1, 3, -1, -1]
    assert found.kinship_of_kept[1] == 0.4
    assert found.n_relatives.tolist() == [1, 3, 1, 1]
    assert found.call_rate.tolist() == [0.5] * 4
