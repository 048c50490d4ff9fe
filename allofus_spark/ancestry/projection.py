"""Projection: scores, probabilities and labels of every sample of the active callsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.ancestry.forest import read_forest
from allofus_spark.ancestry.labels import Labels, samples_with_sums
from allofus_spark.ancestry.models import (
    Model,
    check_model_fits,
    find_model,
    model_writes,
    read_model,
)
from allofus_spark.ancestry.score_sums import callset_scoring, check_sites, score_sums, weights_of
from allofus_spark.cohort import (
    active_callsets,
    calls_at,
    callset_sizes,
    rows_of_widest,
    sample_rows,
    warehouse_build,
)
from allofus_spark.errors import NotFound, shown
from allofus_spark.genome import build_as_text
from allofus_spark.tables import (
    ANCESTRY_LOADINGS,
    ANCESTRY_MODELS,
    SAMPLES,
    WHOLE_TABLE,
    ArrowWrite,
    Reader,
    Recipe,
    Run,
    SnapshotReader,
    Warehouse,
    ancestries,
    ledger_of,
    rows_of_callsets,
    rows_per_batch,
    start_run,
)


def project_samples(
    warehouse: Warehouse,
    *,
    model: str | None = None,
    source: str | None = None,
    callset_ids: Sequence[str] = (),
) -> tuple[str, dict[str, int]]:
    """Label the samples of callsets by a trained model, and record a snapshot.

    Parameters
    ----------
    model
        Its id, or its name where one model has it; None: the only one.
    source
        Another warehouse, from whose newest snapshot the model is taken over into this one.
    callset_ids
        Callsets to label; none: all active ones.

    Returns
    -------
    The model's id, and the run's counters: sites, samples by label, agreement with supplied labels.

    Supplied labels (``samples.ancestry``) stay as they are. Raises NotFound where a callset is not active or
    the model is not there, BuildMismatch where it is of another build, BadSource where a callset has too few
    of its sites.
    """
    with start_run(warehouse, "infer_ancestry_project") as run:
        active = active_callsets(run)
        chosen = sorted(set(callset_ids)) or active
        _check_active(warehouse, chosen, active)
        build = build_as_text(warehouse_build(warehouse))
        held = _local_model(run, model, build) if source is None else _import_model(run, source, model, build)
        asked = model if source is None else held.model_id
        parameters = {"model": asked, "callset_ids": sorted(set(callset_ids))}
        run.recipe = Recipe(parameters=parameters, without=("samples",))  # supplied labels change no row
        _label(run, held, chosen, are_all=chosen == active)
        _count_labels(run, chosen)
        return held.model_id, dict(run.counters)


def _check_active(warehouse: Warehouse, chosen: Sequence[str], active: Sequence[str]) -> None:
    if not chosen:
        raise NotFound(f"warehouse {warehouse.root} holds no callset; run ingest-genotypes first")
    if unknown := [name for name in chosen if name not in active]:
        raise NotFound(
            f"callsets that are not active here: {shown(unknown)}; there are: {shown(active) or 'none'}"
        )


def _local_model(run: Run, name_or_id: str | None, build: str) -> Model:
    return _read(run, run.warehouse, run.warehouse, name_or_id, build)


def _import_model(run: Run, source: str, name_or_id: str | None, build: str) -> Model:
    """The model of another warehouse, its rows written here: all but those about its people."""
    settings = run.warehouse.settings.model_copy(update={"warehouse": source})
    other = Warehouse(run.warehouse.spark, settings)
    if not other.snapshot():
        raise NotFound(
            f"there is no warehouse at {other.root}: no run has finished there; name with --from the folder "
            "of tables that a model was trained in"
        )
    model = _read(SnapshotReader(other), other, run.warehouse, name_or_id, build)
    run.progress(f"model {model.model_id} comes from {other.root}")
    run.write(*model_writes(model))
    return model


def _read(tables: Reader, origin: Warehouse, here: Warehouse, name_or_id: str | None, build: str) -> Model:
    """The model of the warehouse ``origin`` that ``tables`` are of, held against the settings ``here``."""
    written = ledger_of(origin).last_writes(ANCESTRY_MODELS.name)
    row = find_model(tables, origin.root, name_or_id, written)
    check_model_fits(here, row.build, row.model_id, row.groups, build)
    model = read_model(tables.read(ANCESTRY_LOADINGS), row)
    read_forest(model.forest, model.model_id, model.groups, model.n_pcs)  # before hours of work
    return model


def _label(run: Run, model: Model, callset_ids: Sequence[str], *, are_all: bool) -> None:
    settings = run.warehouse.settings
    slots = callset_sizes(run)
    sizes = {callset_id: slots[callset_id] for callset_id in callset_ids}
    calls = calls_at(run, model.sites, callset_ids)
    present = _sites_present(calls, callset_ids)
    n_present = {callset_id: len(sites) for callset_id, sites in present.items()}
    check_sites(model.model_id, model.n_sites, model.n_pcs, n_present, settings.ancestry.min_site_share)
    run.counters.update(
        callsets=len(sizes), samples=len(sample_rows(run, callset_ids)), model_sites=model.n_sites
    )
    run.counters["fewest_sites_of_a_callset"] = min(n_present.values())
    weights = weights_of(model)
    labels = Labels(
        model_id=model.model_id,
        scorings={callset_id: callset_scoring(weights, sites) for callset_id, sites in present.items()},
        names=weights.names,
        forest=model.forest,
        model_groups=model.groups,
        ancestry_groups=settings.frequencies.ancestry_groups,
        unassigned_group=settings.frequencies.unassigned_group,
        min_probability=settings.ancestry.min_probability,
        min_called_share=settings.ancestry.min_called_share,
    )
    replaced = WHOLE_TABLE if are_all else rows_of_callsets(callset_ids)
    with rows_per_batch(run.warehouse.spark, rows_of_widest(run.warehouse, sizes.values())):
        sums = score_sums(calls, weights, sizes)
        rows = samples_with_sums(run.read(SAMPLES), sums, callset_ids, weights.names)
        run.write(ArrowWrite(rows, labels, [(ancestries(labels.ancestry_groups), replaced)]))


def _sites_present(calls: DataFrame, callset_ids: Sequence[str]) -> dict[str, npt.NDArray[np.int32]]:
    """Rising numbers of the sites that each callset has a record of; reads the keys alone."""
    rows: Any = calls.select("callset_id", "site").toPandas()
    return {
        callset_id: np.sort(rows.loc[rows["callset_id"] == callset_id, "site"].to_numpy(np.int32))
        for callset_id in callset_ids
    }


def _count_labels(run: Run, callset_ids: Sequence[str]) -> None:
    """Count samples by label, and those whose label is the supplied one, from the table as written."""
    settings = run.warehouse.settings.frequencies
    inferred = run.warehouse.live(ancestries(settings.ancestry_groups))
    supplied = run.read(SAMPLES).select("callset_id", "sample_id", F.col("ancestry").alias("supplied"))
    beside = inferred.where(F.col("callset_id").isin(list(callset_ids))).join(
        supplied, ["callset_id", "sample_id"], "left"
    )
    names = (*(f"samples_{group}" for group in settings.ancestry_groups), "samples_not_labelled")
    run.counters.update(dict.fromkeys((*names, "labels_that_agree", "labels_that_differ"), 0))
    for label, other, count in beside.groupBy("ancestry", "supplied").count().collect():
        if label is None:
            run.counters["samples_not_labelled"] += count
            continue
        run.counters[f"samples_{label}"] += count
        if other is not None:
            run.counters["labels_that_agree" if label == other else "labels_that_differ"] += count
