"""Every allele gets the status that plain Python gives it, and only what changed is flagged anew."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from allofus_spark.errors import BadSource
from allofus_spark.novelty import flag_novelty
from allofus_spark.settings import load_settings
from allofus_spark.tables import CATALOGUE_SETS, NOVELTY, NOVELTY_HISTORY, Warehouse, partitions_predicate
from tests.novelty.filled import (
    FASTA,
    LENGTH,
    OTHER_FASTA,
    Allele,
    Cohort,
    Known,
    plain_statuses,
    put_cohort,
    put_known,
    statuses,
)

ODD: list[Allele] = [
    ("chr1", 5_000, "A", "<DEL>"),
    ("chr1", 5_001, "A", "A[chr2:10["),
    ("chr1", 5_002, "N", "A"),
    ("chr1", 5_003, "AR", "A"),
    ("chr1", 5_004, "ACGT", "TGCA"),
    ("chr3", 10, "A", "C"),
    ("chr1", 999_999, "A", "AT" * 400),
]


def random_alleles(rng: random.Random, number: int) -> list[Allele]:
    """Distinct alleles, many of them at few positions."""
    shapes = [("A", "C"), ("A", "G"), ("A", "AT"), ("A", "ATT"), ("AT", "A"), ("AC", "GT"), ("ACT", "GG")]
    alleles: dict[Allele, None] = {}
    while len(alleles) < number:
        position = rng.randrange(1, 60) if rng.random() < 0.5 else rng.randrange(1, 5_000)
        alleles[(rng.choice(["chr1", "chr2"]), position, *rng.choice(shapes))] = None
    return list(alleles)


def random_world(seed: int) -> tuple[Cohort, list[Known]]:
    rng = random.Random(seed)
    pool = random_alleles(rng, 800)
    callsets = {"c1": FASTA, "c2": None, "c3": OTHER_FASTA}
    cohort = Cohort(
        {allele: rng.choice(list(callsets)) for allele in [*rng.sample(pool, 400), *ODD]}, callsets
    )
    catalogues = [
        Known("all", "1", {allele: f"rs{place}" for place, allele in enumerate(rng.sample(pool, 400))}),
        Known("part", "7", dict.fromkeys(rng.sample(pool, 200)), (("chr1", 100, 900), ("chr1", 1500, 3000))),
        Known("unaligned", "x", dict.fromkeys(rng.sample(pool, 100), "id"), normalised_with=None),
    ]
    return cohort, catalogues


@pytest.fixture(params=["local", pytest.param("elsewhere", marks=pytest.mark.long)])
def either(request: pytest.FixtureRequest, warehouse: Warehouse) -> Warehouse:
    """A warehouse whose files tasks open themselves, and one whose files Spark alone reads."""
    if request.param == "elsewhere":
        warehouse.__dict__["local_root"] = None
    return warehouse


COHORT, CATALOGUES = random_world(1)


@pytest.fixture(scope="module")
def flagged(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Warehouse, dict[str, int]]:
    """A warehouse with one set of catalogues flagged, and what the run counted."""
    root = str(tmp_path_factory.mktemp("flagged") / "w")
    held = Warehouse(spark, load_settings(warehouse=root))
    put_cohort(held, COHORT)
    put_known(held, *CATALOGUES)
    return held, flag_novelty(held)


def test_every_allele_gets_the_status_that_plain_python_gives_it(
    flagged: tuple[Warehouse, dict[str, int]],
) -> None:
    held, counters = flagged
    expected = plain_statuses(COHORT, CATALOGUES)
    assert statuses(held) == expected
    kinds = [status for status, *_ in expected.values()]
    assert {name: kinds.count(name) for name in set(kinds)} == {
        name.removeprefix("alleles_"): count
        for name, count in counters.items()
        if name.startswith("alleles_")
    }
    reasons = {reason for _, reason, *_ in expected.values()}
    assert reasons == {None, "symbolic", "breakend", "ambiguous_base", "not_covered", "not_aligned"}


def test_nothing_is_written_where_nothing_changed(flagged: tuple[Warehouse, dict[str, int]]) -> None:
    held, _ = flagged
    before = held.snapshot()
    DeltaTable.forPath(held.spark, held.path(NOVELTY)).optimize().executeCompaction()
    counters = flag_novelty(held)
    assert counters["partitions_flagged"] == 0 < counters["partitions"]
    assert held.snapshot() == before


def test_a_set_of_chosen_catalogues_stands_beside(flagged: tuple[Warehouse, dict[str, int]]) -> None:
    held, _ = flagged
    flag_novelty(held, catalogue_set="one", catalogues={"part": "7"})
    assert statuses(held, "one") == plain_statuses(COHORT, CATALOGUES[1:2])
    assert statuses(held) == plain_statuses(COHORT, CATALOGUES)


def test_the_newest_version_of_each_catalogue_is_taken(warehouse: Warehouse) -> None:
    allele: Allele = ("chr1", 5, "A", "C")
    put_cohort(warehouse, Cohort({allele: "c1"}))
    put_known(
        warehouse,
        Known("k", "9", {allele: "old"}, date=dt.date(2020, 1, 1)),
        Known("k", "10", {allele: "new"}, date=dt.date(2021, 1, 1)),
    )
    flag_novelty(warehouse)
    assert statuses(warehouse)[allele][2] == {"k": "new"}
    flag_novelty(warehouse, catalogues={"k": "9"})
    assert statuses(warehouse)[allele][2] == {"k": "old"}
    revisions = [(row.revision, row.versions) for row in warehouse.rows(CATALOGUE_SETS)]
    assert sorted(revisions) == [(1, {"k": "10"}), (2, {"k": "9"})]


@pytest.fixture
def second(spark: SparkSession, tmp_path: Path) -> Warehouse:
    return Warehouse(spark, load_settings(warehouse=str(tmp_path / "second")))


def test_the_increment_equals_a_recompute_from_nothing(either: Warehouse, second: Warehouse) -> None:
    cohort, catalogues = random_world(4)
    put_cohort(either, cohort)
    put_known(either, *catalogues)
    flag_novelty(either)
    before = statuses(either)
    # A version that differs on one stretch, and new alleles on another: bins are 1,000 bases wide.
    changed = {("chr2", 2_500, "A", "C"): "rs1", ("chr1", 2_100, "A", "G"): "rs2"}
    next_version = Known("all", "2", {**catalogues[0].alleles, **changed}, date=dt.date(2026, 2, 2))
    added = {("chr1", 7_001, "A", "C"): "c1", ("chr2", 2_500, "A", "C"): "c1", ("chr9", 1, "A", "C"): "c2"}
    more = Cohort({**cohort.alleles, **added}, cohort.aligned_with)
    for held in (either, second):
        put_cohort(held, more)
        put_known(held, next_version)
    put_known(second, *catalogues[1:])
    counters = flag_novelty(either)
    assert counters["partitions_flagged"] == 4
    flag_novelty(second)
    expected = plain_statuses(more, [next_version, *catalogues[1:]])
    assert statuses(either) == statuses(second) == expected
    history = {
        ((row.contig, row.position, row.ref, row.alt), row.from_status, row.to_status, row.revision)
        for row in either.live(NOVELTY_HISTORY).collect()
    }
    assert history == {
        (allele, status[0], expected[allele][0], 2)
        for allele, status in before.items()
        if status[0] != expected[allele][0]
    }
    assert counters["reclassified"] == len(history)


def test_history_says_what_a_version_reclassified(warehouse: Warehouse) -> None:
    alleles: list[Allele] = [("chr1", position, "A", "C") for position in (10, 20, 30)]
    put_cohort(warehouse, Cohort(dict.fromkeys(alleles, "c1")))
    put_known(warehouse, Known("k", "1", {alleles[0]: "a"}))
    flag_novelty(warehouse)
    put_known(warehouse, Known("k", "2", {alleles[1]: "b", ("chr1", 30, "A", "T"): "c"}))
    flag_novelty(warehouse)
    rows = warehouse.live(NOVELTY_HISTORY).orderBy("position").collect()
    assert [(row.revision, row.position, row.from_status, row.to_status) for row in rows] == [
        (2, 10, "reported", "unreported"),
        (2, 20, "unreported", "reported"),
        (2, 30, "unreported", "known_site_new_allele"),
    ]


def test_alleles_that_are_gone_leave(warehouse: Warehouse) -> None:
    alleles: list[Allele] = [("chr1", 10, "A", "C"), ("chr1", 11, "A", "C"), ("chr2", 10, "A", "C")]
    put_cohort(warehouse, Cohort(dict.fromkeys(alleles, "c1")))
    put_known(warehouse, Known("k", "1", {}))
    flag_novelty(warehouse)
    put_cohort(warehouse, Cohort({alleles[0]: "c1"}))
    flag_novelty(warehouse)
    assert list(statuses(warehouse)) == alleles[:1]


def test_the_alignment_of_a_callset_decides_over_indels(warehouse: Warehouse) -> None:
    indel: Allele = ("chr1", 10, "A", "AT")
    for fasta, status in (("old fasta", "not_assessable"), (FASTA, "unreported")):
        put_cohort(warehouse, Cohort({indel: "c1"}, {"c1": fasta}))
        put_known(warehouse, Known("k", "1", {}, (("chr1", 1, LENGTH),)))
        flag_novelty(warehouse)
        assert statuses(warehouse)[indel][0] == status


def test_new_coverage_of_the_same_files_is_a_revision_with_a_history(warehouse: Warehouse) -> None:
    allele: Allele = ("chr2", 10, "A", "C")
    put_cohort(warehouse, Cohort({allele: "c1"}))
    for contig in ("chr1", "chr2"):
        put_known(warehouse, Known("k", "1", {("chr1", 1, "A", "C"): None}, ((contig, 1, LENGTH),)))
        counters = flag_novelty(warehouse)
    assert counters["reclassified"] == 1
    (row,) = warehouse.live(NOVELTY_HISTORY).collect()
    assert (row.revision, row.from_status, row.to_status) == (2, "not_assessable", "unreported")


def test_a_callset_makes_only_its_own_partitions_stale(warehouse: Warehouse) -> None:
    alleles: dict[Allele, str] = {("chr1", 10, "A", "C"): "c1", ("chr2", 10, "A", "C"): "c1"}
    put_cohort(warehouse, Cohort(alleles))
    # Names of catalogues cannot stand in for other inputs.
    put_known(warehouse, Known("variants", "1", {}), Known("alignment", "1", {}))
    assert flag_novelty(warehouse)["partitions_flagged"] == 2
    more = Cohort({**alleles, ("chr1", 20, "A", "C"): "c2"}, {"c1": FASTA, "c2": OTHER_FASTA})
    put_cohort(warehouse, more)
    assert flag_novelty(warehouse)["partitions_flagged"] == 1
    assert len(statuses(warehouse)) == 3


def test_many_small_contigs_are_few_terms_of_a_condition() -> None:
    contigs = [f"chrUn_{number}" for number in range(3_000)]
    predicate = partitions_predicate([("chr1", 0), ("chr1", 1), *((name, 0) for name in contigs)])
    assert predicate.count(" OR ") == 1
    assert "(contig IN ('chr1') AND bin IN (0, 1))" in predicate
    assert partitions_predicate([]) == "false"


def test_what_is_not_there_is_named(warehouse: Warehouse) -> None:
    with pytest.raises(BadSource, match="no callset"):
        flag_novelty(warehouse)
    put_cohort(warehouse, Cohort({("chr1", 10, "A", "C"): "c1"}))
    with pytest.raises(BadSource, match="no catalogue of known variants; run ingest-catalogue"):
        flag_novelty(warehouse)
    put_known(warehouse, Known("k", "1", {}))
    with pytest.raises(BadSource, match="no such catalogue: k=2; there are: k=1"):
        flag_novelty(warehouse, catalogues={"k": "2"})
    with pytest.raises(BadSource, match="catalogue set 'a b'"):
        flag_novelty(warehouse, catalogue_set="a b")
    assert not warehouse.exists(NOVELTY)
