"""The run that takes people out: genotypes, the ledger, every row about them, and the list of withdrawals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame

from allofus_spark.cohort import (
    Slot,
    Strata,
    active_callsets,
    active_samples,
    build_strata,
    callset_sizes,
    strata_writes,
    variants_write,
    warehouse_build,
)
from allofus_spark.errors import shown
from allofus_spark.tables import (
    ALLELE_COUNTS,
    ALLELE_KEY,
    VARIANTS,
    WHOLE_TABLE,
    WITHDRAWALS,
    Inputs,
    Partition,
    RowsWrite,
    Run,
    Warehouse,
    inputs_write,
    start_run,
)
from allofus_spark.withdrawal.leaving import Leaving, models_of, who_leaves
from allofus_spark.withdrawal.ledger import LedgerShare, current_inputs, subtraction
from allofus_spark.withdrawal.payloads import Masked, mask_callset
from allofus_spark.withdrawal.removal import ids_frame, remove_alleles, remove_people

STAGE = "withdraw"


@dataclass(frozen=True)
class Withdrawal:
    """What a run did: counters, the samples that are newly out, and models that are used no more."""

    counters: dict[str, int]
    samples: list[str]
    models: list[str]


def withdraw_samples(
    warehouse: Warehouse,
    sample_ids: Collection[str],
    *,
    reason: str | None = None,
    allow_absent: bool = False,
) -> Withdrawal:
    """Take samples, and every other sample of their persons, out of all tables; record a snapshot.

    Their slots in the genotypes of each callset, retired ones too, become hom-ref; alleles that only they
    carried leave. The ledger of counts loses their share where it was current. Every row about them goes, and
    the list keeps them out of later ingests. What is on the list already is gone through again, so that
    nothing is changed where all is done. Old files stay until `purge_withdrawn`.

    Raises BadSamples naming ids that are not known, unless ``allow_absent``.
    """
    with start_run(warehouse, STAGE) as run:
        leaving = who_leaves(run, sample_ids, allow_absent=allow_absent)
        models = models_of(run, leaving.samples)
        strata = _ledger_strata(warehouse, run, leaving)
        masked = _mask_callsets(run, leaving, strata)
        ids = ids_frame(run, leaving.samples, leaving.persons)
        if leaving.samples:
            remove_people(run, ids)
        if strata:
            _correct_ledger(run, leaving, strata, masked)
        _remove_gone(run, masked)
        _write_list(run, leaving, models, reason)
        gone_models = sorted({model for own in models.values() for model in own})
        if gone_models:
            run.progress(
                f"warning: models of ancestry were trained on people who leave: {shown(gone_models)}; they "
                "are used no more. Train them anew: allofus infer-ancestry train"
            )
        run.counters.update(samples_withdrawn=len(leaving.samples), samples_newly_out=len(leaving.new))
        return Withdrawal(dict(run.counters), leaving.new, gone_models)


@dataclass(frozen=True)
class _Ledger:
    """Of a callset whose counts are current: its slots and strata, and what the counts were made from."""

    slots: list[Slot]
    strata: Strata
    inputs: dict[Partition, Inputs]


def _ledger_strata(warehouse: Warehouse, run: Run, leaving: Leaving) -> dict[str, _Ledger]:
    """The callsets whose ledger can lose the share of who leaves."""
    active = set(active_callsets(run)) & set(leaving.slots)
    if not active or not run.holds(ALLELE_COUNTS):
        return {}
    groups = warehouse.settings.frequencies.ancestry_groups
    ledgers = {}
    for callset_id, slots in active_samples(warehouse, run).items():
        if callset_id in active:
            strata = build_strata(callset_id, slots, groups)
            if inputs := current_inputs(run, strata):
                ledgers[callset_id] = _Ledger(slots, strata, inputs)
    return ledgers


def _mask_callsets(run: Run, leaving: Leaving, ledgers: dict[str, _Ledger]) -> dict[str, Masked]:
    sizes = callset_sizes(run)
    masked = {}
    for callset_id, slots in leaving.slots.items():
        ledger = ledgers.get(callset_id)
        build = warehouse_build(run.warehouse)
        share = LedgerShare(ledger.strata, slots, build) if ledger else None
        masked[callset_id] = mask_callset(run, callset_id, sizes[callset_id], slots, share)
    run.counters.update(callsets_rewritten=len(masked), slots_masked=sum(map(len, leaving.slots.values())))
    return masked


def _correct_ledger(
    run: Run, leaving: Leaving, ledgers: dict[str, _Ledger], masked: dict[str, Masked]
) -> None:
    groups = run.warehouse.settings.frequencies.ancestry_groups
    made: dict[tuple[str, str], dict[Partition, Inputs]] = {}
    for callset_id, ledger in ledgers.items():
        out = set(leaving.slots[callset_id])
        left = [None if place in out else slot for place, slot in enumerate(ledger.slots)]
        after = build_strata(callset_id, left, groups)
        share = masked[callset_id].share
        assert share is not None
        run.write(subtraction(run, share, ledger.strata, after), *strata_writes(run, [after]))
        counted = run.read(ALLELE_COUNTS).where(f"callset_id = '{callset_id}'")
        places = {(row.contig, row.bin) for row in counted.select("contig", "bin").distinct().collect()}
        today = {"genotypes": run.run_id, "strata": after.strata_id}
        made[ALLELE_COUNTS.name, callset_id] = {
            place: {**inputs, **today} for place, inputs in ledger.inputs.items() if place in places
        }
    run.write(inputs_write(made))


def _remove_gone(run: Run, masked: dict[str, Masked]) -> None:
    """Alleles that are gone from a callset leave ``variants`` and what is said of them elsewhere."""
    frames = [each.gone for each in masked.values() if each.n_gone]
    if not frames:
        return
    of_callsets = reduce(DataFrame.unionByName, frames)
    touched = {(row.contig, row.bin) for row in of_callsets.select("contig", "bin").distinct().collect()}
    run.write(variants_write(run, touched))
    key = list(ALLELE_KEY)
    of_all = of_callsets.select(*key).distinct().join(run.read(VARIANTS).select(*key), key, "left_anti")
    of_all = of_all.localCheckpoint()
    run.counters["alleles_gone"] = of_all.count()
    remove_alleles(run, of_callsets, of_all)


def _write_list(run: Run, leaving: Leaving, models: dict[str, set[str]], reason: str | None) -> None:
    now = dt.datetime.now(dt.timezone.utc)
    rows = []
    for sample_id in leaving.samples:
        held, person = leaving.held.get(sample_id), leaving.person_of[sample_id]
        trained = {*models.get(sample_id, ()), *(held.models if held else ())}
        told = (held.withdrawn_at, held.run_id, held.reason) if held else (now, run.run_id, reason)
        rows.append((sample_id, person, sorted(trained), *told))
    before = [tuple(leaving.held[name]) for name in sorted(leaving.held)]
    if rows != before:
        run.write(RowsWrite(WITHDRAWALS, rows, WHOLE_TABLE))
