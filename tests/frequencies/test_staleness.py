"""Frequencies never stay those of before, whatever changed, was deleted by hand, or was killed half-way."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.settings import load_settings
from allofus_spark.tables import (
    ALLELE_COUNTS,
    GENOTYPES,
    PARTITION_INPUTS,
    STRATA,
    Freshness,
    RowsWrite,
    Run,
    Table,
    Warehouse,
    ancestries,
    start_run,
)
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

from .two_callsets import (
    FIRST,
    GROUPS,
    LABELS,
    SECOND,
    assert_is_as_recomputed,
    counts,
    frequencies,
    ingest,
    relabel,
)

pytestmark = pytest.mark.long


@pytest.fixture
def held(spark: SparkSession, filled: Path, tmp_path: Path) -> Warehouse:
    root = shutil.copytree(filled, tmp_path / "warehouse")
    return Warehouse(spark, load_settings(warehouse=str(root)))


def changed(held: Warehouse) -> tuple[int, int]:
    """Computes frequencies; callsets counted and partitions written."""
    counters = compute_frequencies(held)
    return counters["callsets_counted"], counters["partitions_written"]


class Killed(BaseException):
    """Stands for a kill -9: nothing is recorded about the run."""


def kill_at_write(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """End runs without a trace before their write of this number, from 1; 0: before the snapshot."""
    begun = []
    write = Run.write

    def stop(run: Run, *writes: object) -> object:
        begun.append(run)
        if len(begun) == number:
            raise Killed
        return write(run, *writes)  # type: ignore[arg-type]

    def end(run: Run) -> None:
        raise Killed

    monkeypatch.setattr(Run, "write", stop)
    monkeypatch.setattr(Run, "fail", lambda *_: None)
    if number == 0:
        monkeypatch.setattr(Run, "finish", end)


def set_sexes(held: Warehouse, folder: Path, sex: str) -> None:
    lines = ["sample_id\tancestry\tsex_karyotype", *(f"{name}\t{LABELS[name]}\t{sex}" for name in SECOND)]
    file = write_bytes(folder / "sexes.tsv", "".join(f"{line}\n" for line in lines))
    ingest_samples(held, file, callset_id="second")


def test_a_sex_alone_is_counted_anew(held: Warehouse, tmp_path: Path) -> None:
    set_sexes(held, tmp_path, "XX")
    assert changed(held) == (1, 2)
    at = frequencies(held)["chr3:300"]
    assert (at["overall_xx"]["an"], at["overall_xy"]["an"], at["overall"]["an"]) == (4, 0, 4)
    set_sexes(held, tmp_path, "XY")
    assert changed(held) == (1, 2)
    assert frequencies(held)["chr3:300"]["overall_xy"]["an"] == 4
    assert_is_as_recomputed(held)


def test_a_label_changed_and_changed_back_is_counted_each_time(held: Warehouse, tmp_path: Path) -> None:
    before = frequencies(held), counts(held)
    relabel(held, tmp_path, "second", {"b2": "sas"})
    assert changed(held) == (1, 2)
    relabel(held, tmp_path, "second", {})
    assert changed(held) == (1, 2)
    assert (frequencies(held), counts(held)) == before
    relabel(held, tmp_path, "second", {"b2": "sas"})
    relabel(held, tmp_path, "second", {})
    assert changed(held) == (0, 0), "changed back before anybody counted"
    assert_is_as_recomputed(held)


@pytest.mark.long
def test_another_unassigned_group_changes_every_maximum(held: Warehouse) -> None:
    overrides = [f"frequencies.ancestry_groups={list(GROUPS)}", "frequencies.unassigned_group=eas"]
    other = Warehouse(held.spark, load_settings(warehouse=held.root, overrides=overrides))
    before = frequencies(held)["chr3:300"]
    assert changed(other) == (2, 3)
    after = frequencies(other)["chr3:300"]
    assert (before["grpmax_group"], after["grpmax_group"]) == ("eas", None)
    assert changed(other) == (0, 0)
    assert changed(held) == (2, 3)
    assert frequencies(held)["chr3:300"] == before


@pytest.mark.long
def test_a_callset_that_was_retired_comes_in_again_under_its_id(held: Warehouse, tmp_path: Path) -> None:
    about = {"callset_date": "2026-02-01", "build": "GRCh38"}
    third = write_bytes(
        tmp_path / "third.vcf", vcf_text([gt_record("0/1", "0/0", contig="chr3", pos=301)], SECOND)
    )
    ingest_genotypes(held, [str(third)], callset_id="third", replaces="second", **about)
    changed(held)
    assert changed(held) == (0, 0)
    again = write_bytes(
        tmp_path / "again.vcf", vcf_text([gt_record("1/1", "1/1", contig="chr3", pos=300)], SECOND)
    )
    ingest_genotypes(held, [str(again)], callset_id="second", replace=True, replaces="third", **about)
    changed(held)
    assert frequencies(held)["chr3:300"]["overall"]["ac"] == 4
    assert "chr3:301" not in frequencies(held)
    assert {row.callset_id for row in counts(held)} == {"first", "second"}
    assert changed(held) == (0, 0)
    assert_is_as_recomputed(held)


def test_a_callset_without_alleles_changes_nothing(held: Warehouse, tmp_path: Path) -> None:
    ingest(held, tmp_path, "third", ("c1", "c2"), [])
    counters = compute_frequencies(held)
    assert (counters["samples"], counters["callsets_counted"], counters["partitions_written"]) == (7, 0, 0)
    assert {row.callset_id for row in held.rows(STRATA)} == {"first", "second", "third"}
    before = held.snapshot()
    assert changed(held) == (0, 0)
    assert held.snapshot() == before
    ingest(held, tmp_path, "second", SECOND, [])
    assert changed(held) == (1, 2)
    assert set(frequencies(held)) == {"chr1:100", "chr2:200"}
    assert {row.callset_id for row in counts(held)} == {"first"}
    assert changed(held) == (0, 0)
    assert_is_as_recomputed(held)


@pytest.mark.long
@pytest.mark.parametrize("table", [ALLELE_COUNTS, PARTITION_INPUTS, STRATA, "allele_frequencies"])
def test_tables_deleted_by_hand_are_made_anew(held: Warehouse, table: Table | str) -> None:
    before = frequencies(held), counts(held)
    shutil.rmtree(held.path(held.contract(table) if isinstance(table, str) else table))
    fresh = Warehouse(held.spark, held.settings)
    compute_frequencies(fresh)
    assert (frequencies(fresh), counts(fresh)) == before
    assert {row.callset_id for row in fresh.rows(STRATA)} == {"first", "second"}
    assert changed(fresh) == (0, 0)


def test_rows_deleted_by_hand_are_put_back(held: Warehouse) -> None:
    before = frequencies(held), counts(held)
    DeltaTable.forPath(held.spark, held.path(ALLELE_COUNTS)).delete("contig = 'chr2'")
    changed(held)
    assert (frequencies(held), counts(held)) == before
    assert_is_as_recomputed(held)


def test_genotypes_deleted_by_hand_and_ingested_anew_are_counted(held: Warehouse, tmp_path: Path) -> None:
    for _ in range(2):  # so that the versions of the table that is deleted are above those that come
        ingest(held, tmp_path, "second", SECOND, [gt_record("0/1", "0/1", contig="chr3", pos=300)])
    changed(held)
    shutil.rmtree(held.path(GENOTYPES))
    fresh = Warehouse(held.spark, held.settings)
    ingest(fresh, tmp_path, "first", FIRST, [gt_record("1/1", "1/1", "1/1", contig="chr1", pos=100)])
    ingest(fresh, tmp_path, "second", SECOND, [gt_record("1/1", "1/1", contig="chr3", pos=300)])
    changed(fresh)
    after = frequencies(fresh)
    assert {place: row["overall"]["ac"] for place, row in after.items()} == {"chr1:100": 6, "chr3:300": 4}


@pytest.mark.long
@pytest.mark.parametrize("number", [1, 2, 0])
def test_a_killed_run_leaves_what_was_before_and_the_next_one_makes_all(
    held: Warehouse, tmp_path: Path, number: int
) -> None:
    before, snapshot = frequencies(held), held.snapshot()
    relabel(held, tmp_path, "second", {"b2": "sas"})
    with pytest.MonkeyPatch.context() as patch:
        kill_at_write(patch, number)
        with pytest.raises(Killed):
            compute_frequencies(held)
    fresh = Warehouse(held.spark, held.settings)
    assert frequencies(fresh) == before
    assert {**fresh.snapshot(), "samples": 0} == {**snapshot, "samples": 0}
    assert changed(fresh) == (1, 2)
    at = frequencies(fresh)["chr2:200"]
    assert (at["eas"]["ac"], at["sas"]["ac"]) == (2, 1)
    assert_is_as_recomputed(fresh)


@pytest.mark.long
def test_labels_changed_back_after_a_killed_run_leave_nothing_of_it(held: Warehouse, tmp_path: Path) -> None:
    before = frequencies(held), counts(held)
    relabel(held, tmp_path, "second", {"b2": "sas"})
    with pytest.MonkeyPatch.context() as patch:
        kill_at_write(patch, 0)
        with pytest.raises(Killed):
            compute_frequencies(held)
    relabel(held, tmp_path, "second", {})
    assert changed(held) == (0, 0)
    assert (frequencies(held), counts(held)) == before
    assert_is_as_recomputed(held)


def test_maintenance_changes_nothing(held: Warehouse) -> None:
    for table in (ALLELE_COUNTS, GENOTYPES, PARTITION_INPUTS, held.contract("allele_frequencies")):
        DeltaTable.forPath(held.spark, held.path(table)).optimize().executeCompaction()
    before = frequencies(held)
    assert changed(held) == (0, 0)
    assert frequencies(held) == before


@pytest.mark.long
def test_frequencies_that_were_looked_at_again_count_as_new(held: Warehouse, tmp_path: Path) -> None:
    def older() -> Sequence[str] | None:
        return Freshness(Warehouse(held.spark, held.settings)).changes("compute_frequencies")

    assert older() == []
    relabel(held, tmp_path, "second", {})
    assert older() == ["samples changed in 1 of 2 partitions"]
    assert changed(held) == (0, 0)
    assert older() == [], "the same labels as before"
    ingest(held, tmp_path, "third", ("c1", "c2"), [])
    assert older() == [f"{name} changed in 1 of 3 partitions" for name in ("callsets", "samples")]
    assert changed(held) == (0, 0)
    assert older() == []
    table = ancestries(GROUPS)
    rows = [("third", "c1", 0, "m-1", None, None, None, "afr", "afr", None)]
    with start_run(held, "fill") as run:
        run.write(RowsWrite(table, rows, "callset_id = 'third'"))
    assert older() == ["ancestries changed"]
    compute_frequencies(held)
    assert older() == []
