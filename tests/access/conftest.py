"""A warehouse with enforcement, issuers whose keys were made for the tests, and who may see everything."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from allofus_spark.access import Tier, agree, grant, record, register
from allofus_spark.settings import Settings
from allofus_spark.tables import Warehouse
from tests.access.minting import BROKER, NOW, access_settings

SCHOOL = "University of X"
# Ten days before the moment that tests judge at.
BEFORE = dt.datetime.fromtimestamp(NOW, dt.timezone.utc) - dt.timedelta(days=10)
AT = dt.datetime.fromtimestamp(NOW, dt.timezone.utc)


def make_warehouse(spark: SparkSession, folder: Path, root: str = "w") -> Warehouse:
    settings = Settings(warehouse=str(folder / root), access=access_settings(folder))
    return Warehouse(spark, settings)


@pytest.fixture
def gated(spark: SparkSession, tmp_path: Path) -> Warehouse:
    """Nobody is registered yet."""
    return make_warehouse(spark, tmp_path)


def let_in(warehouse: Warehouse, name: str = "ada", at: dt.datetime = BEFORE) -> None:
    """Register somebody whose passports are of the broker, and take them to both tiers."""
    agree(warehouse, SCHOOL, list(Tier), at=at)
    register(warehouse, name, name=name.title(), institution=SCHOOL, identity=(BROKER, name), at=at)
    for module in ("responsible_conduct", "controlled_data"):
        record(warehouse, name, "module_completed", item=module, at=at)
    record(warehouse, name, "code_of_conduct_signed", item="1", at=at)
    for tier in Tier:
        grant(warehouse, name, tier, at=at)
