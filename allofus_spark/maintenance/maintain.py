"""One run of maintenance: files laid anew, logs with a checkpoint, and what nobody needs removed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from allofus_spark.errors import SettingsError
from allofus_spark.maintenance.layout import lay_anew
from allofus_spark.maintenance.plan import TablePlan, plan_maintenance
from allofus_spark.settings import MaintenanceSettings
from allofus_spark.tables import Run, Warehouse, start_run
from allofus_spark.tables.delta_log import make_checkpoint
from allofus_spark.tables.stored_files import remove_files


def maintain(
    warehouse: Warehouse, *, force_retention: bool = False, now: dt.datetime | None = None
) -> list[TablePlan]:
    """Tidy every table of the warehouse as one run, which changes no row; what was done, a plan a table.

    Parameters
    ----------
    force_retention
        Remove files even where the settings keep them for less than ``maintenance.min_retention_hours``.
    now
        The time that files' ages are counted to; None: the clock's.

    Files that the newest snapshot needs are never removed, whatever the retention: the run begins by undoing
    what an unfinished one left, so that the newest version of a table is the snapshot's. Raises SettingsError
    where the retention is too short, WarehouseBusy where another run works in the warehouse.
    """
    check_retention(warehouse.settings.maintenance, force=force_retention)
    with start_run(warehouse, "maintain") as run:
        plans = plan_maintenance(warehouse, now=now)
        lay_anew(run, plans)
        _make_checkpoints(run, plans)
        _remove_needless(run, plans)
        run.counters.update(
            tables=len(plans),
            files_before=sum(len(plan.files) for plan in plans),
            files_after=sum(plan.n_files_after for plan in plans),
            bytes_laid_anew=sum(plan.bytes_laid_anew for plan in plans),
            logs_with_new_checkpoint=sum(plan.needs_checkpoint for plan in plans),
            files_removed=sum(len(plan.needless) for plan in plans),
            bytes_removed=sum(plan.bytes_removed for plan in plans),
        )
    return plans


def check_retention(settings: MaintenanceSettings, *, force: bool) -> None:
    """Raise SettingsError where files would be removed that readers may still be at work on."""
    if settings.retention_hours < settings.min_retention_hours and not force:
        raise SettingsError(
            f"maintenance.retention_hours = {settings.retention_hours} is under "
            f"maintenance.min_retention_hours = {settings.min_retention_hours}: files would be removed while "
            "queries, exports or scans that began before may read them. Give it "
            f"{settings.min_retention_hours} or more, or --force-retention where nobody reads"
        )


def _make_checkpoints(run: Run, plans: Sequence[TablePlan]) -> None:
    for plan in plans:
        if plan.needs_checkpoint:
            run.progress(f"checkpoint of {plan.table.name}")
            make_checkpoint(run.warehouse.spark, run.warehouse.path(plan.table))


def _remove_needless(run: Run, plans: Sequence[TablePlan]) -> None:
    for plan in plans:
        if plan.needless:
            run.check_lease()
            run.progress(f"removing {len(plan.needless):,} files of {plan.table.name}")
            remove_files(run.warehouse, plan.table, plan.needless)
