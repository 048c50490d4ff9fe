"""Which files a path, glob or folder stands for, and reading them on any Hadoop file system."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from allofus_spark.errors import BadSamples, BadSource
from allofus_spark.genome import load_build
from allofus_spark.ingest.files import list_sources
from allofus_spark.ingest.filters import GenotypeFilters
from allofus_spark.ingest.plan import plan_vcf
from allofus_spark.ingest.source import IngestJob
from allofus_spark.ingest.stage import stage_records, staging_folder
from allofus_spark.ingest.vcf import staging
from allofus_spark.ingest.vcf_source import RejoinedLines
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse
from tests.cases.plain_ingest import key_of, parse_file, plain_calls
from tests.cases.vcf_files import gt_record, vcf_text, write_bgzip, write_bytes, write_gzip

TEXT = vcf_text([gt_record("0/1", "0/0")])
ODD_NAMES = [
    "plain.vcf", "sp ace.vcf", "ünï 双.vcf", "br[0-9].vcf", "cu{a,b}.vcf", "semi;colon.vcf", "per%20cent.vcf",
    "hash#.vcf", "quest?.vcf", "star*.vcf", "pl+us.vcf", "quo'te\".vcf", "back\\slash.vcf", "UPPER.VCF.GZ",
]  # fmt: skip


def paths_of(spark: SparkSession, *sources: object) -> list[str | None]:
    return [file.local for file in list_sources(spark, [str(source) for source in sources])]


def test_a_name_is_itself_whatever_characters_it_holds(spark: SparkSession, tmp_path: Path) -> None:
    folder = tmp_path / "a b é [x] {y} ; % # ? %20 *"
    folder.mkdir()
    paths = [write_bytes(folder / name, TEXT) for name in ODD_NAMES]
    for path in paths:
        assert paths_of(spark, path) == [str(path)]
        (file,) = list_sources(spark, [str(path)])
        assert plan_vcf(spark, [file], load_build("GRCh38"), split_bytes=1 << 20).samples == ("S1", "S2")
    assert paths_of(spark, folder) == sorted(map(str, paths))
    assert paths_of(spark, f"{tmp_path}/a b*/sp*.vcf") == [str(folder / "sp ace.vcf")]


def test_a_folder_stands_for_its_vcf_files_and_each_file_counts_once(
    spark: SparkSession, tmp_path: Path
) -> None:
    names = ["b.vcf.gz", "a.vcf", "c.vcf.bgz", "notes.txt", "a.vcf.gz.tbi", "d.bcf"]
    for name in names:
        write_bytes(tmp_path / name, TEXT)
    (tmp_path / "inner.vcf").mkdir()
    wanted = [str(tmp_path / name) for name in ("a.vcf", "b.vcf.gz", "c.vcf.bgz")]
    assert paths_of(spark, tmp_path) == wanted
    again = [tmp_path, f"{tmp_path}/*.vcf*[zf]", f"file://{tmp_path}/a.vcf", f"{tmp_path}/./a.vcf"]
    assert paths_of(spark, *again, f"{tmp_path}//a.vcf", f"{tmp_path}/inner.vcf/../a.vcf") == wanted


def test_a_link_counts_and_a_broken_one_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    source = write_bytes(tmp_path / "source", TEXT)
    folder = tmp_path / "shards"
    folder.mkdir()
    (folder / "a.vcf").symlink_to(source)
    assert paths_of(spark, folder) == [str(folder / "a.vcf")]
    (folder / "b.vcf").symlink_to(tmp_path / "nothing")
    with pytest.raises(BadSource, match=r"1 of its files are links to nothing: b\.vcf"):
        list_sources(spark, [str(folder)])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{folder}/absent.vcf", "no such file, or a folder or pattern without VCF, "),
        ("{folder}/*.bcf", "no such file"),
        ("{folder}/empty", "no such file"),
        ("{folder}/a.vcf/b.vcf", "no such file"),
        ("{folder}/[a", "cannot be listed: .*Illegal file pattern"),
        ("", "cannot be listed"),
        ("chr1:1-5.vcf", "cannot be listed: .* absolute path"),
        ("nope://host/a.vcf", 'cannot be listed: .*No FileSystem for scheme "nope"'),
        ("{folder}/pipe.vcf", "not a regular file"),
    ],
)
def test_what_cannot_be_read_is_named(source: str, message: str, spark: SparkSession, tmp_path: Path) -> None:
    write_bytes(tmp_path / "a.vcf", TEXT)
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.vcf")
    source = source.format(folder=tmp_path)
    with pytest.raises(BadSource, match=message) as refusal:
        list_sources(spark, [str(tmp_path / "a.vcf"), source])
    assert str(refusal.value).startswith(source)


def test_no_sources_are_refused(spark: SparkSession) -> None:
    with pytest.raises(BadSource, match="no source files were named"):
        list_sources(spark, [])


def test_the_first_bad_file_is_named_and_the_others_counted(spark: SparkSession, tmp_path: Path) -> None:
    for name in ("a", "c", "e"):
        write_bytes(tmp_path / f"{name}.vcf", TEXT)
    write_bytes(tmp_path / "b.vcf", "")
    write_bytes(tmp_path / "d.vcf.gz", write_bgzip(tmp_path / "whole", TEXT).read_bytes()[:30])
    files = list_sources(spark, [str(tmp_path)])
    with pytest.raises(BadSource, match=r"b\.vcf: empty file .* \(1 more of 5 files are bad too\)"):
        plan_vcf(spark, files, load_build("GRCh38"), split_bytes=1 << 20)


def test_shards_may_order_samples_differently_but_not_have_others(
    spark: SparkSession, tmp_path: Path
) -> None:
    samples = {"a": ["S1", "S2", "S3"], "b": ["S3", "S1", "S2"], "c": ["S1", "S2", "S4", "S5"]}
    for name, ids in samples.items():
        write_bytes(tmp_path / f"{name}.vcf", vcf_text([], ids))
    build = load_build("GRCh38")
    files = list_sources(spark, [str(tmp_path)])
    assert plan_vcf(spark, files[:2], build, split_bytes=1 << 20).samples == ("S1", "S2", "S3")
    with pytest.raises(
        BadSamples, match=r"c\.vcf: other samples than .*a\.vcf: it lacks 1: S3; it has besides 2: S4, S5"
    ):
        plan_vcf(spark, files, build, split_bytes=1 << 20)


@pytest.mark.parametrize(
    ("change", "message"),
    [("grow", "the file goes on|trailing garbage"), ("shrink", "cut short"), ("vanish", "cannot be read")],
)
@pytest.mark.parametrize("write", [write_bytes, write_bgzip, write_gzip])
def test_a_file_that_changes_after_the_plan_is_refused(
    write: Callable[[Path, str], Path], change: str, message: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.vcf", TEXT)

    def change_it() -> None:
        data = path.read_bytes()
        path.unlink()
        if change != "vanish":
            write_bytes(path, data + data[-40:] if change == "grow" else data[:-9])

    with pytest.raises(BadSource, match=rf"a\.vcf: .*({message})"):
        parse_file(path, before_reading=change_it)


# -- other file systems ----------------------------------------------------------------------------


@pytest.fixture
def remote(spark: SparkSession, tmp_path: Path) -> Path:
    """A folder that is also ``viewfs://store/data``: a file system that tasks cannot open as files."""
    folder = tmp_path / "remote é"
    folder.mkdir()
    configuration = spark._jsc.hadoopConfiguration()  # type: ignore[attr-defined]
    configuration.set("fs.viewfs.mounttable.store.link./data", folder.as_uri())
    # Hadoop caches a file system by its address, with the mounts of its first use.
    configuration.set("fs.viewfs.impl.disable.cache", "true")
    return folder


def test_another_file_system_gives_the_same_rows_for_every_kind(
    remote: Path, spark: SparkSession, tmp_path: Path
) -> None:
    def text(contig: str, samples: tuple[str, str], line_end: str = "\n") -> str:
        records = [gt_record("0/1", "1/1", pos=pos, contig=contig) for pos in range(100, 400)]
        records.append(gt_record("0/1", "0/2", pos=500, contig=contig))  # refused
        return vcf_text(records, samples, line_end=line_end)

    paths = [
        write_bytes(remote / "a [1] {x}.vcf", text("chr1", ("S1", "S2"))),
        write_bytes(remote / "b no end.vcf", text("chr2", ("S1", "S2")).rstrip("\n")),
        write_gzip(remote / "c é.vcf.gz", text("chr3", ("S1", "S2"), "\r\n")),
        write_bgzip(remote / "d.vcf.gz", text("chr4", ("S2", "S1")), block_bytes=999),
        write_bgzip(remote / "e.vcf.bgz", text("chr5", ("S1", "S2")).rstrip("\n")),
        write_bytes(remote / "f%20.vcf.gz", text("chr6", ("S1", "S2"))),
    ]
    files = list_sources(spark, ["viewfs://store/data"])
    assert [file.uri for file in files] == [f"viewfs://store/data/{path.name}" for path in paths]
    beside = write_bytes(tmp_path / "beside.vcf", text("chr7", ("S1", "S2")))
    with pytest.raises(BadSource, match="6 of 7 source files are not on the local file system: viewfs:"):
        list_sources(spark, ["viewfs://store/data", str(beside)])
    build = load_build("GRCh38")
    plan = plan_vcf(spark, files, build, split_bytes=1 << 16)
    job = IngestJob(
        samples=plan.samples,
        sex=np.zeros(2, np.int8),
        build=build,
        reference=None,
        filters=GenotypeFilters(),
        max_alts=50,
        chunk_bytes=1 << 16,
        batch_bytes=1 << 20,
        max_line_bytes=1 << 20,
    )
    with staging_folder(spark, str(tmp_path), "run") as folder:
        warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path)))
        staged = stage_records(warehouse, plan, job, folder)
        counters = staged.ledger.totals
        rows = staged.rows.where("row_kind <> 'ledger'").collect()
    assert not (tmp_path / "_staging" / "run").exists()
    assert (counters["files"], counters["records_kept"], counters["records_refused"]) == (6, 1800, 6)
    for path in paths:
        local = parse_file(path)
        mine = [row for row in rows if row.source_file.endswith(path.name)]
        order = 1 if local.samples == plan.samples else -1
        expected = {
            (key, row["source_offset"]): local.calls[key][::order]
            for row in local.alleles
            for key in [key_of(row)]
        }
        found = {
            (key_of(row), row.source_offset): plain_calls(row) for row in mine if row.row_kind == "allele"
        }
        assert found == expected
        assert [row.source_offset for row in mine if row.reason] == [
            row["source_offset"] for row in local.refused
        ]


def test_what_a_dead_task_leaves_is_not_read(spark: SparkSession, tmp_path: Path) -> None:
    rows = staging.staged_batch({"row_kind": pa.array(["allele"])}, 1)
    path = staging.staged_path(str(tmp_path), 0)
    with suppress(InterruptedError), staging.write_staged(path) as file:
        file.write_batch(rows)
        raise InterruptedError
    assert list(tmp_path.iterdir()) == []
    with staging.write_staged(path) as file:
        file.write_batch(rows)
        (unfinished,) = tmp_path.iterdir()
        shutil.copy(unfinished, f"{unfinished}.copy")  # as a task that is killed leaves it
    assert len(list(tmp_path.iterdir())) == 2
    assert spark.read.schema(staging.staged_schema()).parquet(str(tmp_path)).count() == 1


@given(
    st.binary(max_size=60).map(lambda data: data.replace(b"a", b"\n")),
    st.lists(st.integers(1, 9), min_size=1),
)
def test_bytes_cut_at_newlines_are_rejoined_as_they_were(data: bytes, sizes: list[int]) -> None:
    # Hadoop's reader gives the text between newlines, and nothing after a last newline.
    pieces = data.split(b"\n")
    if pieces[-1] == b"":
        pieces.pop()
    stream = RejoinedLines(iter(pieces), len(data))
    read = []
    while piece := stream.read(sizes[len(read) % len(sizes)]):
        read.append(piece)
    assert b"".join(read) == data


def test_a_file_that_has_grown_gives_more_bytes_than_planned() -> None:
    def pieces() -> Iterator[bytes]:
        yield from (b"one", b"two", b"three")

    assert RejoinedLines(pieces(), len(b"one\ntwo\n")).read(100) == b"one\ntwo\nthree"
    assert RejoinedLines(pieces(), len(b"one\ntw")).read(100) == b"one\ntwo\nthree"
