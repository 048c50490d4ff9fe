"""Rows of associations, replications and densities that may be shown."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from allofus_spark.release.associations import (
    meta_rows,
    releasable,
    replication_rows,
    summary_rows,
    with_sizes,
)
from allofus_spark.release.density import density_rows
from allofus_spark.settings import ReleaseSettings

RULES = ReleaseSettings()
ALLELE = ("chr1", 100, "A", "G")
EXEMPT = ("associations", "meta_associations", "association_summaries", "replications", "ancestry_density")


@pytest.fixture(scope="module")
def exempt() -> ReleaseSettings:
    return ReleaseSettings.model_validate(
        {
            "policy": dict.fromkeys(EXEMPT, "exempt"),
            "reason": dict.fromkeys(EXEMPT, "all of it is public"),
        }
    )


def summary(ancestry: str, n: int, n_cases: int | None, n_controls: int | None) -> Row:
    rest = {"kind": "binary", "status": "scanned", "n_tested": 9, "n_genome_wide": 0, "lambda_gc": 1.0}
    return Row(
        scan="s",
        phenotype_id="p",
        ancestry=ancestry,
        n=n,
        n_cases=n_cases,
        n_controls=n_controls,
        neg_log10_p_counts=[9],
        **rest,
    )


SUMMARIES = [
    summary("afr", 61, 9, 52),  # of 61 people at least 41 are controls: 20 cases at the most
    summary("eur", 500, 100, 400),
    summary("all", 561, 109, 452),
    summary("meta", 561, 109, 452),
]


def test_sample_sizes_are_withheld(exempt: ReleaseSettings) -> None:
    made = summary_rows(SUMMARIES, RULES)
    assert [(row["ancestry"], row["n"], row["n_cases"]) for row in made.rows] == [
        ("afr", None, None),
        ("all", None, None),
        ("eur", None, None),
        ("meta", None, None),
    ]
    assert made.withheld == {"sample_sizes": 4}
    assert {row["ancestry"]: row["n"] for row in summary_rows(SUMMARIES, exempt).rows} == {
        "afr": 61,
        "eur": 500,
        "all": 561,
        "meta": 561,
    }


def association(position: int, ancestry: str = "eur", **others: object) -> dict[str, object]:
    row: dict[str, object] = {
        "scan": "s",
        "phenotype_id": "p",
        "ancestry": ancestry,
        "contig": "chr1",
        "position": position,
        "ref": "A",
        "alt": "G",
        "status": "ok",
        "n": 500,
        "n_cases": 100,
        "n_controls": 400,
        "ac": 200,
        "an": 1000,
        "af": 0.2,
        "af_cases": 0.2,
        "af_controls": 0.2,
    }
    return {**row, **others}


ASSOCIATIONS = [
    association(1),
    association(2, status="too_rare"),
    association(3, af_cases=20 / 200),  # 20 copies among cases
    association(4, af_cases=21 / 200),
    association(5, af_cases=180 / 200),  # 20 of ref
    association(6, af_controls=20 / 800),
    association(7, ac=20),
    association(8, ac=980),
    association(9, ancestry="afr"),
    association(10, n_cases=None, n_controls=None, af_cases=None, af_controls=None),
    association(11, af_cases=None),
    # 24 of 200 if all are called; 40 alleles are not, maybe all of cases: 19 of 160.
    association(12, an=960, af_cases=24 / 200),
    association(1, ancestry="all"),
    association(13),  # enough copies; but the row would tell that they are enough
]
_TYPES = (
    "scan string, phenotype_id string, ancestry string, contig string, position int, ref string, alt string, "
    "status string, n int, n_cases int, n_controls int, ac long, an long, af double, af_cases double, "
    "af_controls double"
)


@pytest.fixture(scope="module")
def variants(spark: SparkSession) -> DataFrame:
    """What a release shows of the alleles: the allele counts of afr are withheld, and at 13 those of eur."""
    rows = [("chr1", position, "A", "G", ["afr", *["eur"] * (position == 13)]) for position in range(1, 14)]
    return spark.createDataFrame(
        rows, "contig string, position int, ref string, alt string, withheld array<string>"
    )


def test_tests_of_few_copies_are_withheld(
    spark: SparkSession, variants: DataFrame, exempt: ReleaseSettings
) -> None:
    frame = spark.createDataFrame([tuple(row.values()) for row in ASSOCIATIONS], _TYPES)
    shown = releasable(frame, variants, RULES)
    found = {(row.position, row.ancestry) for row in shown.collect()}
    assert found == {(1, "eur"), (4, "eur"), (10, "eur"), (1, "all")}
    assert {tuple(row) for row in with_sizes(shown, exact=False).select("n", "n_cases").collect()} == {
        (None, None)
    }
    everything = releasable(frame, variants, exempt)
    assert everything.count() == len(ASSOCIATIONS) - 1


def test_meta_analyses_need_each_of_their_ancestries(
    spark: SparkSession, variants: DataFrame, exempt: ReleaseSettings
) -> None:
    frame = spark.createDataFrame([tuple(row.values()) for row in ASSOCIATIONS], _TYPES)
    metas = spark.createDataFrame(
        [
            ("s", "p", "chr1", 1, "A", "G", ["eur"]),
            ("s", "p", "chr1", 9, "A", "G", ["afr"]),
            ("s", "p", "chr1", 4, "A", "G", ["afr", "eur"]),
        ],
        "scan string, phenotype_id string, contig string, position int, ref string, alt string, "
        "ancestries array<string>",
    )
    kept = meta_rows(metas, releasable(frame, variants, RULES), RULES)
    assert [row.position for row in kept.collect()] == [1]
    assert meta_rows(metas, frame, exempt).count() == 3


def test_known_associations_keep_their_rows_without_numbers(
    spark: SparkSession, variants: DataFrame, exempt: ReleaseSettings
) -> None:
    frame = spark.createDataFrame([tuple(row.values()) for row in ASSOCIATIONS], _TYPES)
    known = spark.createDataFrame(
        [
            ("s", "p", "eur", "chr1", position, "A", "G", status, ratio, ratio, ratio, ratio, *[is_seen] * 2)
            for position, status, ratio, is_seen in (
                (1, "tested", 1.5, True),
                (3, "tested", 2.5, True),
                (5, "not_tested", None, None),
                (99, "not_in_callset", None, None),
            )
        ],
        "scan string, phenotype_id string, ancestry string, contig string, position int, ref string, "
        "alt string, status string, odds_ratio double, lower95 double, upper95 double, neg_log10_p double, "
        "is_powered boolean, is_replicated boolean",
    )
    shown = releasable(frame, variants, RULES)
    rows = {row.position: row for row in replication_rows(known, shown, RULES).collect()}
    assert (rows[1].odds_ratio, rows[1].is_withheld) == (1.5, False)
    for hidden in (rows[3], rows[5]):  # whether an allele was common enough to be tested is hidden too
        assert (hidden.status, hidden.is_withheld, hidden.is_replicated) == ("withheld", True, None)
        assert (hidden.odds_ratio, hidden.neg_log10_p) == (None, None)
    assert (rows[99].odds_ratio, rows[99].is_withheld) == (None, False)
    open_rows = {row.position: row.odds_ratio for row in replication_rows(known, shown, exempt).collect()}
    assert open_rows == {1: 1.5, 3: 2.5, 5: None, 99: None}


def test_squares_of_few_people_are_not_drawn(spark: SparkSession, exempt: ReleaseSettings) -> None:
    rng = np.random.default_rng(4)
    scores = np.concatenate([rng.normal(0, 1, (3_000, 2)), rng.normal(8, 1, (1_500, 2)), [[40.0, 40.0]]])
    labels = ["afr"] * 3_000 + ["eur"] * 1_500 + [None]
    people = [("m", [float(x), float(y)], label) for (x, y), label in zip(scores, labels, strict=True)]
    people += [("other", [0.0, 0.0], "eur")] * 10 + [(None, None, "eur")]
    frame = spark.createDataFrame(people, "model_id string, pcs array<double>, ancestry string")
    made = density_rows(frame, RULES)
    assert {row["pcs"] for row in made.rows} == {"PC1-PC2"}, "there are two components"
    width = abs(
        made.rows[0]["x"] - next(r["x"] for r in made.rows if r["x_bin"] == made.rows[0]["x_bin"] + 1)
    )
    assert width in (0.1, 0.2, 0.5)
    drawn = 0
    for row in made.rows:
        inside = [
            label
            for (x, y), label in zip(scores, labels, strict=True)
            if abs(x - row["x"]) <= width / 2 and abs(y - row["y"]) <= width / 2
        ]
        assert len(inside) > 20
        assert row["n_participants"] == -(-len(inside) // 40) * 40
        assert row["ancestry"] in (None, "afr", "eur")
        drawn += len(inside)
    assert len(scores) - drawn > 20
    assert max(row["x"] for row in made.rows) < 20, "one person far away is not drawn"
    assert made.withheld["squares"] > 0
    every = density_rows(frame, exempt)
    assert sum(row["n_participants"] for row in every.rows) == len(scores)
