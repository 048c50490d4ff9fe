"""The session: Delta, Hail and bgzip in one Spark, with the arithmetic and files that the tables rely on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pysam
import pyspark
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyspark.errors import ArithmeticException, NumberFormatException
from pyspark.sql.functions import spark_partition_id

from allofus_spark.errors import BuildMismatch
from allofus_spark.jars import fetch_jars
from allofus_spark.java_trust import PASSWORD, system_authorities, write_trust_store
from allofus_spark.session import start_session
from allofus_spark.session.properties import parse_properties
from allofus_spark.settings import load_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[1]


def test_a_second_start_gives_the_running_session(spark: SparkSession) -> None:
    again = start_session(load_settings(overrides=["spark.shuffle_partitions=2"]), app_name="again")
    assert again.sparkContext is spark.sparkContext


def test_arithmetic_is_strict_and_time_is_utc(spark: SparkSession) -> None:
    with pytest.raises(NumberFormatException):
        spark.sql("SELECT CAST('.' AS INT)").collect()
    with pytest.raises(ArithmeticException):
        spark.sql("SELECT CAST(2147483647 AS INT) + CAST(1 AS INT)").collect()
    (row,) = spark.sql("SELECT CAST(TIMESTAMP'2024-07-01 00:00:00Z' AS STRING) AS t").collect()
    assert row.t == "2024-07-01 00:00:00"


def test_delta_files_are_zstd_with_timestamps_that_others_read(spark: SparkSession, tmp_path: Path) -> None:
    spark.sql("SELECT 1L AS id, TIMESTAMP'2024-07-01 00:00:00Z' AS t").write.format("delta").save(
        f"{tmp_path}/d"
    )
    (file,) = (tmp_path / "d").glob("*.parquet")
    metadata = pq.ParquetFile(file).metadata
    assert {metadata.row_group(0).column(i).compression for i in range(2)} == {"ZSTD"}
    assert [metadata.row_group(0).column(i).physical_type for i in range(2)] == ["INT64", "INT64"]


def test_an_append_of_other_columns_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    spark.range(1).write.format("delta").save(f"{tmp_path}/d")
    with pytest.raises(Exception, match="schema mismatch"):
        spark.sql("SELECT 1L AS id, 2 AS b").write.format("delta").mode("append").save(f"{tmp_path}/d")


def test_bgzip_is_read_line_for_line_in_splits(spark: SparkSession, tmp_path: Path) -> None:
    lines = [f"{i}\t" + "0/1\t" * 200 for i in range(2000)]
    with pysam.BGZFile(f"{tmp_path}/x.vcf.bgz", "w") as out:
        out.write("".join(f"{line}\n" for line in lines).encode())
    spark.conf.set("spark.sql.files.maxPartitionBytes", 5000)
    try:
        text = spark.read.option("lineSep", "\n").text(f"{tmp_path}/x.vcf.bgz")
        rows = text.withColumn("split", spark_partition_id()).collect()
        assert len({row.split for row in rows}) > 1
        assert sorted(row.value for row in rows) == sorted(lines)
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")


def test_workers_run_this_python_with_one_thread_a_task(spark: SparkSession) -> None:
    def tell(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_CACHE_DIR")
            yield pa.RecordBatch.from_pydict(
                {"fact": [sys.executable, *(os.environ[name] for name in names)]}
            )

    rows = spark.range(0, 1, 1, 1).mapInArrow(tell, "fact string").collect()
    python, *threads, cache = (row.fact for row in rows)
    assert Path(python).samefile(sys.executable)
    assert threads == ["1", "1"]
    assert Path(cache).is_dir()


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text("ab.#! =:\\\t,*/", max_size=12), max_size=6))
def test_properties_are_read_as_java_reads_them(spark: SparkSession, lines: list[str]) -> None:
    text = "\n".join(lines)
    theirs = spark._jvm.java.util.Properties()
    theirs.load(spark._jvm.java.io.StringReader(text))
    expected = {key: str(theirs.getProperty(key)).strip() for key in theirs.stringPropertyNames() if key}
    assert parse_properties(text).confs == expected


def test_java_reads_the_trust_store_that_we_write(spark: SparkSession, tmp_path: Path) -> None:
    certificates = system_authorities()
    if not certificates:
        pytest.skip("this machine has no list of certificate authorities (Debian: ca-certificates)")
    write_trust_store(tmp_path / "trusted.jks", certificates)
    jvm = spark._jvm
    password = spark.sparkContext._gateway.new_array(jvm.char, len(PASSWORD))
    for place, letter in enumerate(PASSWORD):
        password[place] = letter
    store = jvm.java.security.KeyStore.getInstance("JKS")
    store.load(jvm.java.io.FileInputStream(str(tmp_path / "trusted.jks")), password)
    assert store.size() == len(certificates)
    last = store.getCertificate(f"authority-{len(certificates) - 1}")
    assert bytes(last.getEncoded()) == certificates[-1]


def submit(script: Path, *options: str, python_path: str = "") -> subprocess.CompletedProcess[str]:
    """Run a script by spark-submit on a local master, as on a command line."""
    program = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": python_path}
    return subprocess.run(
        [str(program), "--master", "local[2]", *options, str(script)],
        capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=300,
    )  # fmt: skip


SCRIPT = """
from allofus_spark.errors import EnvironmentProblem
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
try:
    spark = start_session(load_settings("conf/laptop.toml"), app_name="submitted")
except EnvironmentProblem as problem:
    print("refused:", problem)
else:
    spark.range(10).write.format("delta").save("{table}")
    count = spark.read.format("delta").load("{table}").count()
    conf = spark.conf.get
    print(count, spark.sparkContext.master, conf("spark.sql.ansi.enabled"), conf("spark.serializer"))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "job.py"
    file.write_text(SCRIPT.replace("{table}", str(tmp_path / "table")), encoding="utf-8")
    return file


@pytest.mark.long
def test_spark_submit_gives_the_same_session(script: Path, tmp_path: Path) -> None:
    fetch_jars(tmp_path / "jars")
    text = (ROOT / "conf" / "spark-defaults.conf").read_text(encoding="utf-8")
    conf = tmp_path / "spark-defaults.conf"
    conf.write_text(text.replace("/opt/allofus-spark/jars", str(tmp_path / "jars")), encoding="utf-8")
    answer = submit(script, "--properties-file", str(conf))
    assert answer.stdout.splitlines()[-1:] == [
        "10 local[2] true org.apache.spark.serializer.KryoSerializer"
    ], answer.stderr
    assert " INFO " not in answer.stdout + answer.stderr


def test_spark_submit_without_the_jars_is_refused_before_anything_runs(script: Path) -> None:
    answer = submit(script)
    assert "refused: Spark cannot be started with Delta and Hail:" in answer.stdout, answer.stderr
    assert "cannot load Delta, nor delta-storage, which Delta needs, nor Hail" in answer.stdout
    assert "spark.driver.extraClassPath" in answer.stdout


def test_hail_and_delta_share_the_session(spark: SparkSession, tmp_path: Path) -> None:
    from allofus_spark.hail_bridge import start_hail

    start_hail(spark, "GRCh37")
    start_hail(spark, "GRCh38")
    import hail as hl

    assert hl.default_reference().name == "GRCh38"
    spark.range(7).write.format("delta").save(f"{tmp_path}/d")
    table = hl.Table.from_spark(spark.read.format("delta").load(f"{tmp_path}/d"))
    assert table.aggregate(hl.agg.sum(table.id)) == 21
    spark.range(3).write.format("delta").mode("append").save(f"{tmp_path}/d")
    assert spark.read.format("delta").load(f"{tmp_path}/d").count() == 10
    with pytest.raises(BuildMismatch, match="no reference genome named hg99; it has GRCh37, GRCh38"):
        start_hail(spark, "hg99")
