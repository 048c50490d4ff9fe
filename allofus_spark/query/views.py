"""Views: tables in a shape that is easier to ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import active_callsets, inferred_labels, labels_in_use, sample_rows
from allofus_spark.query.vat import read_vat
from allofus_spark.tables import ALLELE_COUNTS, ALLELE_KEY, STRATA, SnapshotReader, Warehouse

_COUNTS = ("n_het", "n_hom_alt", "n_hemi_alt", "an_called", "n_het_missing")


def allele_counts_long(counts: DataFrame, strata: DataFrame) -> DataFrame:
    """``allele_counts`` with one row a stratum. Grain: allele × callset × stratum; joins one to one."""
    zipped = F.arrays_zip(*_COUNTS)
    long = counts.select(
        "callset_id", *ALLELE_KEY, "strata_id", F.posexplode(zipped).alias("stratum_index", "n")
    )
    named = strata.select("strata_id", "stratum_index", "ancestry", "sex_class", "n_samples")
    joined = long.join(F.broadcast(named), ["strata_id", "stratum_index"])
    values = [F.col(f"n.{name}").alias(name) for name in _COUNTS]
    return joined.select("callset_id", *ALLELE_KEY, "ancestry", "sex_class", "n_samples", *values)


def _read_counts_long(warehouse: Warehouse, snapshot: Mapping[str, int]) -> DataFrame:
    return allele_counts_long(warehouse.read(ALLELE_COUNTS, snapshot), warehouse.read(STRATA, snapshot))


def _read_labels(warehouse: Warehouse, snapshot: Mapping[str, int]) -> DataFrame:
    """The ancestry that counts for each sample of the active callsets, and its ``source``.

    That is supplied or inferred; null where no ancestry counts.
    """
    tables = SnapshotReader(warehouse, snapshot)
    label_of, inferred = labels_in_use(warehouse, tables), inferred_labels(warehouse, tables)
    may_be_supplied = warehouse.settings.ancestry.labels != "inferred"
    rows = []
    for row in sample_rows(tables, active_callsets(tables)):
        label = label_of(row)
        known = "supplied" if may_be_supplied and row.ancestry else "inferred"
        labels = (label, row.ancestry, inferred.get((row.callset_id, row.sample_id)))
        source = known if label else None
        rows.append((row.callset_id, row.sample_id, row.sample_index, row.sex_karyotype, *labels, source))
    return warehouse.spark.createDataFrame(
        rows,
        "callset_id string, sample_id string, sample_index int, sex_karyotype string, ancestry string, "
        "supplied_ancestry string, inferred_ancestry string, source string",
    )


# Tables that each view is made of: who may see those may see it.
VIEW_SOURCES: dict[str, tuple[str, ...]] = {
    "allele_counts_long": ("allele_counts", "strata"),
    "sample_labels": ("samples", "callsets", "ancestries"),
    "vat": ("allele_frequencies", "variants", "variant_sites", "novelty", "consequences"),
}

VIEWS: dict[str, Callable[[Warehouse, Mapping[str, int]], DataFrame]] = {
    "allele_counts_long": _read_counts_long,
    "sample_labels": _read_labels,
    "vat": read_vat,
}
