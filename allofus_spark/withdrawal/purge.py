"""Old bytes of who withdrew removed from the tables' folders, and the proof that they are gone."""

from __future__ import annotations

import datetime as dt

from delta.tables import DeltaTable
from pyspark.sql import functions as F

from allofus_spark.tables import (
    ALLELE_COUNTS,
    PIPELINE_RUNS,
    WITHDRAWAL_PROOFS,
    WITHDRAWALS,
    RowsWrite,
    Run,
    Table,
    Warehouse,
    allele_frequencies,
    contracts,
    keep_newest_only,
    remove_file,
    start_run,
)
from allofus_spark.withdrawal.proof import (
    NAMED_IN_MESSAGE,
    Check,
    check_calls,
    check_files,
    check_ids,
    check_ledger,
    check_logs,
    check_pictures,
    empty_slots,
    milliseconds,
    old_pictures,
)
from allofus_spark.withdrawal.removal import ids_frame
from allofus_spark.withdrawal.withdraw import STAGE

PURGE_STAGE, VERIFY_STAGE = "withdraw_purge", "withdraw_verify"
_HIDDEN = "the message named a sample whose person withdrew since, and was removed"


def purge_withdrawn(warehouse: Warehouse) -> list[Check]:
    """Remove old files of every table that a withdrawal changed, and prove that who withdrew is gone.

    Snapshots before this one cannot be read any more. Needs a finished `withdraw_samples`.
    """
    with start_run(warehouse, PURGE_STAGE) as run:
        _hide_in_messages(run)
        for table in [*_changed_tables(run), PIPELINE_RUNS]:
            run.progress(f"removing old files of {table.name}")
            if run.lease is not None:
                run.lease.check()
            keep_newest_only(warehouse, table)
        for picture in old_pictures(run):
            remove_file(warehouse, picture)
        return _prove(run, milliseconds(run.started_at))


def verify_withdrawn(warehouse: Warehouse) -> list[Check]:
    """The proof once more, of the tables as they are now."""
    with start_run(warehouse, VERIFY_STAGE) as run:
        return _prove(run, _last_purge(run))


def _prove(run: Run, purged_at_ms: int) -> list[Check]:
    rows = run.rows(WITHDRAWALS)
    samples = [row.sample_id for row in rows]
    ids = ids_frame(run, samples, {row.person_id for row in rows if row.person_id is not None})
    slots = empty_slots(run)
    checks = [
        *check_calls(run, slots),
        *check_ledger(run, slots),
        *check_ids(run, ids),
        *check_logs(run, ids),
        *check_files(run, _changed_tables(run), purged_at_ms),
        check_pictures(run),
    ]
    run.write(RowsWrite(WITHDRAWAL_PROOFS, [(run.run_id, *check, check.passed) for check in checks]))
    run.counters.update(checks=len(checks), checks_failed=sum(not check.passed for check in checks))
    return checks


def _changed_tables(run: Run) -> list[Table]:
    """Tables that some withdrawal wrote, and those that are counted anew after it."""
    rows = run.warehouse.rows(PIPELINE_RUNS)
    names = {row.table_name for row in rows if row.stage == STAGE and row.status == "finished"}
    frequencies = allele_frequencies(run.warehouse.settings.frequencies.ancestry_groups)
    if names - {"", WITHDRAWALS.name}:
        names |= {ALLELE_COUNTS.name, frequencies.name}
    return [table for table in contracts(run.warehouse.settings) if table.name in names and run.holds(table)]


def _hide_in_messages(run: Run) -> None:
    """Errors of earlier runs can name samples; those that name one on the list lose their text."""
    ids = ids_frame(run, [row.sample_id for row in run.rows(WITHDRAWALS)], ())
    spark = run.warehouse.spark
    held = DeltaTable.forPath(spark, run.warehouse.path(PIPELINE_RUNS))
    named = run.warehouse.live(PIPELINE_RUNS).where("message IS NOT NULL").alias("held")
    runs = named.join(ids.alias("gone"), F.expr(NAMED_IN_MESSAGE), "left_semi").select("run_id").collect()
    if runs:
        changes = {"message": F.lit(_HIDDEN)}
        held.update(
            F.col("run_id").isin([row.run_id for row in runs]) & F.col("message").isNotNull(), changes
        )


def _last_purge(run: Run) -> int:
    """When the newest purge began, in milliseconds; now, where none has finished."""
    rows = run.warehouse.rows(PIPELINE_RUNS)
    begun = [row.started_at for row in rows if row.stage == PURGE_STAGE and row.status == "finished"]
    return milliseconds(max(begun, default=dt.datetime.now(dt.timezone.utc)))
