"""Known bad releases of allele counts, each broken by another attack, beside good ones that are like them."""

from __future__ import annotations

from typing import Any

import pytest
from scipy.special import gammaincinv

from allofus_spark.disclosure import Verification
from tests.disclosure.conftest import Attack
from tests.disclosure.folders import sizes, variant

BIG = {"eas": (600, 1000, None), "eur": (900, 2000, None)}
# A row that shows a zero beside a withheld cell: so the attacker learns that a withheld one is none.
ZERO = variant(1, afr=(0, 400), eas=(None, 1000), eur=(None, 2000), all=(300, 3400))


def found(result: Verification) -> set[tuple[str, tuple[str, ...], int, int]]:
    """Quantity, groups and bounds of the findings of variants."""
    return {(f.quantity, f.groups, f.lo, f.hi) for f in result.derived if f.product == "variants"}


def one(**cells: Any) -> dict[str, Any]:
    return {"variants": [ZERO, variant(**cells)]}


BAD = {
    "a count of 1 to the floor is shown": (
        one(afr=(7, 400), **BIG, all=(1507, 3400)),
        ("carriers", ("afr",), 4, 7),
    ),
    "all minus the others, one withheld": (
        one(afr=(None, 400), **BIG, all=(1512, 3400)),
        ("carriers", ("afr",), 6, 12),
    ),
    "all but few alleles: carriers of ref": (
        one(afr=(390, 400), **BIG, all=(1890, 3400)),
        ("carriers of ref", ("afr",), 5, 10),
    ),
    "unlabelled people are what is left": (
        one(afr=(300, 400), **BIG, all=(1816, 3600)),
        ("carriers", ("unlabelled",), 8, 16),
    ),
    "union of two withheld groups": (
        one(afr=(None, 400), eas=(None, 1000), eur=(900, 2000), all=(918, 3400)),
        ("carriers", ("afr", "eas"), 9, 18),
    ),
    "two withheld groups with 21 copies: neither has none": (
        one(afr=(None, 400), eas=(None, 1000), eur=(900, 2000), all=(921, 3400)),
        ("carriers", ("afr",), 1, 20),
    ),
    "AF × AN with AC withheld": (
        one(afr=(None, 400), afr_af=9 / 400, **BIG, all=(None, 3400)),
        ("carriers", ("afr",), 5, 9),
    ),
    "faf95 with AC withheld": (
        one(afr=(None, 400), afr_faf95=gammaincinv(14, 0.05) / 400, **BIG, all=(None, 3400)),
        ("carriers", ("afr",), 7, 14),
    ),
    "max_af of a withheld group": (
        one(afr=(None, 40000), max_af=6 / 40000, max_af_group="afr", **BIG, all=(None, 43000)),
        ("carriers", ("afr",), 3, 6),
    ),
    "a percentage of few digits": (
        one(afr=(None, 400), afr_percent=2.5, **BIG, all=(None, 3400)),
        ("carriers", ("afr",), 5, 10),
    ),
    "AC − carriers are homozygotes": (
        one(afr=(300, 400), afr_sc=188, **BIG, all=(1800, 3400)),
        ("homozygotes of ref", ("afr",), 12, 12),
    ),
    "homozygotes shown": (
        one(afr=(100, 400, 5), **BIG, all=(1600, 3400)),
        ("homozygotes", ("afr",), 5, 5),
    ),
    "heterozygotes are AC − 2 homozygotes": (
        one(afr=(100, 400, 45), **BIG, all=(1600, 3400)),
        ("heterozygotes", ("afr",), 10, 10),
    ),
    "homozygotes of all minus the groups'": (
        one(afr=(150, 400, None), eas=(600, 1000, 200), eur=(900, 2000, 250), all=(1650, 3400, 461)),
        ("homozygotes", ("afr",), 11, 11),
    ),
    "more copies than people: homozygotes there must be": (
        one(afr=(39, 60), **BIG, all=(1539, 3060)),
        ("homozygotes", ("afr",), 9, 19),
    ),
    "X: carriers of one copy are AC − 2 homozygotes": (
        {"variants": [variant(contig="chrX", afr=(100, 390, 45), **BIG, all=(1600, 3390))]},
        ("heterozygotes", ("afr",), 10, 10),
    ),
    "few people called, and a withheld cell is not 0": (
        {
            "variants": [
                ZERO,
                variant(2, afr=(0, 36), eas=(None, 1000), eur=(None, 2000), all=(300, 3036)),
                variant(3, afr=(None, 36), eas=(None, 1000), eur=(900, 2000), all=(1500, 3036)),
            ]
        },
        ("carriers", ("afr",), 1, 18),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_release_is_broken(attack: Attack, name: str) -> None:
    tables, expected = BAD[name]
    assert expected in found(attack(tables))


def test_where_no_homozygote_is_shown_as_0_null_means_some(attack: Attack) -> None:
    """m = 0 is shown of one row, so that of the other, with 24 copies in 400, m is 1 to 12."""
    rows = [
        variant(1, afr=(80, 400, 0), **BIG, all=(1580, 3400)),
        variant(2, afr=(24, 400), **BIG, all=(1524, 3400)),
    ]
    assert ("homozygotes", ("afr",), 1, 12) in found(attack({"variants": rows}))


def test_where_no_homozygote_of_ref_is_shown_null_means_some(attack: Attack) -> None:
    rows = [
        variant(1, afr=(300, 400, 100), **BIG, all=(1800, 3400)),
        variant(2, afr=(370, 400), **BIG, all=(1870, 3400)),
    ]
    assert ("homozygotes of ref", ("afr",), 1, 15) in found(attack({"variants": rows}))


PEOPLE = {"eas": 500, "eur": 1000, "unlabelled": 0}


def two(before: dict[str, Any], after: dict[str, Any], afr: tuple[int, int]) -> list[dict[str, Any]]:
    """Two releases of one variant, with the sizes of afr in each."""
    return [
        {"groups": sizes(afr=n, all=1500 + n, **PEOPLE), "variants": [ZERO, variant(**cells)]}
        for n, cells in zip(afr, (before, after), strict=True)
    ]


BAD_PAIRS = {
    "a cell that moved by 5": (
        two(
            {"afr": (100, 400), **BIG, "all": (1600, 3400)},
            {"afr": (105, 460), **BIG, "all": (1605, 3460)},
            (200, 230),
        ),
        ("copies of alt more or fewer", ("afr",), 5, 5),
    ),
    "ref alleles that moved by 6": (
        two(
            {"afr": (100, 400), **BIG, "all": (1600, 3400)},
            {"afr": (154, 460), **BIG, "all": (1654, 3460)},
            (200, 230),
        ),
        ("copies of ref more or fewer", ("afr",), 6, 6),
    ),
    "all moved by 8, and only one group grew": (
        two(
            {"afr": (None, 400), "eas": (None, 1000), "eur": (900, 2000), "all": (1600, 3400)},
            {"afr": (None, 460), "eas": (None, 1000), "eur": (900, 2000), "all": (1608, 3460)},
            (200, 230),
        ),
        ("copies of alt more or fewer", ("afr",), 8, 8),
    ),
    "withheld now, solved by a partner that the earlier release shows": (
        two(
            {"afr": (None, 400), "eas": (600, 1000), "eur": (900, 2000), "all": (None, 3400)},
            {"afr": (None, 460), "eas": (None, 1000), "eur": (900, 2000), "all": (1515, 3460)},
            (200, 230),
        ),
        ("carriers", ("afr",), 8, 15),
    ),
    "withheld earlier, solved by the later release": (
        two(
            {"afr": (None, 400), "eas": (None, 1000), "eur": (900, 2000), "all": (1511, 3400)},
            {"afr": (None, 460), "eas": (600, 1000), "eur": (900, 2000), "all": (None, 3460)},
            (200, 230),
        ),
        ("carriers", ("afr",), 6, 11),
    ),
    "the newcomers' homozygotes": (
        two(
            {"afr": (200, 400), **BIG, "all": (1700, 3400)},
            {"afr": (239, 460), **BIG, "all": (1739, 3460)},
            (200, 230),
        ),
        ("homozygotes among those who came or went", ("afr",), 9, 19),
    ),
}


@pytest.mark.parametrize("name", BAD_PAIRS)
def test_a_bad_pair_of_releases_is_broken(attack: Attack, name: str) -> None:
    pair, expected = BAD_PAIRS[name]
    assert expected in found(attack(*pair))


GOOD = {
    "all over the floor": one(afr=(100, 400, 30), **BIG, all=(1600, 3400)),
    "zeros": one(afr=(0, 400, 0), eas=(0, 1000, 0), eur=(900, 2000, None), all=(900, 3400, None)),
    "all of them": one(afr=(400, 400, 200), **BIG, all=(1900, 3400)),
    "two withheld with many copies": one(
        afr=(None, 400), eas=(None, 1000), eur=(900, 2000), all=(1300, 3400)
    ),
    "one withheld, and all": one(afr=(None, 400), **BIG, all=(None, 3400)),
    "one withheld, and unlabelled people with many copies": one(afr=(None, 400), **BIG, all=(1560, 3600)),
    "every cell withheld": one(afr=(None, 36), eas=(None, 1000), eur=(None, 2000), all=(None, 3036)),
    "few people called of a group, in no sum that tells": one(
        afr=(None, 36), eas=(None, 1000), eur=(900, 2000), all=(1500, 3036)
    ),
    "a group too small to show": one(afr=(None, None), **BIG, all=(1500, 3036)),
    "Y: a copy a carrier": {
        "variants": [variant(contig="chrY", afr=(30, 60), eas=(100, 500), eur=(200, 900), all=(330, 1460))]
    },
}


@pytest.mark.parametrize("name", GOOD)
def test_nothing_follows_from_a_good_release(attack: Attack, name: str) -> None:
    assert attack(GOOD[name]).derived == []


GOOD_PAIRS = {
    "nobody came": two(
        {"afr": (100, 400), **BIG, "all": (1600, 3400)},
        {"afr": (100, 400), **BIG, "all": (1600, 3400)},
        (200, 200),
    ),
    "many copies came, and many of ref": two(
        {"afr": (100, 400), **BIG, "all": (1600, 3400)},
        {"afr": (150, 500), **BIG, "all": (1650, 3500)},
        (200, 250),
    ),
    "none of alt came": two(
        {"afr": (100, 400), **BIG, "all": (1600, 3400)},
        {"afr": (100, 500), **BIG, "all": (1600, 3500)},
        (200, 250),
    ),
    "a withheld cell stays so, and so does its partner": two(
        {"afr": (None, 400), "eas": (None, 1000), "eur": (900, 2000), "all": (1515, 3400)},
        {"afr": (None, 500), "eas": (None, 1000), "eur": (900, 2000), "all": (1565, 3500)},
        (200, 250),
    ),
}


@pytest.mark.parametrize("name", sorted(GOOD_PAIRS))
def test_nothing_follows_from_a_good_pair(attack: Attack, name: str) -> None:
    found_in_it = attack(*GOOD_PAIRS[name]).derived
    assert found_in_it == []


def test_of_many_releases_the_last_is_solved_with_each_older_one(attack: Attack) -> None:
    """The first of five shows the partner of what the last withholds."""
    hidden = {"afr": (None, 400), "eas": (None, 1000), "eur": (None, 2000), "all": (None, 3400)}
    first = {"afr": (None, 400), "eas": (600, 1000), "eur": (900, 2000), "all": (None, 3400)}
    last = {"afr": (None, 460), "eas": (None, 1000), "eur": (900, 2000), "all": (1515, 3460)}
    between = [two(hidden, hidden, (size, size))[0] for size in (221, 242, 263)]
    releases = [two(first, first, (200, 200))[0], *between, two(last, last, (300, 300))[0]]
    assert ("carriers", ("afr",), 8, 15) in found(attack(*releases))


def shown_test(ancestry: str, **cells: Any) -> dict[str, Any]:
    """A row of associations of the variant of ``one``."""
    key = {"scan": "s", "phenotype_id": "p", "contig": "chr1", "position": 100, "ref": "A", "alt": "G"}
    return key | {"ancestry": ancestry, "beta": 0.1, "test": "linear"} | cells


# 60 copies are in the two withheld groups.
TWO = one(afr=(None, 400), eas=(None, 1000), eur=(900, 2000), all=(960, 3400))
BINARY = [{"phenotype_id": "p", "kind": "binary", "ancestry": "all", "n_cases": 200, "n_controls": 2000}]
TESTS: dict[str, tuple[dict[str, Any], int | None]] = {
    "of a quantitative phenotype: 21 copies at the least": ({"associations": [shown_test("eas")]}, None),
    "of a binary one: 42, by its test": ({"associations": [shown_test("eas", test="score")]}, 18),
    "by its cases": ({"associations": [shown_test("eas", n_cases=200)]}, 18),
    "by phenotypes": ({"associations": [shown_test("eas")], "phenotypes": BINARY}, 18),
    "of a meta-analysis": (
        {"meta_associations": [shown_test("x", test="score", ancestries=["eas", "eur"])]},
        18,
    ),
    "of a replication": ({"replications": [shown_test("eas", odds_ratio=1.2)]}, 18),
    "of a replication that is withheld": (
        {"replications": [shown_test("eas", odds_ratio=None, is_withheld=True)]},
        None,
    ),
    "of the other variant": ({"associations": [shown_test("eas", test="score", position=1)]}, None),
    "of a group that is shown": ({"associations": [shown_test("eur", test="score")]}, None),
}


@pytest.mark.parametrize("name", TESTS)
def test_a_test_that_is_shown_takes_copies_from_the_cell_beside_its_own(attack: Attack, name: str) -> None:
    """Of 60 copies, 42 of eas leave afr 1 to 18; 21 leave it up to 39."""
    tables, most = TESTS[name]
    derived = found(attack(TWO | tables))
    assert derived == (set() if most is None else {("carriers", ("afr",), 1, most)})


def test_a_test_that_is_shown_tells_of_copies_of_ref_likewise(attack: Attack) -> None:
    """Of 60 copies of ref that are hidden, 42 of eas leave afr 1 to 18."""
    tables = one(afr=(None, 400), eas=(None, 1000), eur=(900, 2000), all=(2240, 3400))
    assert found(attack(tables)) == set()
    assert found(attack(tables | {"associations": [shown_test("eas", test="score")]})) == {
        ("carriers of ref", ("afr",), 1, 18)
    }


def test_tests_on_x_are_not_used_as_they_may_count_one_copy_twice(attack: Attack) -> None:
    cells = {"afr": (None, 400), "eas": (None, 1000), "eur": (900, 2000), "all": (960, 3400)}
    tables = {"variants": [ZERO, variant(contig="chrX", **cells)]}
    rows = [shown_test("eas", test="score", contig="chrX")]
    assert found(attack(tables | {"associations": rows})) == set()
