"""Withdrawal out of two small callsets, against an ingest that honours the list from the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from allofus_spark.errors import BadSamples
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.tables import ALLELE_COUNTS, GENOTYPES, WITHDRAWALS, Warehouse
from allofus_spark.withdrawal import purge_withdrawn, verify_withdrawn, withdraw_samples
from tests.withdrawal.cohort import FIRST, SECOND, content, ingest_cohort, open_cohort

pytestmark = pytest.mark.long

LEAVING = ("NA 12878", "-x", "B0")


@pytest.fixture(scope="module")
def withdrawn(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The cohort, out of which some withdrew, computed again and purged."""
    folder = tmp_path_factory.mktemp("withdrawn")
    warehouse = open_cohort(spark, folder / "w")
    ingest_cohort(warehouse, folder / "sources")
    withdraw_samples(warehouse, LEAVING, reason="as told")
    compute_frequencies(warehouse)
    purge_withdrawn(warehouse)
    return warehouse


def test_tables_are_those_of_an_ingest_with_the_list_in_force(
    spark: SparkSession, withdrawn: Warehouse, tmp_path: Path
) -> None:
    never_in = open_cohort(spark, tmp_path / "w")
    withdraw_samples(never_in, LEAVING, allow_absent=True)
    ingest_cohort(never_in, tmp_path / "sources")
    assert content(withdrawn) == content(never_in)


def test_the_proof_holds(withdrawn: Warehouse) -> None:
    checks = verify_withdrawn(withdrawn)
    assert [check for check in checks if not check.passed] == []
    looked_at = {(check.check_name, check.subject): check.checked for check in checks}
    genotypes = withdrawn.read(GENOTYPES).where("callset_id = 'first'").count()
    assert looked_at["calls", "first"] == looked_at["ledger", "first"] == genotypes > 0


def test_nothing_changes_the_second_time(withdrawn: Warehouse) -> None:
    before = {table.name: withdrawn.state(table) for table in (GENOTYPES, ALLELE_COUNTS, WITHDRAWALS)}
    done = withdraw_samples(withdrawn, ["NA 12878"])
    assert done.samples == []
    assert done.counters["slots_masked"] == 0
    assert {table.name: withdrawn.state(table) for table in (GENOTYPES, ALLELE_COUNTS, WITHDRAWALS)} == before


def test_an_unknown_sample_is_refused_by_name(withdrawn: Warehouse) -> None:
    with pytest.raises(BadSamples, match=r"1 of 2 samples are not known here: nobody.*--allow-absent"):
        withdraw_samples(withdrawn, ["A5", "nobody"])
    assert "A5" not in {row.sample_id for row in withdrawn.rows(WITHDRAWALS)}


def test_positions_do_not_shift(withdrawn: Warehouse) -> None:
    rows = withdrawn.spark.read.format("delta").load(f"{withdrawn.root}/controlled/samples").collect()
    assert {row.sample_id: row.sample_index for row in rows} == {
        name: place
        for samples in (FIRST, SECOND)
        for place, name in enumerate(samples)
        if name not in LEAVING
    }
