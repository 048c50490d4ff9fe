"""What the quality of variants and samples was judged from, so that only what changed is judged anew.

A callset is judged by itself. The rows of its variants follow, partition by partition, from its genotypes and
sites there, its people (labels, sexes, who is unrelated) and the settings; the rows of its samples from all
of its genotypes, its people, and where new alleles are counted from novelty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from allofus_spark.cohort import Slot, last_changes
from allofus_spark.tables import (
    GENOTYPES,
    NOVELTY,
    SAMPLE_QC,
    VARIANT_SITES,
    WHOLE_TABLE,
    Inputs,
    Partition,
    RowsWrite,
    Run,
    Table,
    inputs_by_scope,
    inputs_write,
    partitions_predicate,
    rows_of_callset,
    rows_of_callsets,
)

# Raised when the same inputs give other rows than before.
_RULES_VERSION = "1"

# Stands for all partitions of a callset.
_WHOLE: Partition = ("*", 0)

Made = Mapping[Partition, Inputs]


@dataclass(frozen=True)
class Part:
    """What is to be judged anew of one table: partitions by callset, or everything.

    ``today`` are the inputs of all partitions by callset; ``gone`` callsets that are active no more.
    """

    table: Table
    today: Mapping[str, Made]
    stale: Mapping[str, Sequence[Partition]]
    gone: Sequence[str]
    everything: bool

    @property
    def is_current(self) -> bool:
        """Whether no row changes."""
        return not (self.everything or self.stale or self.gone)

    @property
    def n_stale(self) -> int:
        """Partitions, or callsets, to judge anew."""
        return sum(map(len, self.stale.values()))

    @property
    def judged(self) -> str:
        """The predicate of the rows of ``genotypes`` and ``variant_sites`` to judge."""
        if self.everything:
            return WHOLE_TABLE
        parts = [
            rows_of_callset(callset_id)
            if places == [_WHOLE]
            else f"({rows_of_callset(callset_id)} AND {partitions_predicate(places)})"
            for callset_id, places in self.stale.items()
        ]
        return " OR ".join(parts) or "false"

    @property
    def replaced(self) -> str:
        """The predicate of the rows to replace."""
        if self.everything or not self.gone:
            return self.judged
        return f"{self.judged} OR {rows_of_callsets(self.gone)}"

    def record(self) -> RowsWrite:
        """What every partition is made from."""
        made = {(self.table.name, callset_id): own for callset_id, own in self.today.items()}
        return inputs_write({**made, **{(self.table.name, callset_id): {} for callset_id in self.gone}})


def stale_variants(
    run: Run,
    table: Table,
    slots: Mapping[str, Sequence[Slot]],
    unrelated: Collection[str] | None,
    *,
    recompute: bool,
) -> Part:
    """What of ``variant_qc`` is to be judged anew."""
    groups = run.warehouse.settings.frequencies.ancestry_groups
    genotypes, sites = last_changes(run, GENOTYPES), last_changes(run, VARIANT_SITES)
    today = {}
    for callset_id, own in slots.items():
        common = {"rules": _rules(run, groups), "people": _people(own, unrelated)}
        places, site_changes = genotypes.get(callset_id, {}), sites.get(callset_id, {})
        today[callset_id] = {
            place: {**common, "genotypes": last, "sites": site_changes.get(place, "")}
            for place, last in places.items()
        }
    return _part(run, table, today, recompute=recompute)


def stale_samples(
    run: Run, slots: Mapping[str, Sequence[Slot]], catalogue_set: str | None, *, recompute: bool
) -> Part:
    """What of ``sample_qc`` is to be judged anew: callsets as a whole."""
    genotypes = last_changes(run, GENOTYPES)
    novelty = run.ledger().last_writes(NOVELTY.name) if catalogue_set is not None else {}
    today = {}
    for callset_id, own in slots.items():
        places = sorted(genotypes.get(callset_id, {}).items())
        flagged = [
            str(novelty.get(f"catalogue_set={catalogue_set}/contig={contig}/bin={number}"))
            for (contig, number), _ in places
        ]
        made = {
            "rules": _rules(run, [catalogue_set or ""]),
            "people": _people(own, ()),
            "genotypes": _digest([str(place) for place in places]),
            "novelty": _digest(flagged),
        }
        today[callset_id] = {_WHOLE: made}
    return _part(run, SAMPLE_QC, today, recompute=recompute)


def _part(run: Run, table: Table, today: Mapping[str, Made], *, recompute: bool) -> Part:
    held = inputs_by_scope(run, table.name) if run.holds(table) and not recompute else {}
    stale: dict[str, list[Partition]] = {}
    for callset_id, own in today.items():
        before = held.get(callset_id, {})
        changed = [place for place in {*own, *before} if own.get(place) != before.get(place)]
        if changed:
            stale[callset_id] = sorted(changed)
    kept = any(
        before.get(place) == made
        for callset_id, before in held.items()
        for place, made in today.get(callset_id, {}).items()
    )
    gone = sorted(set(held) - set(today))
    return Part(table, today, stale, gone, everything=bool(stale) and not kept)


def _rules(run: Run, parts: Sequence[str]) -> str:
    return _digest([_RULES_VERSION, run.warehouse.settings.qc.model_dump_json(), *parts])


def _people(slots: Sequence[Slot], unrelated: Collection[str] | None) -> str:
    chosen = None if unrelated is None else frozenset(unrelated)
    counts = (slot is not None and (chosen is None or slot.sample_id in chosen) for slot in slots)
    return _digest(
        [str(chosen is None), *(f"{slot} {told}" for slot, told in zip(slots, counts, strict=True))]
    )


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
