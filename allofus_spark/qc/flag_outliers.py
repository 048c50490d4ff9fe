"""``sample_outliers`` of all active callsets.

The metrics and PCs of a callset come to the driver, 28 numbers a sample (224 MB for a million), which finds
the coefficients, medians and deviations: some hundred numbers a callset. With these, tasks judge the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import Slot, active_samples, present, samples_in_genotypes
from allofus_spark.errors import BadSamples, BadSource
from allofus_spark.qc.outlier_rows import CallsetFits, OutlierRows, fit_callset, pc_columns
from allofus_spark.qc.outliers import METRICS
from allofus_spark.tables import (
    SAMPLE_OUTLIERS,
    SAMPLE_QC,
    WHOLE_TABLE,
    ArrowWrite,
    Recipe,
    Run,
    Warehouse,
    ancestries,
    how_to_make,
    start_run,
)


def flag_sample_outliers(warehouse: Warehouse) -> dict[str, int]:
    """Recompute the outliers among samples, and record a snapshot.

    Returns
    -------
    Counters: samples, samples without a row in sample_qc, samples that are an outlier in any metric; and for
    each metric ``outliers_METRIC``, ``assessed_METRIC`` and ``not_assessed_METRIC``.

    Raises BadSource where there is no callset, no sample quality or no ancestry; BadSamples where the PCs of
    a callset are of several models.
    """
    settings = warehouse.settings.qc
    with start_run(warehouse, "flag_sample_outliers", Recipe()) as run:
        samples = active_samples(warehouse, run)
        table = ancestries(warehouse.settings.frequencies.ancestry_groups)
        for needed in (SAMPLE_QC, table):
            if not run.holds(needed):
                raise BadSource(f"outliers need {needed.name}; {how_to_make(needed.name)} first")
        inferred = run.read(table).where(F.col("callset_id").isin(list(samples)))
        held = _pcs_held(inferred, settings.n_outlier_pcs)
        rows = _samples_beside_pcs(run, inferred, settings.n_outlier_pcs)
        fits = {
            callset_id: _fit(run, rows, callset_id, members, held.get(callset_id, 0))
            for callset_id, members in samples.items()
        }
        judge = OutlierRows(fits, settings.n_outlier_pcs, settings.max_outlier_mads)
        run.write(ArrowWrite(rows, judge, [(SAMPLE_OUTLIERS, WHOLE_TABLE)]))
        _count(run)
        return dict(run.counters)


def _pcs_held(inferred: DataFrame, most: int) -> dict[str, int]:
    """How many PCs all samples of each callset have that have any; at most ``most``."""
    with_pcs = inferred.where(F.col("pcs").isNotNull()).groupBy("callset_id")
    held = with_pcs.agg(F.collect_set("model_id").alias("models"), F.min(F.size("pcs")).alias("n")).collect()
    for row in held:
        if len(row.models) > 1:
            raise BadSamples(
                f"callset {row.callset_id}: its PCs are of {len(row.models)} models "
                f"({', '.join(sorted(row.models))}), which cannot be held against each other; infer the "
                "ancestry of the whole callset by one model"
            )
    return {row.callset_id: min(row.n, most) for row in held}


def _samples_beside_pcs(run: Run, inferred: DataFrame, n_pcs: int) -> DataFrame:
    """Every sample with a row in ``sample_qc``, one row each: its metrics, and a column for each PC."""
    by = ["callset_id", "sample_id"]
    members = samples_in_genotypes(run).select(*by, "sample_index")
    metrics = run.read(SAMPLE_QC).select(*by, *(F.col(name).cast("double") for name in METRICS))
    scores = [F.get("pcs", F.lit(place)).alias(name) for place, name in enumerate(pc_columns(n_pcs))]
    return members.join(metrics, by).join(inferred.select(*by, *scores), by, "left")


def _fit(run: Run, rows: DataFrame, callset_id: str, members: Sequence[Slot], n_pcs: int) -> CallsetFits:
    columns = ["sample_index", *METRICS, *pc_columns(n_pcs)]
    # In callset order, so that sums do not depend on how the rows lie in files.
    found: Any = rows.where(F.col("callset_id") == callset_id).select(*columns).toPandas()
    held = found.sort_values("sample_index")
    run.counters["samples"] += len(held)
    n_members = len(present(members))
    _warn_of_gaps(run, callset_id, n_members - len(held), n_members, n_pcs)
    pcs = held[pc_columns(n_pcs)].to_numpy(np.float64)
    metrics = {name: held[name].to_numpy(np.float64) for name in METRICS}
    return fit_callset(members, held["sample_index"].to_numpy(np.int64), pcs, metrics)


def _warn_of_gaps(run: Run, callset_id: str, without: int, n_members: int, n_pcs: int) -> None:
    settings = run.warehouse.settings.qc
    if n_pcs == 0:
        run.progress(
            f"warning: callset {callset_id} has no PCs: nothing is assessed; run allofus infer-ancestry"
        )
    elif n_pcs < settings.n_outlier_pcs:
        run.progress(
            f"warning: callset {callset_id} has {n_pcs} PCs, not the {settings.n_outlier_pcs} of "
            "qc.n_outlier_pcs: metrics are regressed on these"
        )
    if without:
        run.counters["samples_without_quality"] += without
        run.progress(
            f"warning: {without} of {n_members} samples of callset {callset_id} are not in sample_qc; run "
            "allofus qc"
        )


def _count(run: Run) -> None:
    """Count rows by metric, from the table as written."""
    written = run.warehouse.live(SAMPLE_OUTLIERS)
    names = [f"{what}_{metric}" for metric in METRICS for what in ("outliers", "assessed", "not_assessed")]
    run.counters.update(dict.fromkeys(names, 0))
    for metric, is_outlier, count in written.groupBy("metric", "is_outlier").count().collect():
        if is_outlier is None:
            run.counters[f"not_assessed_{metric}"] += count
            continue
        run.counters[f"assessed_{metric}"] += count
        if is_outlier:
            run.counters[f"outliers_{metric}"] += count
    run.counters["samples_outlying"] = (
        written.where("is_outlier").select("callset_id", "sample_id").distinct().count()
    )
