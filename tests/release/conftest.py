"""One release of a random cohort, for tests that only look at it."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from allofus_spark.release import Released
from tests.release.made_cohort import Cohort, cohort_warehouse, publish, random_cohort


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    return random_cohort(3, 600, {"afr": 300, "amr": 120, "eur": 500, "oth": 12, None: 40})


@pytest.fixture(scope="session")
def released(spark: SparkSession, cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Released:
    root = tmp_path_factory.mktemp("released") / "w"
    return publish(cohort_warehouse(spark, str(root), cohort), "v1")
