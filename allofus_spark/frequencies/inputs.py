"""What counts and frequencies are made from, so that only what changed is made anew.

The counts of a callset follow from its genotypes and its strata; the frequencies of a partition from the
counts of every callset that has alleles there. After one callset's samples were relabelled, the others are
not counted again, and partitions that it has no allele in keep their rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from allofus_spark.cohort import Strata, last_changes
from allofus_spark.tables import (
    ALLELE_COUNTS,
    GENOTYPES,
    Inputs,
    Partition,
    RowsWrite,
    Run,
    allele_frequencies,
    inputs_by_scope,
    inputs_write,
)

# Raised when the same genotypes and strata give other rows than before.
_RULES_VERSION = "1"
_EVERYONE = "all"

Made = Mapping[Partition, Inputs]


@dataclass(frozen=True)
class Changes:
    """What is to be made anew.

    ``counts`` and ``frequencies`` are what today's rows are made from: by callset, and of all. A ``stale``
    callset is counted again, a ``gone`` one is counted no more; ``partitions`` are those whose frequencies
    change. ``everything``: no row of before can stay.
    """

    counts: Mapping[str, Made]
    frequencies: Made
    stale: tuple[str, ...]
    gone: tuple[str, ...]
    partitions: tuple[Partition, ...]
    everything: bool

    def write(self, frequencies: str) -> RowsWrite:
        """The record of what rows are made from; ``frequencies`` names their table."""
        made = {(ALLELE_COUNTS.name, callset_id): own for callset_id, own in self.counts.items()}
        made |= {(ALLELE_COUNTS.name, callset_id): {} for callset_id in self.gone}
        return inputs_write({**made, (frequencies, _EVERYONE): self.frequencies})


def find_changes(run: Run, strata: Sequence[Strata], *, recompute: bool) -> Changes:
    """What changed since counts and frequencies were made; ``recompute``: take everything for changed."""
    settings = run.warehouse.settings.frequencies
    table = allele_frequencies(settings.ancestry_groups)
    counts = _counts_today(run, strata)
    groups = _digest([*settings.ancestry_groups, settings.unassigned_group, _RULES_VERSION])
    frequencies: dict[Partition, dict[str, str]] = {}
    for callset_id, own in counts.items():
        for place, inputs in own.items():
            made = frequencies.setdefault(place, {"groups": groups})
            made[f"callset {callset_id}"] = _digest(list(inputs.values()))
    held = inputs_by_scope(run, ALLELE_COUNTS.name) if run.holds(ALLELE_COUNTS) else {}
    held_frequencies = inputs_by_scope(run, table.name).get(_EVERYONE, {}) if run.holds(table) else {}
    stale = tuple(name for name, own in counts.items() if recompute or held.get(name, {}) != own)
    gone = tuple(sorted(set(held) - set(counts)))
    places = {*frequencies, *held_frequencies}
    partitions = [place for place in places if held_frequencies.get(place) != frequencies.get(place)]
    same_groups = any(made.get("groups") == groups for made in held_frequencies.values())
    everything = recompute or not same_groups or set(stale) == set(counts)
    if everything:
        stale = tuple(counts)
    return Changes(counts, frequencies, stale, gone, tuple(sorted(partitions)), everything)


def _counts_today(run: Run, strata: Sequence[Strata]) -> dict[str, dict[Partition, Inputs]]:
    """What the counts of each callset's partitions are made from."""
    genotypes = last_changes(run, GENOTYPES)
    return {
        item.callset_id: {
            place: {"rules": _RULES_VERSION, "genotypes": last, "strata": item.strata_id}
            for place, last in genotypes.get(item.callset_id, {}).items()
        }
        for item in strata
    }


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
