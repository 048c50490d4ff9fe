"""The whole job: planted relatives, several callsets, whom it keeps, what it refuses, what it prints."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from pyspark.sql import SparkSession

from allofus_spark.cli import main
from allofus_spark.cli.options import clear_errors
from allofus_spark.cohort import active_samples
from allofus_spark.errors import BadSamples, BadSource
from allofus_spark.relatedness import Relatedness, compute_relatedness
from allofus_spark.relatedness.people import choose_people
from allofus_spark.relatedness.sites import sites_of_kinship, standard_error
from allofus_spark.tables import Warehouse, start_run
from allofus_spark.tables.relatedness_tables import DEGREES

from .cohorts import (
    Calls,
    ingest,
    new_warehouse,
    pairs_of,
    plain_pair,
    plain_pairs,
    unrelated_of,
    write_vcf,
)

CASE = "24_relatedness_replicates"
# Two callsets of 13 and 6 samples that lack sites of each other: everything counts, in blocks of 4.
ODD_SIZES = (13, 6)
ODD_SETTINGS = (
    "sites.min_call_rate=0.2",
    "relatedness.min_maf=0",
    "relatedness.min_kinship=0.02",
    "relatedness.block_samples=4",
)


@pytest.fixture(scope="module")
def replicates(cases: Path, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = new_warehouse(spark, tmp_path_factory.mktemp("case") / "w")
    ingest(warehouse, cases / CASE / "input.vcf", "c")
    return warehouse


def shuffled_vcf(source: Path, target: Path) -> Path:
    """The same samples in another order."""
    lines = source.read_text().splitlines()
    order = np.random.default_rng(0).permutation(12)
    with target.open("w") as out:
        for line in lines:
            fields = line.split("\t")
            if not line.startswith("##"):
                fields[9:] = [fields[9 + place] for place in order]
            out.write("\t".join(fields) + "\n")
    return target


def test_replicates_and_a_trio_are_found(replicates: Warehouse, cases: Path) -> None:
    answers = json.loads((cases / CASE / "expected.json").read_text())
    found = compute_relatedness(replicates)
    pairs = {"-".join(ids): row for ids, row in pairs_of(replicates).items()}
    duplicates = {name: row["kinship"] for name, row in pairs.items() if row["degree"] == "duplicate_or_twin"}
    assert duplicates == answers["duplicates"]
    first = {name: row["kinship"] for name, row in pairs.items() if row["degree"] == "first"}
    assert first == pytest.approx(answers["first_degree"], abs=1e-6)
    assert all(row["kinship"] < 0.0884 for name, row in pairs.items() if name not in {**duplicates, **first})
    assert len(found.kept) == answers["max_unrelated_set_size_at_0.0884"]
    assert {*answers["must_keep"]} < {*found.kept}
    assert not {*answers["must_drop"]} & {*found.kept}
    assert {*answers["keep_exactly_one_of"]} & {*found.kept} == {"R1"}
    rows = unrelated_of(replicates)
    assert sorted(name for name, row in rows.items() if row["is_kept"]) == list(found.kept)
    assert (rows["R3"]["reason"], rows["R3"]["relative_kept"]) == ("duplicate_of_kept", "R1")
    assert (rows["C1"]["reason"], rows["C1"]["relative_kept"]) == ("related_to_kept", "P2")
    assert rows["U1"]["n_relatives"] == 0
    assert rows["R2"]["n_relatives"] == 3
    page = Path(found.picture).read_text()
    assert found.picture.endswith("controlled/pictures/relatedness.html")
    assert "share of sites with IBS0" in page
    assert "duplicate or twin (6)" in page
    for degree, least in DEGREES.items():
        assert f"{degree.replace('_', ' ')}: from {least:g}" in page
    assert re.search('"y_range":.{0,80}"start":-0.02,"end":0.52', page)
    assert "Individual-level data." in page
    assert "@{sample_id_1} and @{sample_id_2}" in page  # which the browser escapes: no {safe}
    assert all(f'"{name}"' in page for name in ("R1", "C1"))


@pytest.mark.long
def test_the_order_of_samples_changes_nothing(
    replicates: Warehouse, cases: Path, spark: SparkSession, tmp_path: Path
) -> None:
    compute_relatedness(replicates)
    other = new_warehouse(spark, tmp_path / "w", "relatedness.block_samples=4", "spark.shuffle_partitions=3")
    ingest(other, shuffled_vcf(cases / CASE / "input.vcf", tmp_path / "shuffled.vcf"), "c")
    compute_relatedness(other)
    assert pairs_of(other) == pairs_of(replicates)
    without_place = [
        {name: {**row, "sample_index": 0} for name, row in unrelated_of(warehouse).items()}
        for warehouse in (other, replicates)
    ]
    assert without_place[0] == without_place[1]


def test_cases_are_kept_first(replicates: Warehouse) -> None:
    found = compute_relatedness(replicates, cases=["C1", "R4", "U1"])
    assert list(found.kept) == ["C1", "R4", "U1", "U2", "U3", "U4", "U5"]
    assert (found.counters["cases"], found.counters["cases_kept"]) == (3, 3)
    rows = unrelated_of(replicates)
    assert rows["P1"]["relative_kept"] == rows["P2"]["relative_kept"] == "C1"


def test_only_some_samples_count(replicates: Warehouse) -> None:
    found = compute_relatedness(replicates, sample_ids=["U4", "R3", "R2"])
    assert list(found.kept) == ["R2", "U4"]
    assert pairs_of(replicates).keys() == {("R2", "R3")}
    assert {name: row["sample_index"] for name, row in unrelated_of(replicates).items()} == {
        "R2": 6,
        "R3": 3,
        "U4": 10,
    }


def test_few_sites_are_warned_of(replicates: Warehouse, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        compute_relatedness(replicates, sample_ids=["U4", "R3"])
    assert "sites the kinship of unrelated people has a standard error of 0.0" in caplog.text


def test_the_standard_error_is_that_of_simulated_people() -> None:
    rng = np.random.default_rng(2)
    p = rng.uniform(0.02, 0.5, 2_000)
    calls = rng.binomial(2, p, (400, len(p)))
    kinship = [plain_pair(calls[at], calls[at + 1])["kinship"] for at in range(0, 400, 2)]
    sites = pa.table({"ac": np.rint(p * 10_000).astype(int), "an": np.full(len(p), 10_000)})
    assert standard_error(sites) == pytest.approx(np.std(kinship), rel=0.15)


def test_what_cannot_be_computed_is_refused(replicates: Warehouse, warehouse: Warehouse) -> None:
    with pytest.raises(BadSource, match="holds no callset; run ingest-genotypes first"):
        compute_relatedness(warehouse)
    with pytest.raises(BadSamples, match="kinship is of two samples or more; there are 1"):
        compute_relatedness(replicates, sample_ids=["U1"])
    with pytest.raises(BadSamples, match=r"1 of 2 sample ids are in no active callset: x"):
        compute_relatedness(replicates, sample_ids=["U1", "x"])
    with pytest.raises(BadSamples, match=r"2 of 3 sample ids are in no active callset: x, y"):
        compute_relatedness(replicates, cases=["y", "U1", "x"])


def test_without_a_common_site_there_is_no_kinship(warehouse: Warehouse, tmp_path: Path) -> None:
    ingest(warehouse, write_vcf(tmp_path / "c.vcf", ["a", "b"], np.zeros((3, 2), int), [1, 2, 3]), "c")
    with pytest.raises(BadSource, match="no site is left to tell people apart by"):
        compute_relatedness(warehouse)


@pytest.fixture(scope="module")
def odd(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, list[str], Calls]:
    """Callsets a and b with missing calls and sites of their own; all calls int8[sites, samples]."""
    folder = tmp_path_factory.mktemp("odd")
    rng = np.random.default_rng(5)
    warehouse = new_warehouse(spark, folder / "w", *ODD_SETTINGS)
    n_sites = 9_000
    calls = np.full((n_sites, sum(ODD_SIZES)), 3, np.int8)
    shared = rng.choice(4, (n_sites, 1), p=[0.4, 0.4, 0.15, 0.05])
    ids: list[str] = []
    for name, size, share in zip("ba", ODD_SIZES, (0.9, 0.6), strict=True):
        sites = np.flatnonzero(rng.random(n_sites) < share)
        own = rng.choice(4, (len(sites), size), p=[0.4, 0.4, 0.15, 0.05])
        own = np.where(rng.random(own.shape) < rng.random(size), shared[sites], own)
        calls[np.ix_(sites, np.arange(len(ids), len(ids) + size))] = own
        mine = [f"{name}{number}" for number in rng.permutation(size)]
        ingest(warehouse, write_vcf(folder / f"{name}.vcf", mine, own, (sites + 1).tolist()), name)
        ids += mine
    return warehouse, ids, calls


@pytest.mark.long
def test_callsets_are_counted_together(odd: tuple[Warehouse, list[str], Calls]) -> None:
    warehouse, ids, calls = odd
    found = compute_relatedness(warehouse, prefer_call_rate=True)
    with start_run(warehouse, "sites") as run:
        people = choose_people(active_samples(warehouse, run), None)
        sites = np.asarray(sites_of_kinship(run, people).column("position")) - 1
    assert len(sites) == found.counters["sites"] > 2 * 4_096
    pairs = pairs_of(warehouse)
    expected = plain_pairs(ids, calls[sites], 0.02)
    assert pairs.keys() == expected.keys()
    assert len(pairs) > 3
    for pair, values in expected.items():
        assert {name: pairs[pair][name] for name in values} == values
    rates = {name: row["call_rate"] for name, row in unrelated_of(warehouse).items()}
    assert rates == dict(zip(ids, (calls[sites] < 3).mean(axis=0).tolist(), strict=True))
    assert {row["callset_id"] for row in unrelated_of(warehouse).values()} == {"a", "b"}


def test_the_better_called_of_two_stays(spark: SparkSession, tmp_path: Path) -> None:
    warehouse = new_warehouse(spark, tmp_path / "w", "sites.min_call_rate=0.5")
    calls = np.random.default_rng(1).choice(3, (500, 3))
    calls[:, 1] = calls[:, 0]
    calls[:50, 0] = 3
    ingest(warehouse, write_vcf(tmp_path / "c.vcf", ["a", "b", "u"], calls, range(1, 501)), "c")
    assert list(compute_relatedness(warehouse).kept) == ["a", "u"]
    assert list(compute_relatedness(warehouse, prefer_call_rate=True).kept) == ["b", "u"]


@pytest.fixture(scope="module")
def families(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Warehouse, Relatedness, list[str]]:
    """Two populations, each with a family; people of both are spread over two callsets."""
    pytest.importorskip("msprime", reason="msprime is not installed: make test brings it")
    from .pedigree import simulate

    folder = tmp_path_factory.mktemp("families")
    warehouse = new_warehouse(spark, folder / "w", "relatedness.block_samples=16")
    cohort = simulate()
    for name, part in (("x", slice(0, 27)), ("y", slice(27, None))):
        ids = cohort.sample_ids[part]
        vcf = write_vcf(folder / f"{name}.vcf", ids, cohort.calls[:, part], cohort.positions)
        ingest(warehouse, vcf, name)
    return warehouse, compute_relatedness(warehouse), cohort.sample_ids


def degree_of(kinship: float) -> str | None:
    """The degree by pedigree, to the second; None: further apart."""
    near = {name: least for name, least in DEGREES.items() if name != "third"}
    return next((name for name, least in near.items() if kinship >= least), None)


def test_a_pedigree_is_recovered_to_second_degree(families: tuple[Warehouse, Relatedness, list[str]]) -> None:
    from .pedigree import expected_kinship

    warehouse, found, ids = families
    people = sorted(ids)
    expected = {
        (first, second): degree_of(expected_kinship(first, second))
        for place, first in enumerate(people)
        for second in people[place + 1 :]
    }
    expected = {pair: degree for pair, degree in expected.items() if degree is not None}
    degrees = {pair: row["degree"] for pair, row in pairs_of(warehouse).items()}
    assert {pair: degree for pair, degree in degrees.items() if degree != "third"} == expected
    sizes = [list(expected.values()).count(name) for name in ("duplicate_or_twin", "first", "second")]
    assert sizes == [2, 34, 28]
    assert [found.counters[f"pairs_{name}"] for name in ("duplicate_or_twin", "first", "second")] == sizes
    related = expected.keys()
    kept = set(found.kept)
    assert not [pair for pair in related if kept.issuperset(pair)]
    for name, row in unrelated_of(warehouse).items():
        if not row["is_kept"]:
            assert tuple(sorted((name, row["relative_kept"]))) in related
            assert row["relative_kept"] in kept


@pytest.fixture
def relatedness(replicates: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, in the warehouse of replicates."""

    @contextmanager
    def opened(*_: object) -> Iterator[Warehouse]:
        with clear_errors():
            yield replicates

    monkeypatch.setattr("allofus_spark.cli.relatedness.open_warehouse", opened)
    return lambda *options: CliRunner().invoke(main, ["relatedness", *options], catch_exceptions=False)


def test_the_command_prints_and_writes_what_it_found(
    relatedness: Callable[..., Result], tmp_path: Path
) -> None:
    out, cases = tmp_path / "unrelated.txt", tmp_path / "cases.txt"
    cases.write_text("C1\nR2\n")
    done = relatedness("--out", str(out), "--keep-cases", str(cases))
    assert done.exit_code == 0, done.output
    assert out.read_text().split() == ["C1", "R2", "U1", "U2", "U3", "U4", "U5"]
    assert "Duplicates or twins: R1 = R2, R1 = R3" in done.output
    assert "Unrelated set: 7 kept, 2 of 2 cases; 5 left out" in done.output
    assert "duplicate or twin" in done.output


def test_the_command_refuses_what_it_cannot_do(relatedness: Callable[..., Result], tmp_path: Path) -> None:
    nowhere = relatedness("--out", str(tmp_path / "no" / "x"))
    assert (nowhere.exit_code, "there is no folder" in nowhere.output) == (1, True)
    cases = tmp_path / "cases.txt"
    cases.write_text("nobody\n")
    unknown = relatedness("--keep-cases", str(cases))
    assert unknown.exit_code == 1
    assert "error: 1 of 1 sample ids are in no active callset: nobody" in unknown.output
