"""PC-Relate by Hail on admixed families: where KING-robust is too low, and what replicates do to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from allofus_spark.relatedness import Relatedness, compute_relatedness
from allofus_spark.relatedness.pc_relate import BedRows
from allofus_spark.relatedness.people import People
from allofus_spark.tables import STAGING, RowsWrite, Warehouse, ancestries, start_run
from allofus_spark.tables.relatedness_tables import PC_RELATE

from .cohorts import ingest, new_warehouse, pairs_of, unrelated_of, write_vcf
from .test_kinship_kernels import batch_of_calls, some_calls

pytestmark = pytest.mark.long


N_SITES, N_ALONE = 2_000, 40


@pytest.fixture(scope="module")
def admixed(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, Relatedness]:
    """Two callsets: people of two ancestries in every proportion, and parents a and b with their child."""
    folder = tmp_path_factory.mktemp("admixed")
    rng = np.random.default_rng(4)
    frequency = np.clip(rng.uniform(0.1, 0.9, N_SITES) + rng.normal(0, 0.15, (2, N_SITES)), 0.05, 0.95)
    share = np.concatenate([[0.95, 0.05], np.linspace(0, 1, N_ALONE)])
    own = share[:, None] * frequency[0] + (1 - share[:, None]) * frequency[1]
    haplotypes = rng.random((2, *own.shape)) < own
    chosen = rng.integers(0, 2, (2, N_SITES))
    child = np.take_along_axis(haplotypes[:, 0], chosen[:1], 0) + np.take_along_axis(
        haplotypes[:, 1], chosen[1:], 0
    ).astype(int)
    calls = np.concatenate([child, haplotypes.sum(axis=0)]).T
    ids = ["child", "a", "b", *(f"u{number:02d}" for number in range(N_ALONE))]
    calls[:10, 5] = 3
    warehouse = new_warehouse(spark, folder / "w é [1]", "sites.min_call_rate=0.9")
    for name, part in (("x", slice(0, 30)), ("y", slice(30, None))):
        vcf = write_vcf(folder / f"{name}.vcf", ids[part], calls[:, part], range(1, N_SITES + 1))
        ingest(warehouse, vcf, name)
    table = ancestries(warehouse.settings.frequencies.ancestry_groups)
    rows = [
        ("x" if place < 30 else "y", name, place, "m", None, [float(share_of)], None, None, "oth", None)
        for place, (name, share_of) in enumerate(zip(ids, [0.5, *share], strict=True))
    ]
    # As of a callset that is retired: the same ids, other scores.
    rows += [
        ("old", name, place, "m-0", None, [float(-place)], *rest) for _, name, place, _, _, _, *rest in rows
    ]
    with start_run(warehouse, "test") as run:
        run.write(RowsWrite(table, rows))
    return warehouse, compute_relatedness(warehouse, method=PC_RELATE)


def test_parents_of_unlike_ancestry_are_found(admixed: tuple[Warehouse, Relatedness]) -> None:
    warehouse, found = admixed
    pairs = pairs_of(warehouse)
    near = {pair: row for pair, row in pairs.items() if row["kinship"] >= 0.0884}
    assert near.keys() == {("a", "child"), ("b", "child")}
    for row in near.values():
        assert row["kinship"] == pytest.approx(0.25, abs=0.03)
        assert (row["degree"], row["method"], row["n_sites"], row["n_ibs0"]) == (
            "first",
            PC_RELATE,
            None,
            None,
        )
    rows = unrelated_of(warehouse)
    assert {name for name, row in rows.items() if not row["is_kept"]} == {"child"}
    rates = {name: row["call_rate"] for name, row in rows.items()}
    n_sites = found.counters["sites"]
    assert rates.pop("u02") == pytest.approx(1 - 10 / n_sites, abs=2 / n_sites)
    assert set(rates.values()) == {1.0}


def test_what_was_written_for_hail_is_gone(admixed: tuple[Warehouse, Relatedness]) -> None:
    warehouse, found = admixed
    assert list((Path(warehouse.root) / STAGING).iterdir()) == []
    assert "share of sites with IBS0" not in Path(found.picture).read_text()


@pytest.mark.parametrize("models", [["m-1", "m-2"], []])
def test_without_scores_of_one_model_hail_finds_its_own(
    models: list[str], admixed: tuple[Warehouse, Relatedness], caplog: pytest.LogCaptureFixture
) -> None:
    warehouse, _ = admixed
    table = ancestries(warehouse.settings.frequencies.ancestry_groups)
    rows = [
        (row.callset_id, row.sample_id, row.sample_index, models[row.sample_index % 2], *row[4:])
        for row in (warehouse.read(table).collect() if models else [])
    ]
    with start_run(warehouse, "test") as run:
        run.write(RowsWrite(table, rows, "true"))
    with caplog.at_level("INFO"):
        compute_relatedness(warehouse, method=PC_RELATE)
    assert "ancestry is told by 10 components of these sites" in caplog.text
    assert ("of several kinds (m-1, m-2): left alone" in caplog.text) == bool(models)
    assert {row["method"] for row in pairs_of(warehouse).values()} <= {PC_RELATE}


def test_rows_of_the_bed_hold_all_callsets() -> None:
    """PLINK's codes, low bits first: 00 hom-alt, 01 missing, 10 het, 11 hom-ref; sites of one callset."""
    people = People({"a": np.array([0, 2]), "b": np.arange(3)}, {"a": 3, "b": 3}, list("pqrst"))
    first, second = some_calls(1, 2_500, 3, 0.1), some_calls(2, 2_500, 3, 0.1)
    batches = [
        batch_of_calls("a", np.arange(2_500), first),
        batch_of_calls("b", np.arange(1, 2_501), second),
    ]
    rows = [row for batch in BedRows(people)(batches) for row in batch.to_pylist()]
    assert [row["site"] for row in rows] == list(range(2_501))
    code = {0: 3, 1: 2, 2: 0, 3: 1}
    for row in rows:
        site = row["site"]
        own = [3, 3] if site == 2_500 else first[site, [0, 2]].tolist()
        other = [3, 3, 3] if site == 0 else second[site - 1].tolist()
        bits = sum(code[call] << (2 * place) for place, call in enumerate([*own, *other]))
        assert int.from_bytes(row["bed"], "little") == bits
