"""What is to be told of ``sample_outliers``: who is farthest off, and why metrics were not assessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyspark.sql import functions as F

from allofus_spark.tables import SAMPLE_OUTLIERS, Warehouse


class Outlier(NamedTuple):
    """One metric of one sample, and how far it is from its group's median."""

    callset_id: str
    sample_id: str
    metric: str
    deviation_mads: float


@dataclass(frozen=True)
class OutlierReport:
    """The outliers that are farthest off, first; by metric the samples not assessed for each reason."""

    farthest: Sequence[Outlier]
    not_assessed: Mapping[str, Mapping[str, int]]


def report_outliers(warehouse: Warehouse, *, most: int) -> OutlierReport:
    """Read the newest ``sample_outliers``; at most ``most`` outliers are named."""
    held = warehouse.read(SAMPLE_OUTLIERS)
    by_distance = (F.abs("deviation_mads").desc(), "callset_id", "sample_id", "metric")
    farthest = held.where("is_outlier").orderBy(*by_distance).select(*Outlier._fields).take(most)
    reasons: dict[str, dict[str, int]] = {}
    gaps = held.where("not_assessed IS NOT NULL").groupBy("metric", "not_assessed").count()
    for metric, reason, count in sorted(gaps.collect()):
        reasons.setdefault(metric, {})[reason] = count
    return OutlierReport([Outlier(*row) for row in farthest], reasons)
