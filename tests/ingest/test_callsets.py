"""Callsets that come into a warehouse in turn: what is refused, replaced, retired and repeated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from allofus_spark.errors import AllofusError, BadSamples, BadSource, BuildMismatch, SettingsError
from allofus_spark.frequencies import compute_frequencies, write_subset_frequencies
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.query import run_query
from allofus_spark.settings import load_settings
from allofus_spark.tables import (
    CALLSETS,
    GENOTYPES,
    PIPELINE_RUNS,
    REJECTED_RECORDS,
    SAMPLES,
    SNAPSHOTS,
    VARIANT_SITES,
    VARIANTS,
    RowsWrite,
    Table,
    Warehouse,
    runs,
    start_run,
)
from allofus_spark.tables.writes import Written
from tests.cases.plain_ingest import HET, HOM_ALT, HOM_REF, key_of, plain_calls
from tests.cases.vcf_files import gt_record, vcf_text, write_bgzip, write_bytes
from tests.unchanged import leaves_unchanged

CONTENT = (CALLSETS, SAMPLES, VARIANTS, VARIANT_SITES, GENOTYPES, REJECTED_RECORDS)


def ingest(warehouse: Warehouse, *paths: Path, callset: str = "first", **options: Any) -> dict[str, int]:
    options = {"callset_date": "2026-01-01", "build": "GRCh38", **options}
    return ingest_genotypes(warehouse, [str(path) for path in paths], callset_id=callset, **options)


def rows_of(warehouse: Warehouse, table: Table) -> list[dict[str, Any]]:
    """Live rows in key order, read by delta-rs."""
    rows: pa.Table = DeltaTable(warehouse.path(table)).to_pyarrow_table()
    return rows.sort_by([(name, "ascending") for name in table.key]).to_pylist()


def calls_of(warehouse: Warehouse) -> dict[tuple[str, str], list[int]]:
    """(callset, allele) to calls, from the newest snapshot."""
    rows = warehouse.read(GENOTYPES).collect()
    return {(row.callset_id, key_of(row)): plain_calls(row) for row in rows}


def last_run(warehouse: Warehouse) -> dict[str, Any]:
    return max(rows_of(warehouse, PIPELINE_RUNS), key=lambda row: row["started_at"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shards a and b of one callset with samples in another order; c with other samples; d one of a's."""
    folder = tmp_path_factory.mktemp("shards")
    write_bytes(folder / "a.vcf", vcf_text([gt_record("0/1", "1/1"), gt_record("0/0", "0/1", pos=200)]))
    write_bgzip(folder / "b.vcf.gz", vcf_text([gt_record("0/1", "0/0", contig="chr2")], ["S2", "S1"]))
    write_bytes(folder / "c.vcf", vcf_text([gt_record("0/1", "0/0", pos=300)], ["T1", "T2"]))
    others = [gt_record("1/1", "0/0", "0/1"), gt_record("0/1", "0/0", "0/0", pos=300)]
    write_bytes(folder / "d.vcf", vcf_text(others, ["S2", "U1", "U2"]))
    return folder


@pytest.fixture(scope="module")
def held(spark: SparkSession, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse with callset ``first``; the tests below leave its content as it is."""
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path_factory.mktemp("held"))))
    samples = write_bytes(folder / "samples.tsv", "sample_id\tancestry\nS1\tafr\nS2\teur\n")
    ingest_samples(warehouse, samples, callset_id="first")
    ingest(warehouse, folder / "a.vcf", folder / "b.vcf.gz")
    compute_frequencies(warehouse)
    return warehouse


@pytest.fixture
def unchanged(held: Warehouse) -> Iterator[Warehouse]:
    """``held``, whose snapshot and tables must be the same after the test."""
    with leaves_unchanged(held, CONTENT):
        yield held


def test_shards_give_one_callset_in_the_first_one_s_sample_order(held: Warehouse, folder: Path) -> None:
    assert calls_of(held) == {
        ("first", "chr1:100:A:T"): [HET, HOM_ALT],
        ("first", "chr1:200:A:T"): [HOM_REF, HET],
        ("first", "chr2:100:A:T"): [HOM_REF, HET],
    }
    (callset,) = rows_of(held, CALLSETS)
    assert callset["source_files"] == [str(folder / "a.vcf"), str(folder / "b.vcf.gz")]
    assert (callset["n_samples"], callset["build"], callset["retired_by"]) == (2, "GRCh38", None)
    samples = [(row["sample_id"], row["sample_index"], row["ancestry"]) for row in rows_of(held, SAMPLES)]
    assert samples == [("S1", 0, "afr"), ("S2", 1, "eur")]


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("d.vcf", {"callset": "x"}, BadSamples, r"1 in callset first: S2\); a sample counts once"),
        ("c.vcf", {"callset": "x", "build": "GRCh37"}, BuildMismatch, "holds build GRCh38, the source is"),
        ("c.vcf", {}, BadSource, r"callset first is in the warehouse already.* --replace"),
        ("c.vcf", {"callset": "x", "replaces": "y"}, BadSource, "no other callset .* there are: first"),
        ("c.vcf", {"callset": "a/b"}, BadSource, "callset id 'a/b': use 1 to 100 letters"),
        ("c.vcf", {"callset": ".x"}, BadSource, "callset id"),
        ("c.vcf", {"callset": "x", "callset_date": "1.2.2026"}, BadSource, "give it as YYYY-MM-DD"),
    ],
)
def test_what_may_not_come_in_is_refused_before_anything_is_written(
    name: str,
    options: dict[str, Any],
    error: type[AllofusError],
    message: str,
    unchanged: Warehouse,
    folder: Path,
) -> None:
    with pytest.raises(error, match=message):
        ingest(unchanged, folder / name, **options)


def test_one_bad_shard_among_good_ones_commits_nothing(unchanged: Warehouse, tmp_path: Path) -> None:
    paths = []
    for number in range(3):
        records = [gt_record("0/1", "0/0", pos=pos, contig=f"chr{number + 1}") for pos in range(100, 400)]
        paths.append(
            write_bgzip(tmp_path / f"{number}.vcf.gz", vcf_text(records, ["V1", "V2"]), block_bytes=2000)
        )
    damaged = bytearray(paths[1].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    write_bytes(paths[1], bytes(damaged))
    with pytest.raises(BadSource, match=r"1\.vcf\.gz: at byte \d+, a bgzip block begins that"):
        ingest(unchanged, *paths, callset="x")
    run = last_run(unchanged)
    assert (run["status"], run["stage"], run["table_name"]) == ("failed", "ingest_genotypes", "")
    assert "1.vcf.gz: at byte" in run["message"]


def test_a_sample_file_about_nobody_in_the_genotypes_is_refused(unchanged: Warehouse, tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "wrong.tsv", "sample_id\tancestry\nX1\tafr\nX2\teur\n")
    with pytest.raises(BadSamples, match=r"none of its 2 samples \(X1, X2\) is among the 2 .* \(S1, S2\)"):
        ingest_samples(unchanged, path, callset_id="first")


def test_a_file_of_frequencies_changes_nothing_and_waits_for_no_run(
    unchanged: Warehouse, tmp_path: Path
) -> None:
    runs_before = len(rows_of(unchanged, PIPELINE_RUNS))
    file = tmp_path / "subset.csv"
    with start_run(unchanged, "another"):
        write_subset_frequencies(unchanged, ["S1"], file=str(file))
    lines = [line.split(",")[:4] for line in file.read_text().splitlines()]
    assert lines[1:] == [["chr1", "100", "A", "T"], ["chr1", "200", "A", "T"], ["chr2", "100", "A", "T"]]
    assert len(rows_of(unchanged, PIPELINE_RUNS)) == runs_before + 1  # the other run
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    with pytest.raises(BadSource, match="is a folder; name a file"):
        write_subset_frequencies(unchanged, ["S1"], file=str(folder))


def test_too_many_refused_records_stop_the_ingest(unchanged: Warehouse, tmp_path: Path) -> None:
    lines = [gt_record("0/1", "0/0", pos=pos) for pos in range(100, 119)]
    path = write_bytes(tmp_path / "a.vcf", vcf_text([*lines, gt_record("0/1", "0/7"), "x"], ["V1", "V2"]))
    message = (
        r"2 records or alleles of 21 records were refused \(1 bad_genotype, 1 column_count\), more than the "
        r"share of 0\.05"
    )
    with pytest.raises(BadSource, match=message) as refusal:
        ingest(unchanged, path, callset="x")
    assert "chr1:100 bad_genotype" in str(refusal.value)


def test_a_warehouse_that_cannot_be_made(spark: SparkSession, folder: Path) -> None:
    for name in ("a.vcf/warehouse", "a.vcf"):
        warehouse = Warehouse(spark, load_settings(warehouse=str(folder / name)))
        with pytest.raises(SettingsError, match=r"a\.vcf.* cannot be made: .*; name another place"):
            ingest(warehouse, folder / "c.vcf")


def test_an_emptied_warehouse_holds_no_callset(warehouse: Warehouse, folder: Path) -> None:
    """A first ingest that fails after its commits leaves tables, and rows that the next run takes out."""
    samples = write_bytes(folder / "alone.tsv", "sample_id\tancestry\nS1\tafr\n")
    ingest_samples(warehouse, samples, callset_id="first")
    failed = runs.Run(warehouse, "failed")
    failed.begin()
    failed.write(RowsWrite(CALLSETS, [("first", dt.date(2026, 1, 1), "b", 1, "", "", [], None, [], None)]))
    with pytest.raises(BadSource, match="holds no callset; run ingest-genotypes first"):
        compute_frequencies(warehouse)
    with pytest.raises(BadSource, match="holds no callset; run ingest-genotypes first"):
        write_subset_frequencies(warehouse, ["S1"], file=str(folder / "none.tsv"))


@pytest.mark.parametrize("name", ["back\\slash", "line\nfeed"])
def test_a_warehouse_name_that_tables_cannot_lie_under(name: str, spark: SparkSession) -> None:
    with pytest.raises(SettingsError, match=r"tables cannot lie under a name with .*; name another place"):
        Warehouse(spark, load_settings(warehouse=name))


def test_a_run_that_fails_half_way_shows_nothing_and_leaves_nothing(
    held: Warehouse, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The genotypes of the failed run are committed; neither a reader nor the next run may count them."""
    before, calls = held.snapshot(), calls_of(held)
    frequency = "SELECT position, overall.ac, overall.an, afr.ac AS afr FROM allele_frequencies ORDER BY ALL"
    answer = run_query(held, frequency).collect()
    commit = runs.commit

    def commit_genotypes_only(warehouse: Warehouse, write: Any, metadata: dict[str, object]) -> Written:
        if write.table in CONTENT and write.table is not GENOTYPES:
            raise OSError("disk full")
        return commit(warehouse, write, metadata)

    swapped = write_bytes(tmp_path / "swapped.vcf", vcf_text([gt_record("0/0", "0/1")], ["S2", "S1"]))
    with monkeypatch.context() as patch:
        patch.setattr(runs, "commit", commit_genotypes_only)
        with pytest.raises(OSError, match="disk full"):
            ingest(held, swapped, replace=True)
    live = held.live(GENOTYPES).collect()
    assert {key_of(row): plain_calls(row) for row in live} == {"chr1:100:A:T": [HOM_REF, HET]}
    assert (held.snapshot(), calls_of(held)) == (before, calls)
    assert run_query(held, frequency).collect() == answer
    run = last_run(held)
    assert (run["status"], run["message"]) == ("failed", "OSError: disk full")

    compute_frequencies(held)
    assert calls_of(held) == calls
    assert run_query(held, frequency).collect() == answer
    assert {row["n_samples"] for row in rows_of(held, GENOTYPES)} == {2}
    assert len(rows_of(held, GENOTYPES)) == 3


def test_the_same_files_again_give_the_same_content(held: Warehouse, folder: Path) -> None:
    before = {table.name: rows_of(held, table) for table in CONTENT}
    snapshots = len({row["snapshot_id"] for row in rows_of(held, SNAPSHOTS)})
    ingest(held, folder / "b.vcf.gz", folder / "a.vcf")
    assert {table.name: rows_of(held, table) for table in CONTENT} == before
    assert len({row["snapshot_id"] for row in rows_of(held, SNAPSHOTS)}) == snapshots + 1


def test_a_callset_that_is_replaced_is_retired(held: Warehouse, folder: Path) -> None:
    counters = ingest(held, folder / "d.vcf", callset="second", callset_date="2025-12-31", replaces="first")
    assert counters["alleles_read"] == 2
    retired = {row["callset_id"]: row["retired_by"] for row in rows_of(held, CALLSETS)}
    assert retired == {"first": "second", "second": None}
    # The second callset has the lower date.
    first_of = {(row["contig"], row["position"]): row["first_callset_id"] for row in rows_of(held, VARIANTS)}
    assert first_of == {
        ("chr1", 100): "second",
        ("chr1", 200): "first",
        ("chr1", 300): "second",
        ("chr2", 100): "first",
    }
    compute_frequencies(held)
    rows = run_query(
        held, "SELECT contig, position, overall.ac, overall.an FROM allele_frequencies"
    ).collect()
    assert sorted(map(tuple, rows)) == [("chr1", 100, 3, 6), ("chr1", 300, 1, 6)]
    with pytest.raises(BadSamples, match="1 in callset second: S2"):
        ingest(held, folder / "a.vcf", folder / "b.vcf.gz")


def test_alleles_written_twice_collapse_if_they_agree_and_go_if_they_do_not(
    spark: SparkSession, tmp_path: Path
) -> None:
    settings = load_settings(warehouse=str(tmp_path / "w"), overrides=["ingest.max_rejected_share=1"])
    warehouse = Warehouse(spark, settings)
    records = [
        gt_record("0|0", "0|1", pos=123, ref="TAT", alt="TGT"),
        gt_record("0|0", "1|0", pos=124, ref="A", alt="G"),  # the same without context, phase apart
        gt_record("0|0", "0|1", pos=223, ref="AT", alt="AAT,AA"),
        gt_record("0|0", "0|1", pos=224, ref="T", alt="A"),  # the second alternate above, other calls
        gt_record("0/1", "0/0", pos=300, contig="1"),
        gt_record("0/1", "0/0", pos=300, contig="chr1"),
        gt_record("0/1", "./.", pos=300, contig="NC_000001.11"),
        gt_record("0/1", "0/0", pos=400, alt="<DEL>"),
        gt_record("0/1", "0/0", pos=400, alt="<DEL>"),
    ]
    path = write_bytes(tmp_path / "a.vcf", vcf_text(records))
    counters = ingest(warehouse, path)
    assert calls_of(warehouse) == {
        ("first", "chr1:124:A:G"): [HOM_REF, HET],
        ("first", "chr1:223:A:AA"): [HOM_REF, HET],
        ("first", "chr1:400:A:<DEL>"): [HET, HOM_REF],
    }
    assert (counters["alleles_collapsed"], counters["alleles_refused_duplicate"]) == (2, 5)
    assert counters["alleles_stored"] == 3
    accounts = [counters[f"records_{name}"] for name in ("read", "kept", "refused", "collapsed")]
    assert accounts == [9, 3, 4, 2]  # as pipeline_runs has them below
    # A record of which one allele is kept is kept; one that lost all counts as refused if one was refused.
    run = next(row for row in rows_of(warehouse, PIPELINE_RUNS) if row["table_name"] == "genotypes")
    assert [tuple(source.values()) for source in run["sources"]] == [(str(path), 9, 3, 4, 2, 0)]
    refused = [
        (row["pos"], row["alt"], row["input_allele"], row["reason"])
        for row in rows_of(warehouse, REJECTED_RECORDS)
    ]
    assert sorted(refused) == [
        ("223", "AAT,AA", 2, "duplicate_allele"),
        ("224", "A", 1, "duplicate_allele"),
        *[("300", "T", 1, "duplicate_allele")] * 3,
    ]


def test_callsets_without_records_and_without_samples(warehouse: Warehouse, cases: Path) -> None:
    folder = cases / "14_empty_sitesonly_crlf"
    ingest(warehouse, folder / "header_only.vcf", callset="empty")
    assert [warehouse.read(table).count() for table in (VARIANTS, GENOTYPES, REJECTED_RECORDS)] == [0, 0, 0]
    assert [row["sample_id"] for row in rows_of(warehouse, SAMPLES)] == ["S1", "S2"]
    ingest(warehouse, folder / "sites_only.vcf", callset="sites")
    counters = compute_frequencies(warehouse)
    assert (counters["callsets"], counters["samples"]) == (2, 2)
    rows = run_query(warehouse, "SELECT position, overall.* FROM allele_frequencies ORDER BY 1").collect()
    assert [(row.position, row.ac, row.an, row.af) for row in rows] == [(100, 0, 0, None), (200, 0, 0, None)]
    dates = {row["callset_date"] for row in rows_of(warehouse, CALLSETS)}
    assert dates == {dt.date(2026, 1, 1)}
