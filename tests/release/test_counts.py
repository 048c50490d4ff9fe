"""Rules of small tables: rounding, sums of rounded parts, and sizes of groups."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.published import rounded_up
from allofus_spark.release.counts import (
    bounds_of_rounded,
    few_moved,
    group_sizes_shown,
    tells_of_few,
)
from allofus_spark.release.people import group_rows, phenotype_rows, representation_rows
from allofus_spark.settings import ReleaseSettings

RULES = ReleaseSettings()
FLOOR, STEP = 3, 6


@given(count=st.integers(0, 10_000), step=st.integers(2, 80))
def test_a_rounded_count_stands_for_its_count(count: int, step: int) -> None:
    rounded = rounded_up(count, step)
    low, high = bounds_of_rounded(rounded, step)
    assert low <= count <= high
    assert rounded % step == 0
    assert high - low in (0, step - 1)


@given(
    counts=st.lists(st.integers(0, 14), min_size=2, max_size=3),
    beside=st.one_of(st.none(), st.integers(0, 9)),
    is_whole=st.booleans(),
)
def test_parts_tell_what_every_assignment_tells(
    counts: list[int], beside: int | None, is_whole: bool
) -> None:
    """Against all whole numbers that fit the rounded parts, their rounded sum, and the people there are."""
    parts = [bounds_of_rounded(rounded_up(count, STEP), STEP) for count in counts]
    most = None if beside is None else sum(counts) + beside
    whole = bounds_of_rounded(rounded_up(sum(counts), STEP), STEP) if is_whole else None
    fits = [
        fit
        for fit in itertools.product(*(range(low, high + 1) for low, high in parts))
        if (most is None or sum(fit) <= most) and (whole is None or whole[0] <= sum(fit) <= whole[1])
    ]
    quantities = [{fit[place] for fit in fits} for place in range(len(parts))]
    if most is not None:
        quantities += [{most - fit[place] for fit in fits} for place in range(len(parts))]
    if whole is not None and most is not None:
        quantities.append({sum(fit) for fit in fits})
    told = any(quantity <= set(range(1, FLOOR + 1)) for quantity in quantities)
    assert tells_of_few(parts, most, FLOOR, whole=whole) == told


@pytest.mark.parametrize(
    ("sizes", "withheld"),
    [
        ({"afr": 100, "eur": 300, "unlabelled": 0}, []),
        ({"afr": 100, "mid": 20, "eur": 300, "unlabelled": 0}, ["afr", "mid"]),
        ({"afr": 100, "mid": 20, "eur": 300, "unlabelled": 50}, ["mid", "unlabelled"]),
        ({"afr": 100, "mid": 21, "eur": 300, "unlabelled": 50}, []),
        ({"afr": 100, "mid": 20, "oth": 20, "eur": 300, "unlabelled": 0}, ["mid", "oth"]),
        ({"afr": 100, "mid": 5, "oth": 4, "eur": 300, "unlabelled": 7}, ["afr", "mid", "oth", "unlabelled"]),
        ({"afr": 100, "eur": 300, "unlabelled": 7}, ["afr", "unlabelled"]),
    ],
)
def test_sizes_that_are_withheld(sizes: dict[str, int], withheld: list[str]) -> None:
    shown = group_sizes_shown(sizes, 20)
    assert [name for name, size in shown.items() if size is None] == withheld
    assert all(size in (None, sizes[name]) for name, size in shown.items())


def test_changes_of_few_are_found_in_groups_and_in_what_is_withheld() -> None:
    then = {"afr": 100, "mid": None, "unlabelled": None, "all": 500}
    assert few_moved({"afr": 120, "mid": None, "unlabelled": None, "all": 560}, then, "all", 20) == {
        "afr": 20
    }
    assert few_moved({"afr": 121, "mid": None, "unlabelled": None, "all": 560}, then, "all", 20) == {}
    moved = few_moved({"afr": 130, "mid": None, "unlabelled": None, "all": 531}, then, "all", 20)
    assert moved == {"those withheld": 1}
    # A group that is shown since is one of those withheld then.
    assert few_moved({"afr": 100, "mid": 40, "unlabelled": 90, "all": 530}, then, "all", 20) == {}


def test_groups_withhold_or_show_as_the_policy_says() -> None:
    sizes = {"afr": 100, "mid": 20, "unlabelled": 0}
    rows = {row["ancestry"]: row["n_participants"] for row in group_rows(sizes, RULES).rows}
    assert rows == {"afr": None, "mid": None, "unlabelled": 0, "all": 120}
    exempt = ReleaseSettings.model_validate({"policy": {"groups": "exempt"}, "reason": {"groups": "public"}})
    assert {row["n_participants"] for row in group_rows(sizes, exempt).rows} == {100, 20, 0, 120}


def phenotype(ancestry: str, **counts: Any) -> SimpleNamespace:
    names = ("n_cases", "n_controls", "n_excluded", "n_measured", "mean", "sd")
    own = {**dict.fromkeys(names), **counts}
    return SimpleNamespace(phenotype_set="p", phenotype_id="250.2", ancestry=ancestry, **own)


ABOUT = {"250.2": SimpleNamespace(description="T2D", category="endocrine", kind="binary", unit=None)}


def test_cases_and_controls_are_rounded_and_withheld_where_a_size_would_tell() -> None:
    catalogue = [
        phenotype("all", n_cases=90, n_controls=400),
        phenotype("afr", n_cases=9, n_controls=52),
        phenotype("eur", n_cases=81, n_controls=348),
        phenotype("oth", n_cases=0, n_controls=0),
    ]
    # 41 controls at the least leave 20 cases at the most, of 61 people.
    small = phenotype_rows(catalogue, ABOUT, {"afr": 61, "eur": 500, "oth": 0}, RULES)
    rows = {row["ancestry"]: (row["n_cases"], row["n_controls"], row["is_withheld"]) for row in small.rows}
    assert rows == {
        "all": (120, 400, False),
        "afr": (None, None, True),
        "eur": (120, 360, False),
        "oth": (0, 0, False),
    }
    assert small.withheld == {"rows": 1}
    exempt = {"policy": {"phenotypes": "exempt"}, "reason": {"phenotypes": "public"}}
    exact = phenotype_rows(catalogue, ABOUT, {"afr": 61}, ReleaseSettings.model_validate(exempt))
    assert [row["n_cases"] for row in exact.rows] == [9, 90, 81, 0]


def test_means_tell_of_more_than_the_floor_only() -> None:
    catalogue = [
        phenotype("all", n_measured=520, mean=5.4321, sd=1.2345),
        phenotype("afr", n_measured=15, mean=6.1, sd=1.0),
        phenotype("eur", n_measured=505, mean=5.40001, sd=1.2),
    ]
    rows = {row["ancestry"]: row for row in phenotype_rows(catalogue, ABOUT, {}, RULES).rows}
    assert (rows["eur"]["mean"], rows["eur"]["sd"]) == (5.4, 1.2)
    # All less eur would be the mean of 15.
    assert rows["all"]["mean"] is rows["afr"]["mean"] is None
    assert rows["all"]["is_withheld"]
    assert rows["all"]["n_measured"] == 520
    catalogue[1] = phenotype("afr", n_measured=21, mean=6.1, sd=1.0)
    rows = {row["ancestry"]: row for row in phenotype_rows(catalogue, ABOUT, {}, RULES).rows}
    assert (rows["all"]["mean"], rows["afr"]["mean"]) == (5.43, 6.1)


def represented(people: str, month: str, *counts: int) -> SimpleNamespace:
    names = ("n_people", "n_under_represented", "n_not", "n_unknown")
    about = {"definitions_version": "d", "category": "sex", "answer": "all", "enrolment_month": month}
    return SimpleNamespace(people=people, **about, **dict(zip(names, counts, strict=True)))


def test_representation_is_rounded_and_has_totals_only() -> None:
    given_rows = [
        represented("all", "total", 500, 100, 395, 5),
        represented("all", "2026-01", 30, 10, 20, 0),
        represented("without_genomes", "total", 439, 90, 349, 0),
        represented("with_genomes", "total", 61, 9, 52, 0),
    ]
    rows = representation_rows(given_rows, 61, RULES).rows
    assert [row["people"] for row in rows] == ["all", "with_genomes"]
    first = rows[0]
    assert [first[f"n_{name}"] for name in ("people", "under_represented", "not", "unknown")] == [
        520,
        120,
        400,
        40,
    ]
    assert first["share_under_represented"] == 120 / 520
    assert rows[1]["n_people"] is rows[1]["share_under_represented"] is None
