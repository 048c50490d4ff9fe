"""Jobs on a real Spark standalone cluster, whose workers have no package but what a job brings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from allofus_spark.ingest import ingest_genotypes
from allofus_spark.pipeline import run_nightly
from allofus_spark.settings import load_settings
from allofus_spark.ship import pack_environment, pack_package
from allofus_spark.tables import Warehouse
from tests.long.clusters import ROOT, Cluster, link_jars, started_cluster, wait_for
from tools.soak.contents import contents, newest

SHARDS = ("1kg_p3_2504_chr1_11.70-11.84M.grch37.vcf.gz", "1kg_p3_2504_chr22_16.05-16.5M.grch37.vcf.gz")
# Many tasks of a second or less, so that each job is amid its tasks for a while.
SETTINGS = (
    "ingest.split_bytes=65536",
    "genome.bin_width_bases=50000",
    'nightly.stages=["compute_frequencies", "compute_qc", "summarise_variants"]',
)
_WAIT_SECONDS = 300  # a machine may have more to do than this
SET = tuple(word for setting in SETTINGS for word in ("--set", setting))
WHERE = """
import pyarrow as pa
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings

def tell(batches):
    import allofus_spark
    for _ in batches:
        yield pa.RecordBatch.from_pydict({"place": [allofus_spark.__file__]})

spark = start_session(load_settings("conf/cluster.toml"), app_name="where")
for row in spark.range(0, 4, 1, 4).mapInArrow(tell, "place string").distinct().collect():
    print("task:", row.place)
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    link_jars(folder / "jars")
    with started_cluster(folder, folder / "jars", workers=2) as started:
        yield started


@pytest.fixture(scope="module")
def environment(expected: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Options of spark-submit that send a packed environment to the workers."""
    packed = pack_environment(tmp_path_factory.mktemp("packed") / "env.tar.gz")
    return ("--archives", f"{packed.file}#env")


@pytest.fixture(scope="module")
def sources(realdata: Path) -> list[str]:
    return [str(realdata / "multisample" / name) for name in SHARDS]


@pytest.fixture(scope="module")
def expected(
    spark: SparkSession, sources: list[str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The tables of a run in this process, undisturbed."""
    root = str(tmp_path_factory.mktemp("local") / "warehouse")
    warehouse = Warehouse(spark, load_settings(warehouse=root, overrides=SETTINGS))
    ingest_genotypes(warehouse, sources, callset_id="g1k", callset_date="2013-05-02", build="GRCh37")
    assert run_nightly(warehouse).is_well
    return contents(root)


def test_tasks_import_the_package_that_was_sent(cluster: Cluster, tmp_path: Path) -> None:
    script = tmp_path / "where.py"
    script.write_text(WHERE)
    package = pack_package(tmp_path / "package.tar.gz").file
    sent = ("--archives", f"{package}#package", "--conf", "spark.executorEnv.PYTHONPATH=./package")
    said = cluster.submit(script, options=sent, python=sys.executable).wait()
    places = [line.removeprefix("task: ") for line in said.splitlines() if line.startswith("task: ")]
    assert places, said
    assert all(Path(place).is_relative_to(cluster.folder) for place in places), places


def test_a_callset_and_a_night_end_right_though_workers_are_lost_and_a_driver_is_killed(
    cluster: Cluster,
    environment: tuple[str, ...],
    sources: list[str],
    expected: dict[str, str],
    tmp_path: Path,
) -> None:
    root = str(tmp_path / "warehouse")
    callset = ("--callset", "g1k", "--date", "2013-05-02", "--build", "GRCh37")
    ingest = cluster.submit(
        ROOT / "jobs" / "ingest_genotypes.py", "--warehouse", root, *SET, *callset, *sources,
        options=environment, python="./env/bin/python",
    )  # fmt: skip
    wait_for(lambda: not ingest.is_running() or len(staged(root)) > 3, _WAIT_SECONDS)
    assert ingest.is_running(), ingest.log.read_text()
    cluster.kill_a_worker()
    said = ingest.wait()
    ends = {event["Task End Reason"]["Reason"] for event in ingest.events("TaskEnd")}
    assert ends == {"Success", "ExecutorLostFailure"}, said
    cluster.start_worker()

    # The nodes have the other packages, and get this one.
    package = pack_package(tmp_path / "package.tar.gz").file
    sent = ("--archives", f"{package}#package", "--conf", "spark.executorEnv.PYTHONPATH=./package")
    job = (ROOT / "jobs" / "nightly.py", "--warehouse", root, *SET)
    killed = cluster.submit(*job, options=sent, python=sys.executable)
    wait_for(lambda: not killed.is_running() or counts(root), _WAIT_SECONDS)
    assert killed.is_running(), killed.log.read_text()
    killed.kill()
    assert "allele_counts" not in newest(root)

    again = cluster.submit(*job, options=sent, python=sys.executable)
    # Executors of the killed driver write on for a moment; each has ended where one of this driver begins.
    wait_for(lambda: not again.is_running() or again.has_executors(), _WAIT_SECONDS)
    left = len(counts(root))
    wait_for(lambda: not again.is_running() or len(counts(root)) > left, _WAIT_SECONDS)
    assert again.is_running(), again.log.read_text()
    cluster.kill_a_worker()
    said = again.wait()
    assert again.events("ExecutorRemoved"), said
    assert contents(root) == expected


def staged(root: str) -> list[Path]:
    """Files that tasks of an ingest have handed on so far."""
    return list(Path(root).rglob("_staging/**/*.parquet"))


def counts(root: str) -> list[Path]:
    """Data files of allele counts, whether or not a commit names them."""
    return list(Path(root).rglob("allele_counts/**/*.parquet"))
