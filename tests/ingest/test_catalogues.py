"""Catalogues that come into a warehouse in turn: versions, what is refused, replaced, repeated."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pysam
import pytest
from click.testing import CliRunner
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from allofus_spark.errors import AllofusError, BadSource, BuildMismatch
from allofus_spark.ingest import ingest_catalogue, ingest_genotypes
from allofus_spark.ingest.catalogue import writes
from allofus_spark.settings import load_settings
from allofus_spark.tables import (
    CATALOGUES,
    KNOWN_PARTITIONS,
    KNOWN_VARIANTS,
    PIPELINE_RUNS,
    REJECTED_KNOWN_RECORDS,
    SNAPSHOTS,
    VARIANTS,
    Table,
    Warehouse,
)
from tests.cases.vcf_files import gt_record, vcf_text, write_bgzip, write_bytes
from tests.unchanged import leaves_unchanged

CONTENT = (CATALOGUES, KNOWN_VARIANTS, KNOWN_PARTITIONS, REJECTED_KNOWN_RECORDS)
Known = dict[str, str | None]


def ingest(warehouse: Warehouse, *paths: Path | str, version: str = "1", **options: Any) -> dict[str, int]:
    options = {"name": "known", "build": "GRCh38", **options}
    return ingest_catalogue(warehouse, [str(path) for path in paths], version=version, **options)


def rows_of(warehouse: Warehouse, table: Table, version: str | None = None) -> list[dict[str, Any]]:
    """Live rows in key order, read by delta-rs."""
    rows: pa.Table = DeltaTable(warehouse.path(table)).to_pyarrow_table()
    rows = rows.sort_by([(name, "ascending") for name in table.key])
    return [row for row in rows.to_pylist() if version is None or row["version"] == version]


def known(warehouse: Warehouse, version: str = "1") -> Known:
    """Allele to known_id of a version, from the newest snapshot."""
    rows = warehouse.read(KNOWN_VARIANTS).where(f"catalogue = 'known' AND version = '{version}'").collect()
    alleles = {f"{row.contig}:{row.position}:{row.ref}:{row.alt}": row.known_id for row in rows}
    assert len(alleles) == len(rows)
    return alleles


def sites_text(*records: str, meta: tuple[str, ...] = ("##fileDate=20260102",)) -> str:
    """A sites-only VCF of ``CONTIG POS ID REF ALT`` records."""
    return vcf_text([f"{record} . . ." for record in records], None, meta=meta)


FIRST = [
    "NC_000001.11 100 rs2 A C,G",
    "NC_000001.11 200 rs10;rs9 G GTT",
    "NC_000021.9 300 . T <DEL>,C",
    "NC_000021.9 400 rs5 A 7",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards with different samples, and a table, of one catalogue; a second version of it."""
    folder = tmp_path_factory.mktemp("catalogues")
    more = [gt_record("0/1", contig="1", alt="C").replace(" . A", " rs1 A"), gt_record("x", pos=101)]
    write_bgzip(folder / "a.vcf.gz", sites_text(*FIRST))
    write_bytes(folder / "b.vcf", vcf_text(more, ["S9"], meta=["##fileDate=2026-01-03T00:00:00"]))
    write_bytes(folder / "c.tsv", "chrom\tpos\tref\talt\trsid\nX\t7\tc\tt\trs7\nchr1\t200\tGA\tGTTA\trs9\n")
    write_bytes(folder / "second.vcf", sites_text("chr1 100 rs2 A C"))
    records = ["X 7 rs7 C T", "1 200 rs9 G GTT", "1 101 . A T", "1 200 rs10 G GTT", "1 100 rs2 A G,C"]
    write_bytes(folder / "other.vcf", sites_text(*records, "1 100 rs1 A C", "21 300 rsX T C"))
    return folder


FILES = ("a.vcf.gz", "b.vcf", "c.tsv")
ALLELES: Known = {
    "chr1:100:A:C": "rs1;rs2",
    "chr1:100:A:G": "rs2",
    "chr1:101:A:T": None,
    "chr1:200:G:GTT": "rs10;rs9",
    "chr21:300:T:C": None,
    "chrX:7:C:T": "rs7",
}


@pytest.fixture(scope="module")
def held(spark: SparkSession, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse with versions 1 and 2, and with alleles of 1 written otherwise as another catalogue.

    The tests below leave its content as it is.
    """
    root = tmp_path_factory.mktemp("held")
    overrides = ["ingest.max_rejected_share=0.2", "genome.bin_width_bases=1000"]
    warehouse = Warehouse(spark, load_settings(warehouse=str(root), overrides=overrides))
    counters = ingest(warehouse, *(folder / name for name in FILES))
    assert (counters["alleles_read"], counters["alleles_kept"], counters["alleles_merged"]) == (8, 6, 2)
    ingest(warehouse, folder / "second.vcf", version="2", covers=["chr1:1-500", "1:400-600", "chr2:5-5"])
    ingest(warehouse, folder / "other.vcf", name="other", version="1")
    return warehouse


@pytest.fixture
def unchanged(held: Warehouse) -> Iterator[Warehouse]:
    """``held``, whose snapshot and tables must be the same after the test."""
    with leaves_unchanged(held, CONTENT):
        yield held


def test_equal_alleles_of_all_files_are_one_row_with_all_their_ids(held: Warehouse) -> None:
    assert known(held) == ALLELES
    assert known(held, "2") == {"chr1:100:A:C": "rs2"}


def test_what_is_said_about_a_version(held: Warehouse, folder: Path) -> None:
    first, second, _ = rows_of(held, CATALOGUES)
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in FILES]
    assert first["checksum"] == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert second["checksum"] == hashlib.sha256((folder / "second.vcf").read_bytes()).hexdigest()
    assert first["source_files"] == [str(folder / name) for name in FILES]
    assert (first["catalogue_date"], second["catalogue_date"]) == (dt.date(2026, 1, 3), dt.date(2026, 1, 2))
    assert [(item["contig"], item["first"], item["last"]) for item in first["covered"]] == [
        ("chr1", 1, 248956422), ("chr21", 1, 46709983), ("chrX", 1, 156040895),
    ]  # fmt: skip
    assert [(item["contig"], item["first"], item["last"]) for item in second["covered"]] == [
        ("chr1", 1, 600), ("chr2", 5, 5),
    ]  # fmt: skip
    numbers = ("n_records", "n_alleles", "n_not_comparable", "n_refused")
    assert [first[name] for name in numbers] == [8, 6, 1, 1]
    assert (first["build"], first["normalised_with"]) == ("GRCh38", None)
    (refused,) = rows_of(held, REJECTED_KNOWN_RECORDS)
    assert (refused["version"], refused["chrom"], refused["pos"]) == ("1", "NC_000021.9", "400")
    assert (refused["reason"], refused["alt"]) == ("bad_alt", "7")


def test_every_record_of_every_file_is_accounted_for(held: Warehouse, folder: Path) -> None:
    runs = [row for row in rows_of(held, PIPELINE_RUNS) if row["table_name"] == "known_variants"]
    first = min(runs, key=lambda row: row["started_at"])
    assert [tuple(source.values())[:4] for source in first["sources"]] == [
        (str(folder / "a.vcf.gz"), 4, 3, 1),
        (str(folder / "b.vcf"), 2, 2, 0),
        (str(folder / "c.tsv"), 2, 2, 0),
    ]


def test_partitions_tell_whether_their_alleles_are_the_same(held: Warehouse) -> None:
    """The hash is of the rows, not of their order, files, name or version; bins are 1,000 bases wide."""
    rows = rows_of(held, KNOWN_PARTITIONS)
    partitions = {(row["version"], row["contig"]): row for row in rows if row["catalogue"] == "known"}
    sizes = {key: (row["bin"], row["n_alleles"]) for key, row in partitions.items()}
    assert sizes == {
        ("1", "chr1"): (0, 4), ("1", "chr21"): (0, 1), ("1", "chrX"): (0, 1), ("2", "chr1"): (0, 1),
    }  # fmt: skip
    hashes = {row["contig"]: row["content_hash"] for row in rows if row["catalogue"] == "other"}
    assert hashes["chr1"] == partitions["1", "chr1"]["content_hash"]
    assert hashes["chrX"] == partitions["1", "chrX"]["content_hash"]
    assert hashes["chr21"] != partitions["1", "chr21"]["content_hash"]


def test_the_same_files_again_change_nothing(
    unchanged: Warehouse, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    snapshots = len(rows_of(unchanged, SNAPSHOTS))
    with caplog.at_level("INFO", logger="allofus_spark"):
        assert ingest(unchanged, *(folder / name for name in FILES)) == {"catalogues_unchanged": 1}
    assert "known 1 is in the warehouse already, from the same files: nothing to do" in caplog.text
    copy = write_bytes(tmp_path / "copy.vcf", (folder / "second.vcf").read_bytes())
    again = ingest(unchanged, copy, version="2", covers=["chr1:1-600", "chr2:5"], date="2026-01-02")
    assert again == {"catalogues_unchanged": 1}
    assert ingest(unchanged, *(folder / name for name in FILES), replace=True) == again
    assert len(rows_of(unchanged, SNAPSHOTS)) == snapshots


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"version": "1"}, BadSource, "other content and date .6 alleles from 3 files.; .* --replace"),
        ({"version": "2"}, BadSource, "with other coverage"),
        ({"version": "2", "date": "2026-01-09", "covers": ["1:1-600", "2:5"]}, BadSource, "other date "),
        ({"version": "3", "build": "GRCh37"}, BuildMismatch, "holds build GRCh38, the source is GRCh37"),
        ({"version": "a/b"}, BadSource, "catalogue version 'a/b': use 1 to 100 letters"),
        ({"name": ""}, BadSource, "catalogue name '': use 1 to 100 letters"),
        ({"version": "3", "date": "1.2.2026"}, BadSource, "catalogue date .*: give it as YYYY-MM-DD"),
        ({"version": "3", "covers": ["chr1:5-2"]}, BadSource, "START must be 1 or more, and END not before"),
        ({"version": "3", "covers": ["none.bed"]}, BadSource, "none.bed: cannot be read"),
    ],
    ids=["content", "coverage", "date", "build", "version", "name", "bad-date", "bad-region", "no-bed"],
)  # fmt: skip
def test_what_may_not_come_in_is_refused_before_anything_is_written(
    options: dict[str, Any],
    error: type[AllofusError],
    message: str,
    unchanged: Warehouse,
    folder: Path,
) -> None:
    with pytest.raises(error, match=message):
        ingest(unchanged, folder / "second.vcf", **options)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-28], "cut short .* end-of-file"),
        (lambda data: data[: len(data) // 2], "bad.vcf.gz: at byte|cut short"),
        (lambda data: data[:3000] + bytes([data[3000] ^ 1]) + data[3001:], "bad.vcf.gz: at byte"),
    ],
    ids=["no-end-block", "cut", "flipped-bit"],
)
def test_a_damaged_file_among_good_ones_commits_nothing(
    damage: Any, message: str, unchanged: Warehouse, folder: Path, tmp_path: Path
) -> None:
    rng = random.Random(7)
    records = [f"chr1 {pos} rs{rng.randrange(10**9)} A C" for pos in range(1000, 3000)]
    path = write_bgzip(tmp_path / "bad.vcf.gz", sites_text(*records), block_bytes=4000)
    write_bytes(path, damage(path.read_bytes()))
    with pytest.raises(BadSource, match=message):
        ingest(unchanged, folder / "second.vcf", path, version="3")


def test_files_that_hold_nothing_to_compare_are_refused(unchanged: Warehouse, tmp_path: Path) -> None:
    symbolic = write_bytes(tmp_path / "sv.vcf", sites_text("chr1 100 sv1 A <DEL>"))
    with pytest.raises(BadSource, match=r"sv\.vcf: no allele in 1 records that could be compared"):
        ingest(unchanged, symbolic, version="3")
    wrong = [f"chr1 {pos} . A 7" for pos in range(1, 4)]
    path = write_bytes(tmp_path / "wrong.vcf", sites_text(*wrong, "chr1 9 . A C"))
    with pytest.raises(
        BadSource, match=r"3 records or alleles of 4 records were refused \(3 bad_alt\), more"
    ):
        ingest(unchanged, path, version="3")
    other = write_bytes(tmp_path / "b37.vcf", sites_text("NC_000021.8 25000001 rs1 C T"))
    with pytest.raises(BuildMismatch, match=r"NC_000021\.8 is 21 of GRCh37"):
        ingest(unchanged, other, version="3")


def test_a_version_is_replaced_and_the_others_stay(
    warehouse: Warehouse, folder: Path, tmp_path: Path
) -> None:
    ingest(warehouse, folder / "second.vcf", version="1")
    ingest(warehouse, folder / "second.vcf", version="2")
    bad = [f"chr1 {pos} rs{pos} A C" for pos in range(1, 30)]
    path = write_bytes(tmp_path / "new.vcf", sites_text(*bad, "chr1 50 . A 7", "chr3 50 rs1 A C"))
    bed = write_bytes(tmp_path / "covered.bed", "chr3\t0\t100\n1\t10\t20\n1\t15\t30\n")
    ingest(warehouse, path, version="2", replace=True, covers=[str(bed), "chr4:7"])
    assert known(warehouse) == {"chr1:100:A:C": "rs2"}
    assert len(known(warehouse, "2")) == 30
    assert [row["n_alleles"] for row in rows_of(warehouse, KNOWN_PARTITIONS)] == [1, 29, 1]
    first, second = rows_of(warehouse, CATALOGUES)
    assert (first["n_alleles"], second["n_alleles"], second["n_refused"]) == (1, 30, 1)
    assert [(item["contig"], item["first"], item["last"]) for item in second["covered"]] == [
        ("chr1", 11, 30), ("chr3", 1, 100), ("chr4", 7, 7),
    ]  # fmt: skip
    ingest(warehouse, folder / "second.vcf", version="2", replace=True)
    assert known(warehouse, "2") == {"chr1:100:A:C": "rs2"}
    assert rows_of(warehouse, REJECTED_KNOWN_RECORDS) == []


def test_a_catalogue_that_comes_first_fixes_build_and_bins(
    spark: SparkSession, folder: Path, tmp_path: Path
) -> None:
    def opened(bin_width: int) -> Warehouse:
        overrides = [f"genome.bin_width_bases={bin_width}"]
        return Warehouse(spark, load_settings(warehouse=str(tmp_path / "w"), overrides=overrides))

    path = write_bytes(tmp_path / "k.vcf", sites_text("chr1 4100 rs2 A C", meta=()))
    ingest(opened(1000), path)
    (row,) = rows_of(opened(1000), CATALOGUES)
    assert row["catalogue_date"] is None
    callset = write_bytes(tmp_path / "c.vcf", vcf_text([gt_record("0/1", "1/1", pos=4100)]))
    options = {"callset_id": "c", "callset_date": "2026-01-01"}
    with pytest.raises(BuildMismatch, match="holds build GRCh38, the source is GRCh37"):
        ingest_genotypes(opened(1000), [str(callset)], build="GRCh37", **options)
    ingest_genotypes(opened(2000), [str(callset)], build="GRCh38", **options)
    assert [row["bin"] for row in rows_of(opened(2000), VARIANTS)] == [4]
    ingest(opened(3000), folder / "second.vcf", version="2")
    assert [(row["bin"], row["position"]) for row in rows_of(opened(3000), KNOWN_VARIANTS)] == [
        (4, 4100),
        (0, 100),
    ]


def test_case_07_meets_the_cohort_s_normal_form(spark: SparkSession, cases: Path, tmp_path: Path) -> None:
    folder = cases / "07_leftalign_known_sites"
    fasta = write_bytes(tmp_path / "ref.fa", (folder / "ref.fa").read_bytes())
    pysam.faidx(str(fasta))
    overrides = [f"genome.reference_fasta={fasta}"]
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path / "w"), overrides=overrides))
    ingest(warehouse, folder / "known.vcf", build=str(fasta))
    assert known(warehouse) == {
        "chrT:10:C:T": "rs900004",
        "chrT:48:G:GCAT": "rs900001",
        "chrT:73:CTG:C": "rs900002;rs900003",
        "chrT:73:C:CTG": "rs900002;rs900003",
    }
    (row,) = rows_of(warehouse, CATALOGUES)
    assert row["normalised_with"] == hashlib.sha256(fasta.read_bytes()).hexdigest()
    trimming = Warehouse(spark, load_settings(warehouse=str(tmp_path / "w")))
    with pytest.raises(BadSource, match="with other reference FASTA"):
        ingest(trimming, folder / "known.vcf", build=str(fasta))


@pytest.mark.parametrize("way", ["sorted", "remote"])
def test_other_ways_give_the_same_rows(
    way: str,
    spark: SparkSession,
    held: Warehouse,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sorted by Spark; and from and to file systems that tasks cannot open."""
    root, sources = str(tmp_path / "w"), str(folder)
    if way == "sorted":
        monkeypatch.setattr(writes, "cut_ranges", lambda _: None)
    else:
        configuration = spark._jsc.hadoopConfiguration()  # type: ignore[attr-defined]
        configuration.set("fs.viewfs.mounttable.catalogues.link./data", folder.as_uri())
        configuration.set("fs.viewfs.impl.disable.cache", "true")
        root, sources = str(tmp_path / "w%20"), "viewfs://catalogues/data"
    overrides = ["ingest.max_rejected_share=0.2", "genome.bin_width_bases=1000"]
    warehouse = Warehouse(spark, load_settings(warehouse=root, overrides=overrides))
    assert (warehouse.local_root is None) == (way == "remote")
    counters = ingest(warehouse, *(f"{sources}/{name}" for name in FILES))
    assert counters["alleles_merged"] == 2
    assert known(warehouse) == ALLELES
    (row,) = warehouse.read(CATALOGUES).collect()
    assert row.checksum == rows_of(held, CATALOGUES)[0]["checksum"]
    hashes = {(row.contig, row.content_hash) for row in warehouse.read(KNOWN_PARTITIONS).collect()}
    assert hashes == {
        (row["contig"], row["content_hash"])
        for row in rows_of(held, KNOWN_PARTITIONS, "1")
        if row["catalogue"] == "known"
    }
    assert warehouse.read(REJECTED_KNOWN_RECORDS).count() == 1
    assert ingest(warehouse, *(f"{sources}/{name}" for name in FILES)) == {"catalogues_unchanged": 1}


def test_the_command_says_what_is_missing() -> None:
    from allofus_spark.cli import main

    result = CliRunner().invoke(main, ["ingest-catalogue", "--name", "dbsnp", "a.vcf"])
    assert result.exit_code == 2
    assert "Missing option '--version'" in result.output
