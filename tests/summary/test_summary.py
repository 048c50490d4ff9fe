"""``variant_summary`` and what ``allofus summary`` prints, against counts made in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyspark.sql import SparkSession

from allofus_spark.cli import main
from allofus_spark.errors import BadSource
from allofus_spark.settings import load_settings
from allofus_spark.summary import Summary, summarise_variants
from allofus_spark.summary.cells import frequency_classes
from allofus_spark.tables import (
    CATALOGUE_SETS,
    CONSEQUENCES,
    NOVELTY,
    VARIANT_SUMMARY,
    Warehouse,
    allele_frequencies,
)
from tests.variant_tables import GROUPS, Allele, make_warehouse, random_alleles

ALLELES = random_alleles(seed=5, n=300)
BOUNDS = (0.001, 0.01)
COUNTS = (
    *("n_variants", "n_reported", "n_known_site_new_allele", "n_unreported"),
    *("n_not_assessable", "n_not_flagged", "n_coding", "n_new_coding"),
)


@pytest.fixture(scope="module")
def alleles_held(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root = str(tmp_path_factory.mktemp("summary") / "w")
    return make_warehouse(spark, root, ALLELES, summary__frequency_bounds=f"{list(BOUNDS)}")


@pytest.fixture(scope="module")
def summary(alleles_held: Warehouse) -> Summary:
    return summarise_variants(alleles_held)


def plain_class(ac: int, af: float) -> str:
    if ac == 1:
        return "singleton"
    return "<0.001" if af < 0.001 else "0.001-0.01" if af < 0.01 else ">=0.01"


def plain_counts(alleles: list[Allele], *, passing_only: bool) -> dict[tuple[str, str, str], Counter[str]]:
    counts: dict[tuple[str, str, str], Counter[str]] = {}
    for allele in alleles:
        status = allele.status or "not_flagged"
        new_coding = allele.coding and status in ("known_site_new_allele", "unreported")
        tally = {"n_variants": 1, f"n_{status}": 1, "n_coding": allele.coding, "n_new_coding": new_coding}
        for ancestry in ("all", *GROUPS):
            frequency = allele.frequency("overall" if ancestry == "all" else ancestry)
            if not frequency["ac"]:
                continue
            places = [("filter", "passing" if allele.passes else "filtered")]
            if allele.passes or not passing_only:
                places += [("all", "all"), ("type", allele.kind), ("consequence", allele.term)]
                places += [("frequency", plain_class(frequency["ac"], frequency["af"]))]
            for place in places:
                counts.setdefault((ancestry, *place), Counter()).update(tally)
    return counts


def counts_of(summary: Summary) -> dict[tuple[str, str, str], Counter[str]]:
    """Rows that are not all zero; empty fields left out."""
    rows = {
        (row.ancestry, row.dimension, row.class_name): Counter({name: getattr(row, name) for name in COUNTS})
        for row in summary.rows
    }
    assert len(rows) == len(summary.rows)
    return {place: counts for place, counts in rows.items() if counts["n_variants"]}


def test_every_count_is_that_of_plain_python(summary: Summary) -> None:
    expected = plain_counts(ALLELES, passing_only=True)
    assert counts_of(summary) == expected
    assert {place[1:] for place in expected} >= {("frequency", name) for name in frequency_classes(BOUNDS)}
    assert summary.total.n_new == summary.total.n_unreported + summary.total.n_known_site_new_allele
    assert 0 < summary.total.n_new_coding < summary.total.n_new < summary.total.n_variants


def test_classes_of_a_dimension_add_up_and_every_ancestry_has_each(summary: Summary) -> None:
    for ancestry in ("all", *GROUPS):
        (total,) = summary.of("all", ancestry)
        for dimension in ("type", "consequence", "frequency"):
            rows = summary.of(dimension, ancestry)
            assert sum(row.n_variants for row in rows) == total.n_variants
            assert [row.class_name for row in rows] == [row.class_name for row in summary.of(dimension)]
        passing, filtered = summary.of("filter", ancestry)
        assert passing.n_variants == total.n_variants
        assert filtered.n_variants > 0


def test_a_recompute_gives_the_same_rows_and_leaves_those_of_other_sets(
    alleles_held: Warehouse, summary: Summary
) -> None:
    before = sorted(alleles_held.read(VARIANT_SUMMARY).collect())
    overrides = ["summary.catalogue_set=other", "summary.passing_only=false"]
    other = Warehouse(alleles_held.spark, load_settings(warehouse=alleles_held.root, overrides=overrides))
    all_sites = summarise_variants(other)
    assert all_sites.versions == {"clinvar": "1"}
    for row in all_sites.of("all"):
        assert row.n_not_flagged == row.n_variants == sum(n.n_variants for n in summary.of("filter"))
    again = summarise_variants(alleles_held)
    assert (again.rows, again.warnings) == (summary.rows, summary.warnings)
    after = alleles_held.read(VARIANT_SUMMARY)
    assert sorted(after.where("catalogue_set = 'default'").collect()) == before
    assert after.where("catalogue_set = 'other'").count() == len(all_sites.rows)


def test_what_was_not_computed_is_said_and_counted_apart(spark: SparkSession, tmp_path: Path) -> None:
    left_out = (NOVELTY, CONSEQUENCES, CATALOGUE_SETS)
    bare = summarise_variants(make_warehouse(spark, str(tmp_path / "w"), ALLELES[:20], left_out=left_out))
    assert [sentence.split(":")[0] for sentence in bare.warnings] == [
        "no novelty against catalogue set default computed",
        "no consequences by annotator csq computed",
    ]
    assert bare.total.n_not_flagged == bare.total.n_variants > 0
    assert (bare.total.n_coding, bare.total.n_new_coding) == (None, None)
    assert [row.class_name for row in bare.of("consequence")] == ["not_annotated"]
    assert bare.versions == {}


def test_without_frequencies_nothing_is_counted(spark: SparkSession, tmp_path: Path) -> None:
    frequencies = allele_frequencies(GROUPS)
    warehouse = make_warehouse(spark, str(tmp_path / "w"), ALLELES[:2], left_out=[frequencies])
    with pytest.raises(BadSource, match="run allofus frequencies first"):
        summarise_variants(warehouse)


def test_the_screen_tells_the_three_numbers_first(
    alleles_held: Warehouse, summary: Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def opened(*_: object) -> Iterator[Warehouse]:
        yield alleles_held

    monkeypatch.setattr("allofus_spark.cli.summary.open_warehouse", opened)
    answer = CliRunner().invoke(main, ["summary"], catch_exceptions=False)
    lines = [line.split() for line in answer.stdout.splitlines() if line.strip()]
    total = summary.total
    assert lines[0] == ["Variants", str(total.n_variants)]
    assert lines[1][:3] == ["Previously", "unreported", str(total.n_new)]
    assert lines[2][-3] == str(total.n_unreported)
    assert lines[3][-3] == str(total.n_known_site_new_allele)
    assert lines[4][-3] == str(total.n_new_coding)
    assert "dbsnp 156, gnomad 4.1" in answer.stdout
    assert f"{total.n_not_assessable} not assessable" in answer.stdout
    for heading in ("By ancestry", "By type", "By most severe consequence", "By allele frequency"):
        assert heading in answer.stdout
    assert "█" in answer.stdout
