"""After a change only what it touches is made anew, and the tables are those of a recompute of everything."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_genotypes
from allofus_spark.settings import load_settings
from allofus_spark.tables import RowsWrite, Warehouse, ancestries, start_run
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

from .two_callsets import (
    GROUPS,
    SECOND,
    assert_is_as_recomputed,
    counts,
    files_by_contig,
    frequencies,
    ingest,
    relabel,
)

FILES = "files"
both = pytest.mark.parametrize(
    "held", [FILES, pytest.param("no files", marks=pytest.mark.long)], indirect=True
)


@pytest.fixture
def held(spark: SparkSession, filled: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Warehouse:
    """A filled warehouse whose files tasks and the driver open, or one whose files only Spark opens."""
    files = getattr(request, "param", FILES)
    root = shutil.copytree(filled, tmp_path / ("warehouse" if files == FILES else "100 %"))
    made = Warehouse(spark, load_settings(warehouse=str(root)))
    assert (made.local_root is None) == (files != FILES)
    return made


def test_unchanged_cohort_is_not_written_again(held: Warehouse) -> None:
    before = held.snapshot()
    counters = compute_frequencies(held)
    assert (counters["callsets_counted"], counters["partitions_written"]) == (0, 0)
    assert held.snapshot() == before


@pytest.mark.long
def test_relabelled_callset_is_counted_and_others_stay(held: Warehouse, tmp_path: Path) -> None:
    before, files = frequencies(held), files_by_contig(held)
    relabel(held, tmp_path, "second", {"b2": "sas"})
    counters = compute_frequencies(held)
    assert (counters["callsets_counted"], counters["partitions_written"]) == (1, 2)
    after, new_files = frequencies(held), files_by_contig(held)
    assert new_files["chr1"] == files["chr1"]
    assert not new_files["chr2"] & files["chr2"]
    assert after["chr1:100"] == before["chr1:100"]
    # b1 is 1/1 and stays eas, b2 is 0/1 and becomes sas; a1 0/1 afr, a3 0/0 without a label.
    assert (before["chr2:200"]["eas"]["ac"], before["chr2:200"]["sas"]["an"]) == (3, 0)
    at = after["chr2:200"]
    assert [(at[name]["ac"], at[name]["an"]) for name in ("overall", "afr", "eas", "sas")] == [
        (4, 8), (1, 2), (2, 2), (1, 2),
    ]  # fmt: skip
    for name in ("overall", "overall_xx", "overall_xy", "afr", "amr", "eur", "mid", "oth"):
        assert at[name] == before["chr2:200"][name]
    assert_is_as_recomputed(held)


@pytest.mark.long
def test_inferred_labels_count_where_none_was_supplied(held: Warehouse) -> None:
    table = ancestries(GROUPS)
    blank = (None, None, None)
    rows = [
        ("first", name, index, "m-1", *blank, label, label, None)
        for index, (name, label) in enumerate({"a1": "sas", "a2": "eur", "a3": "mid"}.items())
    ]
    with start_run(held, "fill") as run:
        run.write(RowsWrite(table, rows, "callset_id = 'first'"))
    before = frequencies(held)
    assert compute_frequencies(held)["callsets_counted"] == 1
    at = frequencies(held)["chr1:100"]
    assert (at["afr"]["ac"], at["mid"]["ac"], at["sas"]["an"]) == (1, 1, 0), "a1 keeps what was supplied"
    assert at["overall"] == before["chr1:100"]["overall"]
    assert sum(at[group]["an"] for group in GROUPS) == at["overall"]["an"]
    settings = load_settings(warehouse=held.root, overrides=["ancestry.labels=inferred"])
    inferred = Warehouse(held.spark, settings)
    compute_frequencies(inferred)
    at = frequencies(inferred)["chr1:100"]
    assert (at["afr"]["an"], at["sas"]["ac"], at["mid"]["ac"]) == (0, 1, 1)
    assert frequencies(inferred)["chr3:300"]["eas"]["an"] == 0, "nobody of the second callset was inferred"


@both
def test_new_genotypes_are_counted(held: Warehouse, tmp_path: Path) -> None:
    files = files_by_contig(held)
    ingest(held, tmp_path, "second", SECOND, [gt_record("0/1", "1/1", contig="chr3", pos=300)])
    counters = compute_frequencies(held)
    assert (counters["callsets_counted"], counters["partitions_written"]) == (1, 2)
    after = frequencies(held)
    assert (after["chr2:200"]["overall"]["ac"], after["chr2:200"]["overall"]["an"]) == (1, 4)
    assert after["chr3:300"]["eas"]["ac"] == 3
    assert files_by_contig(held)["chr1"] == files["chr1"]
    assert_is_as_recomputed(held)


@pytest.mark.long
def test_retired_callset_is_counted_no_more(held: Warehouse, tmp_path: Path) -> None:
    source = write_bytes(
        tmp_path / "third.vcf", vcf_text([gt_record("0/1", "0/0", contig="chr3", pos=301)], SECOND)
    )
    ingest_genotypes(
        held, [str(source)], callset_id="third", callset_date="2026-02-01", build="GRCh38", replaces="second"
    )
    compute_frequencies(held)
    after = frequencies(held)
    assert set(after) == {"chr1:100", "chr2:200", "chr3:301"}
    assert {row.callset_id for row in counts(held)} == {"first", "third"}
    assert after["chr3:301"]["overall"]["an"] == 4
    assert_is_as_recomputed(held)


@both
def test_other_groups_change_everything(held: Warehouse) -> None:
    settings = load_settings(
        warehouse=held.root, overrides=['frequencies.ancestry_groups=["afr", "eas", "eur", "oth"]']
    )
    other = Warehouse(held.spark, settings)
    counters = compute_frequencies(other)
    assert (counters["callsets_counted"], counters["partitions_written"]) == (2, 3)
    assert "sas" not in frequencies(other)["chr1:100"]
    assert_is_as_recomputed(other)
