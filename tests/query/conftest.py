from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from allofus_spark.tables import CATALOGUE_SETS, CONSEQUENCES, NOVELTY, Warehouse
from tests.variant_tables import make_warehouse, random_alleles

BARE = random_alleles(seed=3, n=9)


@pytest.fixture(scope="session")
def bare(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The alleles ``BARE`` and their frequencies, before there is novelty or a consequence."""
    root = str(tmp_path_factory.mktemp("bare") / "w")
    return make_warehouse(spark, root, BARE, left_out=(NOVELTY, CONSEQUENCES, CATALOGUE_SETS))
