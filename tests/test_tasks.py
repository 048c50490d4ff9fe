"""Keys of partitions are those that Spark's own hash gives."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from allofus_spark.tasks import partition_keys


@pytest.mark.parametrize("n_partitions", [1, 7, 500])
def test_each_key_goes_to_its_own_partition(spark: SparkSession, n_partitions: int) -> None:
    keys = partition_keys(n_partitions).tolist()
    frame = spark.createDataFrame([(key,) for key in keys], "key int").repartition(n_partitions, "key")
    placed = {row.key: row.place for row in frame.withColumn("place", F.spark_partition_id()).collect()}
    assert [placed[key] for key in keys] == list(range(n_partitions))
