"""Who is in the active callsets, and how their samples are divided and counted; what the stages share."""

from allofus_spark.cohort.active import (
    active_samples,
    check_are_active,
    check_build,
    rows_of_widest,
    warehouse_build,
)
from allofus_spark.cohort.partitions import (
    Partition,
    inputs_write,
    partition_predicate,
    quoted,
    recorded_inputs,
    variant_fingerprints,
)
from allofus_spark.cohort.ploidy import COPIES, COUNTS, Counts, copies_meant, ploidy_aware
from allofus_spark.cohort.sample_lists import read_sample_ids
from allofus_spark.cohort.strata import OTHER_SEX, UNLABELLED, XX, XY, Sample, Strata, build_strata

__all__ = [
    "COPIES",
    "COUNTS",
    "OTHER_SEX",
    "UNLABELLED",
    "XX",
    "XY",
    "Counts",
    "Partition",
    "Sample",
    "Strata",
    "active_samples",
    "build_strata",
    "check_are_active",
    "check_build",
    "copies_meant",
    "inputs_write",
    "partition_predicate",
    "ploidy_aware",
    "quoted",
    "read_sample_ids",
    "recorded_inputs",
    "rows_of_widest",
    "variant_fingerprints",
    "warehouse_build",
]
