"""Fixtures shared by the suite: one Spark session, fresh warehouses, outside data and oracles."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import hypothesis
import pytest

from tools.soak.processes import INTERPRETED

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from allofus_spark.tables import Warehouse
    from tests.cases.pool import Pool

DATA_VARIABLE = "ALLOFUS_TEST_DATA"
# Set by .ci/run: what is absent there is a failure, not a reason to skip.
REQUIRE_ALL = bool(os.environ.get("ALLOFUS_REQUIRE_ALL"))

# The first example of a test can have a kernel to compile. .ci/run tries the same examples each
# time: it judges the change and not the luck of the day; elsewhere each run tries others.
hypothesis.settings.register_profile("allofus", deadline=None, derandomize=REQUIRE_ALL)
hypothesis.settings.load_profile("allofus")

# On the tests' small data a collector that works beside the tasks takes their core. Compiled code has room
# for all of it: what does not fit is thrown away and compiled again.
BRIEF_JVM = "-XX:+UseSerialGC -XX:ReservedCodeCacheSize=512m"

# Folders of which every test is long.
LONG_FOLDERS = ("long",)
# These take minutes each: last, one would run while the other workers have nothing left.
FIRST_FILES = ("long/test_kills.py", "long/test_cluster.py", "long/test_fifty_nights.py")
# These use the pool of cases, which takes a minute to make.
POOL_FILES = (
    "cases/test_frequencies.py",
    "long/test_jobs_run_twice.py",
    "long/test_maintained_pool.py",
    "pipeline/test_nightly.py",
    "query/test_run_query.py",
    "tables/test_other_engines.py",
    "withdrawal/test_every_table.py",
)


@pytest.hookimpl(tryfirst=True)  # before options of the command line choose by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of the long folders: `make test-long` runs what is long, `make test` the rest."""
    root = Path(__file__).parent
    for item in items:
        if item.path.relative_to(root).parts[0] in LONG_FOLDERS:
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: _place(item.path.relative_to(root).as_posix()))


def _place(file: str) -> int:
    return FIRST_FILES.index(file) if file in FIRST_FILES else len(FIRST_FILES)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests go to one worker; those of the pool's files, too."""
    from xdist.scheduler import LoadFileScheduling

    class ByPoolOrFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "pool" if file.endswith(POOL_FILES) else file

    return ByPoolOrFile(config, log)


def _absent(message: str) -> NoReturn:
    if REQUIRE_ALL:
        pytest.fail(message)
    pytest.skip(message)


def _data_folder(name: str) -> Path:
    root = os.environ.get(DATA_VARIABLE)
    if not root:
        _absent(f"set {DATA_VARIABLE} to a folder that holds {name}/ (see README, Tests)")
    folder = Path(root) / name
    if not folder.is_dir():
        pytest.fail(f"{DATA_VARIABLE}={root} has no folder {name}/")
    return folder


@pytest.fixture(scope="session")
def realdata() -> Path:
    return _data_folder("realdata")


@pytest.fixture(scope="session")
def cases() -> Path:
    return _data_folder("cases")


@pytest.fixture(scope="session")
def oracle() -> Callable[[str], str]:
    def find(program: str) -> str:
        path = shutil.which(program)
        if path is None:
            _absent(f"{program} is not installed (Debian: apt-get install plink2 bcftools tabix)")
        return path

    return find


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    from allofus_spark.session import start_session
    from allofus_spark.settings import load_settings

    settings = load_settings(
        warehouse=str(tmp_path_factory.mktemp("session")),
        overrides=[
            "spark.shuffle_partitions=2",
            "spark.driver_memory=3g",
            f"spark.extra.spark.driver.extraJavaOptions={BRIEF_JVM}",
            *INTERPRETED,  # those of jobs, the cluster and the demo compile as those of users do
        ],
    )
    session = start_session(settings, app_name="tests")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "stop", _stopped_by_a_test)
        yield session
    session.stop()


@pytest.fixture(scope="module", autouse=True)
def _forgotten_tables() -> Iterator[None]:
    """Delta keeps 2 MB of each table that it has read: those of all tests would fill the session."""
    yield
    if "pyspark" in sys.modules:
        from pyspark.sql import SparkSession

        from allofus_spark.jvm import java

        session = SparkSession._instantiatedSession
        if session is not None:
            java(session, "org.apache.spark.sql.delta.DeltaLog.clearCache")()


def _stopped_by_a_test() -> NoReturn:
    pytest.fail("a test stops the session that all tests share: give it one whose stop does nothing")


@pytest.fixture
def warehouse(spark: SparkSession, tmp_path: Path) -> Warehouse:
    from allofus_spark.settings import load_settings
    from allofus_spark.tables import Warehouse

    return Warehouse(spark, load_settings(warehouse=str(tmp_path / "warehouse")))


@pytest.fixture(scope="session")
def pool(spark: SparkSession, cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Pool:
    """Several small VCFs as one cohort, ingested, counted, with relatives and ancestries; not to change."""
    from tests.cases.pool import make_pool

    return make_pool(spark, cases, tmp_path_factory.mktemp("pool"))


@pytest.fixture(scope="session")
def whole_pool(pool: Pool) -> Pool:
    """The pool with rows in every table."""
    from tests.cases.pool import fill_pool

    fill_pool(pool)
    return pool
