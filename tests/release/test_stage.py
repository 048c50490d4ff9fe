"""How a release is made, refused, and held against those before it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from allofus_spark.disclosure import verify_release
from allofus_spark.errors import BadSource, Disclosure
from allofus_spark.published import Manifest, table_files
from allofus_spark.release import Released, publish_release
from allofus_spark.release.cells import Counts
from allofus_spark.release.making import Making
from allofus_spark.release.products import write_variants
from allofus_spark.release.withhold import withhold
from allofus_spark.tables import PIPELINE_RUNS, Warehouse
from tests.release.brute_force import pages
from tests.release.cohorts import earlier_of
from tests.release.made_cohort import GROUPS, Cohort, Spy, cohort_warehouse, publish, random_cohort


class Told(NamedTuple):
    """A finding, as an attacker tells it."""

    product: str
    row: str

    def __str__(self) -> str:
        return f"seven carriers of {self.row}"


def name_of(row: dict) -> str:
    return f"{row['contig']}:{row['position']} {row['ref']}>{row['alt']}"


@pytest.fixture(scope="module")
def joined() -> Cohort:
    return random_cohort(11, 90, {"afr": 235, "amr": 100, "eur": 300, "oth": 0, None: 30})


@pytest.fixture(scope="module")
def first(joined: Cohort) -> Cohort:
    """The same before the last 35 of afr joined."""
    chosen = np.ones(len(joined.labels), bool)
    chosen[200:235] = False
    return joined.people(chosen)


@pytest.fixture(scope="module")
def before(spark: SparkSession, first: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return cohort_warehouse(spark, str(tmp_path_factory.mktemp("before") / "w"), first)


def rows_in(folder: Path, product: str = "variants") -> list[dict]:
    return [row for file in table_files(folder, product) for row in pq.read_table(file).to_pylist()]


def rows_of(released: Released, product: str = "variants") -> list[dict]:
    return rows_in(released.folder, product)


def test_a_release_is_made_once(before: Warehouse, tmp_path: Path) -> None:
    spy = Spy()
    made = publish_release(before, "v1", verify=spy, releases=str(tmp_path))
    manifest = (made.folder / "manifest.json").read_bytes()
    assert spy.asked == [(tmp_path / "v1", [])]
    with pytest.raises(BadSource, match=r"release v1 exists: .* Releases are never changed"):
        publish(before, "v1", tmp_path)
    assert (made.folder / "manifest.json").read_bytes() == manifest
    again = publish_release(before, "v2", verify=spy, releases=str(tmp_path))
    assert spy.asked[1] == (tmp_path / "v2", [tmp_path / "v1"])
    assert again.manifest.previous == ["v1"]
    # The same people: the same cells, byte for byte.
    assert rows_of(again) == rows_of(made)
    runs = [row for row in before.rows(PIPELINE_RUNS) if row.stage == "publish_release"]
    assert [row.status for row in runs[:3]] == ["finished", "failed", "finished"]
    assert runs[0].parameters is None, "a night does not release again"


def test_what_a_killed_attempt_left_is_removed(
    before: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    left = tmp_path / "v1" / "tables" / "variants"
    left.mkdir(parents=True)
    (left / "part-00000.parquet").write_bytes(b"half")
    made = publish(before, "v1", tmp_path)
    assert "removed what an attempt left that did not end" in caplog.text
    assert (left / "part-00000.parquet").read_bytes() != b"half"
    assert made.manifest.release == "v1"


def test_nothing_is_published_where_the_attacker_finds_something(before: Warehouse, tmp_path: Path) -> None:
    spy = Spy([Told("phenotypes", "250.2 afr")])
    said = r"v1 is not published: 1 counts of 1 to 20 people .*: seven carriers of 250\.2 afr"
    with pytest.raises(Disclosure, match=said):
        publish_release(before, "v1", verify=spy, releases=str(tmp_path))
    assert len(spy.asked) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_an_attacker_who_tells_of_ever_more_variants_is_asked_four_times(
    before: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He finds the variants withheld of which he told, and nothing is written after his last attack."""
    told: list[Told] = []
    written: list[int] = []

    def rewrite(making: Making) -> None:
        written.append(len(making.told_of))
        write_variants(making)

    def verify(folder: Path, earlier: Sequence[Path], manifest: Manifest) -> Spy:
        rows = {name_of(row): row for row in rows_in(folder)}
        assert all(rows[each.row]["all_ac"] is rows[each.row]["eur_ac"] is None for each in told)
        assert not (folder / "CHANGES.md").exists(), "described before it withstands"
        told.append(Told("variants", next(name for name, row in rows.items() if row["eur_ac"])))
        return Spy([told[-1]])

    monkeypatch.setattr("allofus_spark.release.stage.write_variants", rewrite)
    with pytest.raises(Disclosure, match="v1 is not published: 1 counts"):
        publish_release(before, "v1", verify=verify, releases=str(tmp_path))
    assert len({each.row for each in told}) == 4
    assert written == [1, 2, 3]
    assert list(tmp_path.iterdir()) == []


def test_variants_that_the_attacker_can_tell_of_are_withheld_whole(before: Warehouse, tmp_path: Path) -> None:
    """He names one variant of the first attempt, and nothing of the second."""
    found: list[Told] = []

    def verify(folder: Path, earlier: Sequence[Path], manifest: Manifest) -> Spy:
        if found:
            return Spy()
        found.append(Told("variants", next(name_of(row) for row in rows_in(folder) if row["afr_ac"])))
        return Spy(list(found))

    made = publish_release(before, "v1", verify=verify, releases=str(tmp_path))
    rows = {name_of(row): row for row in rows_of(made)}
    told = rows.pop(found[0].row)
    assert told["withheld"] == ["all", *GROUPS]
    assert told["all_ac"] is told["afr_af"] is told["eur_n_hom"] is told["max_af"] is None
    assert told["afr_an"] == 400
    assert any(row["afr_ac"] for row in rows.values())
    with gzip.open(made.folder / "tsv" / "variants.tsv.gz", "rt") as lines:
        assert len(list(lines)) == 1 + len(rows) + 1


@pytest.mark.parametrize("name", ["../v1", "v/1", "", ".v1", "v 1", "v1\n", "-v", "v" * 101, "ü"])
def test_names_that_are_no_folder_are_refused(before: Warehouse, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSource, match="letters, digits, dots"):
        publish(before, name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_release_into_a_store_is_refused(before: Warehouse) -> None:
    with pytest.raises(BadSource, match="written to and read from local or mounted folders"):
        publish_release(before, "v1", verify=Spy(), releases="s3a://bucket/releases")


@pytest.mark.long
def test_people_who_joined_move_cells_by_few(
    spark: SparkSession, before: Warehouse, joined: Cohort, tmp_path: Path
) -> None:
    then = {row["variant_id"]: row for row in rows_of(publish(before, "v1", tmp_path))}
    released = publish(cohort_warehouse(spark, str(tmp_path / "w"), joined), "v2", tmp_path)
    cells = {group: joined.cells(group) for group in ("all", *joined.groups)}
    places = {site: place for place, site in enumerate(joined.sites)}
    n_moved = n_withheld = 0
    for row in rows_of(released):
        place = places[row["contig"], row["position"], row["ref"], row["alt"]]
        past = then.get(row["variant_id"])
        for group in cells:
            before_ac = None if past is None else past[f"{group}_ac"]
            if before_ac is None:
                continue
            change = abs(int(cells[group]["ac"][place]) - before_ac)
            if 1 <= change <= 20:
                n_moved += 1
                assert row[f"{group}_ac"] is None
            n_withheld += row[f"{group}_ac"] is None
    assert n_moved > 10
    said = (released.folder / "CHANGES.md").read_text(encoding="utf-8")
    assert "Against release v1." in said
    assert "| afr | 200 | 235 |" in said
    assert "| all | 630 | 665 |" in said
    now = {row["variant_id"]: row for row in rows_of(released)}
    newly = sum(then[key]["all_ac"] is not None and now[key]["all_ac"] is None for key in then.keys() & now)
    gained = sum(then[key]["all_ac"] is None and now[key]["all_ac"] is not None for key in then.keys() & now)
    assert f"| all | {gained} | {newly} |" in said
    assert f"- {len(now.keys() - then)} added, {len(then.keys() - now)} gone" in said


@pytest.mark.parametrize(("group", "n"), [("afr", 1), ("eur", 20), (None, 7)])
def test_groups_that_changed_by_few_are_refused(
    spark: SparkSession, before: Warehouse, first: Cohort, tmp_path: Path, group: str | None, n: int
) -> None:
    publish(before, "v1", tmp_path)
    places = [place for place, label in enumerate(first.labels) if label == group]
    chosen = np.ones(len(first.labels), bool)
    chosen[places[:n]] = False
    after = cohort_warehouse(spark, str(tmp_path / "w"), first.people(chosen))
    name = group or "unlabelled"
    with pytest.raises(
        BadSource, match=rf"since release v1 groups changed by 1 to 20 people.*{name} by -{n}"
    ):
        publish(after, "v2", tmp_path)
    assert not (tmp_path / "v2").exists()


def test_too_few_people_are_no_release(spark: SparkSession, tmp_path: Path) -> None:
    few = random_cohort(1, 9, {"afr": 8, "amr": 0, "eur": 10, "oth": 0, None: 2})
    with pytest.raises(BadSource, match="all groups together are 20 people: too few"):
        publish(cohort_warehouse(spark, str(tmp_path / "w"), few), "v1", tmp_path)


def test_the_tables_are_withheld_as_the_kernel_says(before: Warehouse, first: Cohort, tmp_path: Path) -> None:
    """Through Spark, Parquet and an earlier release, as in memory."""
    publish(before, "v1", tmp_path)
    released = publish(before, "v2", tmp_path)
    cells = [first.cells(group) for group in ("all", *first.groups)]
    carried = cells[0]["ac"] > 0
    matrices = {
        name: np.stack([own[name] for own in cells], axis=1)[carried] for name in ("ac", "an", "n_hom")
    }
    diploid = np.array([site[0] != "chrM" for site in first.sites])[carried]
    counts = Counts(**matrices, diploid=diploid, people=matrices["an"][0] // 2)
    shown = withhold(counts, 20)
    assert (withhold(counts, 20, [earlier_of(counts, shown)]).ac == shown.ac).all()
    sites = [site for site, kept in zip(first.sites, carried, strict=True) if kept]
    rows = {(row["contig"], row["position"], row["ref"], row["alt"]): row for row in rows_of(released)}
    for site, page in zip(sites, pages(counts, shown), strict=True):
        row = rows[site]
        for name in ("ac", "an", "n_hom"):
            told = [row[f"{group}_{name}"] for group in ("all", *first.groups)]
            assert told == getattr(page, name)


def test_an_exempt_product_shows_all_and_says_why(spark: SparkSession, tmp_path: Path) -> None:
    """And the attacker, who derives more than he lists, stops nothing."""
    cohort = random_cohort(5, 700, {"afr": 200, "amr": 100, "eur": 300, "oth": 0, None: 30})
    reason = "release.reason.variants=genomes of a public reference, whose donors agreed"
    open_to_all = ("release.policy.variants=exempt", reason)
    exempt = cohort_warehouse(spark, str(tmp_path / "w"), cohort, *open_to_all)
    made = publish_release(exempt, "v1", verify=verify_release, releases=str(tmp_path))
    product = made.manifest.product("variants")
    assert (product.policy, product.withheld) == ("exempt", {})
    assert product.reason == "genomes of a public reference, whose donors agreed"
    assert all(row["withheld"] == [] and row["all_n_hom"] is not None for row in rows_of(made))
    said = json.loads((made.folder / "verification.json").read_text(encoding="utf-8"))
    assert (said["n_derived"], said["derived"]) == (0, [])
    assert said["n_exempt"] > len(said["exempt"]) == 1000


def test_products_that_a_policy_leaves_out(spark: SparkSession, first: Cohort, tmp_path: Path) -> None:
    policies = ("release.policy.rsids=leave_out", "release.policy.genes=leave_out")
    made = publish(cohort_warehouse(spark, str(tmp_path / "w"), first, *policies), "v1", tmp_path)
    assert made.left_out["rsids"] == "release.policy.rsids leaves it out"
    assert {product.name for product in made.manifest.products} == {"variants", "groups", "consequences"}
    assert not (made.folder / "tables" / "genes").exists()
