"""A release as it is made: published, attacked, reported on, with the times of access."""

from __future__ import annotations

from allofus_spark.access.times import access_times
from allofus_spark.disclosure import verify_release
from allofus_spark.release import Released, publish_release
from allofus_spark.report import write_report
from allofus_spark.tables import Warehouse


def make_release(warehouse: Warehouse, version: str, releases: str | None = None) -> Released:
    """Publish the newest snapshot as release ``version``; see `publish_release`, also for what it raises."""
    return publish_release(
        warehouse,
        version,
        verify=verify_release,
        write_report=write_report,
        access_times=access_times,
        releases=releases,
    )
