"""Classes of variants by frequency of which none holds alleles of few copies alone."""

from __future__ import annotations

from typing import Any

from allofus_spark.release.classes import merged_rare_classes

CLASSES = ("singleton", "<0.001", "0.001-0.01", "0.01-0.05", ">=0.05")


def rows(ancestry: str, counts: tuple[int, ...]) -> list[dict[str, Any]]:
    return [
        {"ancestry": ancestry, "dimension": "frequency", "class": name, "n_variants": n, "n_coding": None}
        for name, n in zip(CLASSES, counts, strict=True)
    ]


def found(sizes: dict[str, int], *given: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    merged = merged_rare_classes([row for each in given for row in each], sizes, 20)
    assert all(row["n_coding"] is None for row in merged)
    return {(row["ancestry"], row["class"]): row["n_variants"] for row in merged}


def test_classes_below_the_floor_are_one() -> None:
    # Of 1,100 people 0.01 is 22 copies; of 1,050 it is 21, which are not more than the floor and one.
    assert found({"afr": 1_100}, rows("afr", (1, 2, 4, 8, 16))) == {
        ("afr", "<0.01"): 7,
        ("afr", "0.01-0.05"): 8,
        ("afr", ">=0.05"): 16,
    }
    assert found({"afr": 1_050}, rows("afr", (1, 2, 4, 8, 16))) == {
        ("afr", "<0.05"): 15,
        ("afr", ">=0.05"): 16,
    }


def test_a_small_ancestry_has_no_classes_and_everybody_is_all() -> None:
    sizes = {"afr": 200, "eur": 2_000}
    merged = found(sizes, rows("afr", (1, 2, 4, 8, 16)), rows("all", (1, 2, 4, 8, 16)))
    assert merged == {("all", "<0.01"): 7, ("all", "0.01-0.05"): 8, ("all", ">=0.05"): 16}


def test_other_rows_stay() -> None:
    other = [{"ancestry": "afr", "dimension": "type", "class": "snv", "n_variants": 3, "n_coding": None}]
    assert found({"afr": 30}, other) == {("afr", "snv"): 3}
