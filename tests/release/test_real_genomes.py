"""The 1000 Genomes Project's 2,504 people at exonic sites, released with the floor at 20."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from allofus_spark.release.cells import Counts, Shown
from allofus_spark.release.withhold import withhold
from tests.release.cohorts import earlier_of
from tools.demo_data import CACHE, CALLS_ARCHIVE, LABELS_ARCHIVE, fetch, read_calls, read_people

REPOSITORY = Path(__file__).parents[2]
FLOOR = 20
GROUPS = ("afr", "amr", "eas", "eur", "sas")


@pytest.fixture(scope="module")
def calls() -> tuple[np.ndarray, np.ndarray]:
    """Copies of alt uint8[sites, people], and the label of each person."""
    folder = REPOSITORY / CACHE
    people = read_people(fetch(LABELS_ARCHIVE, folder))
    _, copies = read_calls(fetch(CALLS_ARCHIVE, folder), n_people=len(people))
    return copies, np.array([person.ancestry for person in people])


def counts_of(copies: np.ndarray, labels: np.ndarray) -> Counts:
    columns = [np.ones(len(labels), bool), *(labels == group for group in GROUPS)]
    ac = [copies[:, own].sum(axis=1, dtype=np.int64) for own in columns]
    n_hom = [(copies[:, own] == 2).sum(axis=1).astype(np.int64) for own in columns]
    people = np.array([own.sum() for own in columns], np.int64)
    return Counts(
        np.stack(ac, axis=1),
        np.tile(2 * people, (len(copies), 1)),
        np.stack(n_hom, axis=1),
        np.ones(len(copies), bool),
        people,
    )


def check_nothing_is_told(counts: Counts, shown: Shown) -> None:
    """Of one release, by sums of groups alone, in plain arithmetic: no kernel of the package."""
    for ac, an, mask in zip(counts.ac.tolist(), counts.an.tolist(), shown.ac.tolist(), strict=True):
        for of_cell, alleles, is_shown in zip(ac, an, mask, strict=True):
            if is_shown:
                assert of_cell == 0 or of_cell > FLOOR
                assert of_cell == alleles or alleles - of_cell > FLOOR
        hidden = [place for place in range(1, len(ac)) if not mask[place]]
        if mask[0] and hidden:
            assert len(hidden) > 1
            left = sum(ac[place] for place in hidden)
            alleles = sum(an[place] for place in hidden)
            for alt in (left, alleles - left):
                assert alt - (len(hidden) - 1) > FLOOR, "a withheld cell could not be over the floor"
        elif not mask[0] and not hidden:
            pytest.fail("all is the sum of the groups, which are all shown")


def test_nothing_is_told_and_most_is_shown(calls: tuple[np.ndarray, np.ndarray]) -> None:
    counts = counts_of(*calls)
    shown = withhold(counts, FLOOR)
    check_nothing_is_told(counts, shown)
    shares = dict(zip(("all", *GROUPS), shown.ac.mean(axis=0).round(3), strict=True))
    print("share of variants that keep their AF:", shares)
    assert min(shares.values()) > 0.45
    assert shares["all"] > 0.8
    genotypes = np.stack([counts.n_hom, counts.ac - 2 * counts.n_hom])
    told = shown.n_hom & (counts.ac > 0) & (counts.ac < counts.an)
    assert (genotypes[:, told] > FLOOR).all()
    assert told.sum() > 10_000


def test_people_who_joined_since_the_release_before(calls: tuple[np.ndarray, np.ndarray]) -> None:
    """A tenth of the people of two groups joined: 66 of afr and 35 of amr."""
    copies, labels = calls
    late = np.zeros(len(labels), bool)
    for group in ("afr", "amr"):
        own = np.flatnonzero(labels == group)
        late[own[: len(own) // 10]] = True
    before, after = counts_of(copies[:, ~late], labels[~late]), counts_of(copies, labels)
    first = withhold(before, FLOOR)
    second = withhold(after, FLOOR, [earlier_of(before, first)])
    check_nothing_is_told(after, second)
    both = first.ac & second.ac
    change = np.abs(after.ac - before.ac)[both]
    assert ((change == 0) | (change > FLOOR)).all()
    # Groups that nobody joined are shown as before, or not at all: the same people.
    unchanged = [1 + GROUPS.index(group) for group in ("eas", "eur", "sas")]
    sums = (after.ac - before.ac)[:, 0][both[:, 0]]
    assert ((sums == 0) | (np.abs(sums) > FLOOR)).all()
    assert (after.ac == before.ac)[:, unchanged].all()
    shares = dict(zip(("all", *GROUPS), second.ac.mean(axis=0).round(3), strict=True))
    print("share of variants that keep their AF in the second release:", shares)
    assert min(shares["eas"], shares["eur"], shares["sas"]) > 0.4
