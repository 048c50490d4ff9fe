from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.cases.pool import Pool, pool_once


@pytest.fixture(scope="session")
def pool(spark: SparkSession, cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return pool_once(spark, cases, tmp_path_factory)
