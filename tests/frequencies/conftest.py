from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from allofus_spark.frequencies import compute_frequencies
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse

from .two_callsets import fill


@pytest.fixture(scope="session")
def filled(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse whose frequencies are computed, to be copied."""
    folder = tmp_path_factory.mktemp("filled")
    made = Warehouse(spark, load_settings(warehouse=str(folder / "warehouse")))
    fill(made, folder)
    compute_frequencies(made)
    return Path(made.root)
