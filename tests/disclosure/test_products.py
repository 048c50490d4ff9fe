"""Known bad releases of the other products, beside good ones that are like them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from allofus_spark.disclosure import Verification, verify_release
from allofus_spark.published import read_manifest
from tests.disclosure.conftest import Attack
from tests.disclosure.folders import release, sizes, variant, write_manifest

Row = dict[str, Any]


def found(result: Verification) -> set[tuple[str, str, tuple[str, ...], int, int]]:
    """Product, quantity, groups and bounds of findings."""
    return {(f.product, f.quantity, f.groups, f.lo, f.hi) for f in result.derived}


def attacked(folder: Path) -> Verification:
    """The attack on a folder that is no whole release."""
    return verify_release(folder, manifest=read_manifest(folder))


def phenotype(ancestry: str, measured: int | None = None, mean: float | None = None, **cells: Any) -> Row:
    kind = "quantitative" if measured is not None or mean is not None else "binary"
    row = {"phenotype_id": "p", "kind": kind, "ancestry": ancestry, "n_cases": None, "n_controls": None}
    return row | {"n_measured": measured, "mean": mean, "sd": None} | cells


def square(x: int, people: int) -> Row:
    return {"pcs": "PC1-PC2", "x_bin": x, "y_bin": 0, "x": 0.5, "y": 0.5, "n_participants": people}


def person(
    people: str, answer: str, *counts: int | None, category: str = "sex", share: float | None = None
) -> Row:
    names = ("n_people", "n_under_represented", "n_not", "n_unknown")
    row = {"definitions_version": "1", "people": people, "category": category, "answer": answer}
    return row | dict(zip(names, counts, strict=True)) | {"share_under_represented": share}


def association(**cells: Any) -> Row:
    key = {
        "scan": "s",
        "phenotype_id": "p",
        "ancestry": "eur",
        "contig": "chr1",
        "position": 5,
        "ref": "A",
        "alt": "C",
    }
    return key | {"beta": 0.1} | cells


def scanned(ancestry: str, n: int, n_cases: int | None = None) -> Row:
    return {
        "scan": "s",
        "phenotype_id": "p",
        "ancestry": ancestry,
        "n": n,
        "n_cases": n_cases,
        "n_controls": None,
    }


BAD: dict[str, tuple[dict[str, list[Row]], tuple[str, str, tuple[str, ...], int, int]]] = {
    "size of a group as all minus the others": (
        {"groups": sizes(afr=None, eas=100, eur=300, unlabelled=30, all=445)},
        ("groups", "participants", ("afr",), 15, 15),
    ),
    "sizes of two groups together": (
        {"groups": sizes(afr=None, eas=None, eur=300, unlabelled=30, all=349)},
        ("groups", "participants", ("afr", "eas"), 19, 19),
    ),
    "two hidden groups, and alleles called of one": (
        {
            "groups": sizes(afr=None, eas=None, eur=300, unlabelled=0, all=415),
            "variants": [variant(afr=(None, None), eas=(100, 200), eur=(100, 600), all=(230, 830))],
        },
        ("groups", "participants", ("afr",), 15, 15),
    ),
    "cases of one ancestry as all minus the others": (
        {
            "phenotypes": [
                phenotype("all", n_cases=512),
                phenotype("afr", n_cases=None),
                phenotype("eur", n_cases=500),
            ]
        },
        ("phenotypes", "cases", ("afr",), 12, 12),
    ),
    "counts rounded up to 20s": (
        {
            "phenotypes": [
                phenotype("all", n_cases=520),
                phenotype("afr", n_cases=20),
                phenotype("eur", n_cases=500),
            ]
        },
        ("phenotypes", "cases", ("afr",), 20, 20),
    ),
    "people of a group who are no cases": (
        {
            "groups": sizes(afr=300, eur=700, unlabelled=0, all=1000),
            "phenotypes": [
                phenotype("all", n_cases=700),
                phenotype("afr", n_cases=291),
                phenotype("eur", n_cases=409),
            ],
        },
        ("phenotypes", "not cases", ("afr",), 9, 9),
    ),
    "people of a group who are neither cases nor controls": (
        {
            "groups": sizes(afr=300, eur=700, unlabelled=0, all=1000),
            "phenotypes": [phenotype("afr", n_cases=121, n_controls=162)],
        },
        ("phenotypes", "neither cases nor controls", ("afr",), 17, 17),
    ),
    "a mean that follows for few": (
        {
            "phenotypes": [
                phenotype("all", 411, 5.25),
                phenotype("afr", kind="quantitative"),
                phenotype("eur", 400, 5.2),
            ]
        },
        ("phenotypes", "measured, whose mean follows", ("afr",), 11, 11),
    ),
    "counts solved by means: 253 and 100 make 103": (
        {
            "phenotypes": [
                phenotype("all", 511, 103.0),
                phenotype("afr", None, 253.0),
                phenotype("eur", None, 100.0),
            ]
        },
        ("phenotypes", "measured", ("afr",), 7, 13),
    ),
    "carriers among cases by their frequency": (
        {"associations": [association(n=1001, n_cases=150, n_controls=851, af_cases=0.04)]},
        ("associations", "carriers of alt", ("cases",), 6, 13),
    ),
    "carriers among rounded cases": (
        {"associations": [association(n=1000, n_cases=80, n_controls=920, af_cases=0.0625)]},
        ("associations", "carriers of alt", ("cases",), 3, 10),
    ),
    "people in no ancestry of a scan": (
        {"association_summaries": [scanned("all", 1007), scanned("eur", 700), scanned("afr", 300)]},
        ("association_summaries", "analysed", ("all",), 7, 7),
    ),
    "cases not analysed": (
        {
            "phenotypes": [phenotype("all", n_cases=133), phenotype("eur", n_cases=133)],
            "association_summaries": [scanned("eur", 700, 121)],
        },
        ("association_summaries", "cases", ("eur",), 12, 12),
    ),
    "representation: all minus parts": (
        {"representation": [person("all", "all", 501, 300, None, 190)]},
        ("representation", "not", ("all", "all"), 11, 11),
    ),
    "representation: people without genomes": (
        {
            "representation": [
                person("all", "all", 501, 300, 101, 100),
                person("with_genomes", "all", 490, 299, 99, 92),
            ]
        },
        ("representation", "people", ("without genomes", "all"), 11, 11),
    ),
    "representation: a share of the true counts": (
        {"representation": [person("all", "all", 280, 40, 240, 0, share=0.0476)]},
        ("representation", "under-represented", ("all", "all"), 12, 12),
    ),
    "squares that are not drawn": (
        {
            "groups": sizes(afr=100, eur=300, unlabelled=0, all=400),
            "ancestry_density": [square(0, 101), square(1, 290)],
        },
        ("ancestry_density", "people", ("squares that are not drawn",), 9, 9),
    ),
    "researchers of the months that are not shown": (
        {
            "access_times": [
                {"step": "x", "month": "all", "n_researchers": 91, "median_hours": 3.0},
                {"step": "x", "month": "2026-01", "n_researchers": 81, "median_hours": 3.0},
            ]
        },
        ("access_times", "people", ("months that are not shown",), 10, 10),
    ),
    "a column that counts few people, in a product nobody knows": (
        {"cohort": [{"site": "x", "n_people": 7}]},
        ("cohort", "n_people", ("as published",), 7, 7),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_release_is_broken(attack: Attack, name: str) -> None:
    tables, expected = BAD[name]
    assert expected in found(attack(tables))


def test_two_releases_that_differ_by_five_people(attack: Attack) -> None:
    before, after = sizes(afr=100, eur=300, all=400), sizes(afr=105, eur=300, all=405)
    assert ("groups", "participants more or fewer", ("afr",), 5, 5) in found(
        attack({"groups": before}, {"groups": after})
    )


def test_a_group_that_one_release_hides_grew_by_five(attack: Attack) -> None:
    before, after = sizes(afr=None, eas=None, eur=300, all=500), sizes(afr=100, eas=None, eur=300, all=505)
    assert ("groups", "participants more or fewer", ("afr", "eas"), 5, 5) in found(
        attack({"groups": before}, {"groups": after})
    )


def test_cases_of_two_releases_that_differ_by_few(attack: Attack) -> None:
    before, after = [phenotype("all", n_cases=501)], [phenotype("all", n_cases=508)]
    assert ("phenotypes", "n_cases more or fewer", ("as published",), 7, 7) in found(
        attack({"phenotypes": before}, {"phenotypes": after})
    )


def test_rounded_cases_of_two_releases_tell_of_no_change(attack: Attack) -> None:
    before, after = [phenotype("all", n_cases=480)], [phenotype("all", n_cases=520)]
    assert attack({"phenotypes": before}, {"phenotypes": after}).derived == []


GOOD: dict[str, dict[str, list[Row]]] = {
    "sizes, two hidden, many in them": {
        "groups": sizes(afr=None, eas=None, eur=300, unlabelled=30, all=450),
        "variants": [variant(afr=(None, None), eas=(None, None), eur=(100, 600), all=(250, 900))],
    },
    "rounded counts": {
        "groups": sizes(afr=119, eur=300, unlabelled=0, all=419),
        "phenotypes": [
            phenotype("all", n_cases=120, n_controls=280),
            phenotype("afr", n_cases=40, n_controls=80),
            phenotype("eur", n_cases=120, n_controls=200),
            phenotype("unlabelled", n_cases=0, n_controls=0),
            phenotype("no_genome", n_cases=40, n_controls=40),
        ],
        "associations": [association(n=280, n_cases=80, n_controls=200)],
        "association_summaries": [scanned("all", 280, 120), scanned("eur", 240, 80)],
        "ancestry_density": [square(0, 120), square(1, 240)],
        "access_times": [
            {"step": "x", "month": "all", "n_researchers": 120, "median_hours": 3.0},
            {"step": "x", "month": "2026-01", "n_researchers": 80, "median_hours": 3.0},
        ],
        "representation": [
            person("all", "all", 440, 200, 240, 40, share=200 / 440),
            person("with_genomes", "all", 440, 200, 240, 40, share=200 / 440),
            person("all", "she", 240, 120, 120, 0, share=0.5),
        ],
        "variant_counts": [{"class": "snv", "n_variants": 3, "n_coding": 1}],
    },
    "means": {
        "phenotypes": [phenotype("all", 440, 5.25), phenotype("afr", 40, 5.5), phenotype("eur", 400, 5.2)]
    },
    "means of all but a group of many": {
        "phenotypes": [phenotype("all", 480, 5.25), phenotype("afr", 0), phenotype("eur", 400, 5.2)]
    },
}


@pytest.mark.parametrize("name", GOOD)
def test_nothing_follows_from_a_good_release(attack: Attack, name: str) -> None:
    assert attack(GOOD[name]).derived == []


ROW = variant(afr=(None, 400), eas=(600, 1000), eur=(900, 2000), all=(None, 3400))
GROUPS = ("afr", "eas", "eur")


def copies(folder: Path, afr: str) -> Path:
    """A release whose TSV and VCF show ``afr`` as AC of afr, which its table withholds."""
    made = release(folder, {"variants": [ROW]})
    (made / "tsv").mkdir()
    names = list(ROW)
    cells = [afr if name == "afr_ac" else "" if ROW[name] is None else str(ROW[name]) for name in names]
    (made / "tsv" / "variants.tsv.gz").write_bytes(
        gzip.compress("\t".join(names).encode() + b"\n") + gzip.compress("\t".join(cells).encode() + b"\n")
    )
    (made / "vcf").mkdir()
    fields = {"AC_eas": 600, "AN_afr": 400} | ({"AC_afr": afr} if afr else {})
    lines = [
        "##fileformat=VCFv4.3",
        *(f'##INFO=<ID={name},Number=A,Type=Integer,Description="x">' for name in fields),
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
        "chr1\t100\t.\tA\tG\t.\tPASS\t" + ";".join(f"{name}={value}" for name, value in fields.items()),
    ]
    (made / "vcf" / "variants.vcf.gz").write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    return made


def test_what_tsv_and_vcf_show_and_the_table_withholds(tmp_path: Path) -> None:
    result = attacked(copies(tmp_path / "v1", "9"))
    assert {(f.row.split()[0], f.quantity, f.lo) for f in result.derived} == {
        ("variants.tsv.gz", "afr_ac", 9),
        ("variants.vcf.gz", "afr_ac", 9),
    }
    assert result.tried["variants"]["cells of the VCF"] == 3


def test_copies_that_show_what_the_table_shows(tmp_path: Path) -> None:
    assert attacked(copies(tmp_path / "v1", "")).derived == []


def counted(ancestry: str, name: str, number: int, dimension: str = "frequency") -> Row:
    return {"ancestry": ancestry, "dimension": dimension, "class": name, "n_variants": number}


WITHHELD = [variant(place, afr=(None, 400), eas=(600, 1000), all=(None, 3400)) for place in range(1, 6)]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([counted("afr", "singleton", 5), counted("all", "singleton", 4)], {"afr"}),
        ([counted("afr", "singleton", 6)], {"afr"}),
        ([counted("afr", "singleton", 4), counted("eas", "singleton", 3)], set()),
        ([counted("afr", "0.01-0.05", 5), counted("afr", "snv", 5, "type")], set()),
    ],
)
def test_as_many_singletons_as_withheld_cells(attack: Attack, rows: list[Row], told: set[str]) -> None:
    """Five cells of afr, and of all, are withheld, and none of eas."""
    result = attack({"variants": WITHHELD, "variant_counts": rows})
    assert {f.groups[0] for f in result.derived if f.row == "all that are withheld"} == told


def test_the_result_as_json_has_every_finding_counted(attack: Attack) -> None:
    rows = [{"site": str(place), "n_people": 7} for place in range(1500)]
    result = attack({"cohort": rows})
    read = json.loads(json.dumps(result.as_dict()))
    assert (read["n_derived"], len(read["derived"])) == (1500, 1000)
    assert read["tried"]["cohort"] == {"cells looked at": 1500}


def test_findings_of_exempt_products_are_apart_and_take_no_room(tmp_path: Path) -> None:
    rows = [{"site": str(place), "n_people": 7} for place in range(1500)]
    small = [variant(place, afr=(3, 400), all=(3003, 6000)) for place in range(1, 1501)]
    folder = release(tmp_path / "v1", {"cohort": rows, "variants": small, "months": rows[:2]})
    write_manifest(folder, exempt=("cohort", "variants"))
    result = attacked(folder)
    assert {finding.product for finding in result.derived} == {"months"}
    assert result.n_derived == 2
    read = json.loads(json.dumps(result.as_dict()))
    # At the least 1,500 numbers in the one, and 1,500 carriers in the other.
    assert read["n_exempt"] >= 3000
    assert len(read["exempt"]) == 1000
    assert {finding["product"] for finding in read["exempt"]} <= {"cohort", "variants"}
    write_manifest(folder, exempt=("cohort",))
    of_variants = attacked(folder)
    assert of_variants.n_exempt == 1500
    assert of_variants.n_derived == 2 + result.n_exempt - 1500
