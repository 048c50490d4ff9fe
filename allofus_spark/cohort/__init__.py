"""Who is in the active callsets, and how their samples are divided and counted; what the stages share."""

from allofus_spark.cohort.active import (
    active_callsets,
    active_samples,
    check_are_active,
    check_build,
    configured_reference,
    labels_in_use,
    rows_of_widest,
    samples_in_genotypes,
    warehouse_build,
)
from allofus_spark.cohort.alleles import (
    changed_since,
    frequency_inputs,
    newest_of_each,
    newest_revision,
    newest_versions,
    passed,
    passing_alleles,
    read_consequences,
    read_frequencies,
    read_novelty,
)
from allofus_spark.cohort.ploidy import COPIES, COUNTS, Counts, copies_meant, ploidy_aware
from allofus_spark.cohort.sample_lists import read_sample_ids
from allofus_spark.cohort.sites import SITE_COLUMNS, Members, SiteRules, calls_at, choose_sites, site_rules
from allofus_spark.cohort.strata import OTHER_SEX, UNLABELLED, XX, XY, Sample, Strata, build_strata
from allofus_spark.cohort.variant_partitions import check_flagged, variant_partitions

__all__ = [
    "COPIES",
    "COUNTS",
    "OTHER_SEX",
    "SITE_COLUMNS",
    "UNLABELLED",
    "XX",
    "XY",
    "Counts",
    "Members",
    "Sample",
    "SiteRules",
    "Strata",
    "active_callsets",
    "active_samples",
    "build_strata",
    "calls_at",
    "changed_since",
    "check_are_active",
    "check_build",
    "check_flagged",
    "choose_sites",
    "configured_reference",
    "copies_meant",
    "frequency_inputs",
    "labels_in_use",
    "newest_of_each",
    "newest_revision",
    "newest_versions",
    "passed",
    "passing_alleles",
    "ploidy_aware",
    "read_consequences",
    "read_frequencies",
    "read_novelty",
    "read_sample_ids",
    "rows_of_widest",
    "samples_in_genotypes",
    "site_rules",
    "variant_partitions",
    "warehouse_build",
]
