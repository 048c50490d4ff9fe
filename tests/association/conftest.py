from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from .made_cohort import Made, make_cohort


@pytest.fixture(scope="session")
def made(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A cohort of two ancestries, in one callset, with one scan; tests add scans of other names."""
    return make_cohort(spark, tmp_path_factory.mktemp("made"))
