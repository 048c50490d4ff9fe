from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse

OpenWarehouse = Callable[..., Warehouse]


@pytest.fixture
def open_with(spark: SparkSession, tmp_path: Path) -> OpenWarehouse:
    """Opens the warehouse of the test with some settings."""

    def opened(*overrides: str) -> Warehouse:
        return Warehouse(spark, load_settings(warehouse=str(tmp_path / "warehouse"), overrides=overrides))

    return opened
