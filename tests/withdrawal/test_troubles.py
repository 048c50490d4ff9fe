"""Withdrawal where it is hard: a run that dies, retired callsets, nobody left, two samples of a person."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyspark.sql import SparkSession

from allofus_spark.cli import main
from allofus_spark.cohort import active_samples
from allofus_spark.export import Selection, export_genotypes
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_genotypes
from allofus_spark.representation import ingest_persons
from allofus_spark.tables import (
    GENOTYPES,
    PERSON_SAMPLES,
    PERSONS,
    WITHDRAWALS,
    SnapshotReader,
    Warehouse,
)
from allofus_spark.withdrawal import purge_withdrawn, verify_withdrawn, withdraw_samples
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes
from tests.withdrawal.cohort import open_cohort

pytestmark = pytest.mark.long

NAMES = ("S0", "S1", "S2", "S3", "S4")
RECORDS = (
    gt_record("0/1", "0/0", "0/0", "0/0", "0/0", pos=1),  # S0 alone
    gt_record("0/0", "1/1", "0/1", "./.", "0/0", pos=2),  # S1 and S2
    gt_record("./.", "0/0", "0/0", "0/0", "0/0", pos=3),  # nobody
    gt_record("0/1", "0/1", "0/1", "0/1", "0/1", pos=4),
)


@pytest.fixture(scope="module")
def cohort(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Five samples, in a retired callset and in the one that took its place; S0 and S1 are one person's."""
    folder = tmp_path_factory.mktemp("troubles")
    warehouse = open_cohort(spark, folder / "w")
    for callset_id, date, replaces in (("old", "2026-01-01", None), ("new", "2026-01-02", "old")):
        source = str(write_bytes(folder / f"{callset_id}.vcf", vcf_text(RECORDS, NAMES)))
        about = {"callset_id": callset_id, "callset_date": date, "build": "GRCh38", "replaces": replaces}
        ingest_genotypes(warehouse, [source], **about)
    people = "person_id\tsample_id\nP0\tS0\nP0\tS1\nP2\tS2\nP3\tS3\nP4\tS4\n"
    ingest_persons(warehouse, write_bytes(folder / "people.tsv", people))
    compute_frequencies(warehouse)
    return warehouse


def positions(warehouse: Warehouse) -> dict[str, list[int]]:
    """Positions with genotypes by callset."""
    found: dict[str, list[int]] = {}
    for row in warehouse.read(GENOTYPES).select("callset_id", "position").collect():
        found.setdefault(row.callset_id, []).append(row.position)
    return {name: sorted(own) for name, own in found.items()}


def people(warehouse: Warehouse) -> list[str]:
    """Rows of persons and their samples as text."""
    return sorted(str(row) for table in (PERSONS, PERSON_SAMPLES) for row in warehouse.read(table).collect())


def test_a_run_that_dies_changes_nothing_and_the_next_one_completes(
    cohort: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {
        table.name: sorted(map(str, cohort.read(table).collect())) for table in (PERSONS, PERSON_SAMPLES)
    }

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("allofus_spark.withdrawal.withdraw._write_list", dies)
        with pytest.raises(KeyboardInterrupt):
            withdraw_samples(cohort, ["S0"])
    assert positions(cohort) == {"old": [1, 2, 3, 4], "new": [1, 2, 3, 4]}
    assert {
        table.name: sorted(map(str, cohort.read(table).collect())) for table in (PERSONS, PERSON_SAMPLES)
    } == before
    done = withdraw_samples(cohort, ["S0"])
    assert done.samples == ["S0", "S1"]  # of one person
    compute_frequencies(cohort)
    assert all(check.passed for check in purge_withdrawn(cohort))
    assert positions(cohort) == {"old": [2, 3, 4], "new": [2, 3, 4]}
    assert {row.person_id for row in cohort.read(PERSONS).collect()} == {"P2", "P3", "P4"}
    assert {row.person_id for row in cohort.read(WITHDRAWALS).collect()} == {"P0"}


def test_a_further_sample_of_a_person_who_withdrew_stays_out(cohort: Warehouse, tmp_path: Path) -> None:
    people = "person_id\tsample_id\nP0\tS9\nP2\tS2\nP3\tS3\nP4\tS4\n"
    counters = ingest_persons(cohort, write_bytes(tmp_path / "people.tsv", people))
    assert (counters["persons_withdrawn"], counters["samples_withdrawn"]) == (1, 1)
    assert "S9" not in {row.sample_id for row in cohort.read(PERSON_SAMPLES).collect()}


def test_exports_are_of_the_others(cohort: Warehouse, tmp_path: Path) -> None:
    export_genotypes(cohort, file_format="vcf", out=str(tmp_path / "out"), selection=Selection())
    export_genotypes(cohort, file_format="bed", out=str(tmp_path / "out"), selection=Selection())
    assert [line.split()[1] for line in (tmp_path / "out.fam").read_text().splitlines()] == ["S2", "S3", "S4"]
    slots = active_samples(cohort, SnapshotReader(cohort))["new"]
    assert [slot and slot.sample_id for slot in slots] == [None, None, "S2", "S3", "S4"]


def test_bytes_left_behind_fail_the_proof(cohort: Warehouse) -> None:
    folder = Path(cohort.path(GENOTYPES))
    stray = write_bytes(folder / "part-left-behind.parquet", b"calls of somebody")
    os.utime(stray, (0, 0))
    failed = [(check.check_name, check.subject) for check in verify_withdrawn(cohort) if not check.passed]
    stray.unlink()
    assert failed == [("old_files", "genotypes")]


def test_everybody_may_leave(cohort: Warehouse) -> None:
    withdraw_samples(cohort, ["S2", "S3", "S4"])
    compute_frequencies(cohort)
    assert all(check.passed for check in purge_withdrawn(cohort))
    assert positions(cohort) == {"old": [3], "new": [3]}


def test_the_command_says_what_it_needs() -> None:
    refused = CliRunner().invoke(main, ["withdraw", "--verify", "S1"])
    assert refused.exit_code == 2
    assert "it proves the whole list" in refused.output
