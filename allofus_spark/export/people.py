"""The callset of an export and those of its samples that are exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from allofus_spark.cohort import Slot, copies_meant
from allofus_spark.errors import BadSamples, BadSource, shown
from allofus_spark.genotypes import Packed, take_samples


@dataclass(frozen=True)
class People:
    """Who is exported, in callset order.

    ``chosen`` int64[m] are their indices among the ``n_in_callset`` samples; None: everyone.
    ``sex_classes`` are XX, XY or other (other and not known).
    """

    callset_id: str
    ids: tuple[str, ...]
    sex_classes: tuple[str, ...]
    n_in_callset: int
    chosen: npt.NDArray[np.int64] | None

    def take(self, packed: Packed) -> Packed:
        """The calls of those who are exported, from rows of the whole callset."""
        return packed if self.chosen is None else take_samples(packed, self.chosen)

    @cached_property
    def one_copy(self) -> npt.NDArray[np.bool_]:
        """bool[ploidy regions, m]: where one copy is meant."""
        return np.asarray(copies_meant(self.sex_classes) == 1, np.bool_)


def choose_people(
    samples: Mapping[str, Sequence[Slot]], callset_id: str | None, sample_ids: Sequence[str] | None
) -> People:
    """Those of one active callset's samples that are named, or all.

    ``samples`` are the slots of each active callset; who withdrew is not exported. Raises BadSource where
    the callset is not named and there are several, or is not active; BadSamples naming ids that it does
    not have.
    """
    callset_id = _choose_callset(samples, callset_id)
    slots = samples[callset_id]
    members = {index: sample for index, sample in enumerate(slots) if sample is not None}
    if not members:
        raise BadSamples(f"callset {callset_id} has no samples, so no genotypes to export")
    wanted = {sample.sample_id for sample in members.values()} if sample_ids is None else set(sample_ids)
    unknown = sorted(wanted - {sample.sample_id for sample in members.values()})
    if unknown:
        raise BadSamples(
            f"{len(unknown)} of {len(wanted)} sample ids are not in callset {callset_id}: {shown(unknown)}"
        )
    kept = [index for index, sample in members.items() if sample.sample_id in wanted]
    return People(
        callset_id=callset_id,
        ids=tuple(members[index].sample_id for index in kept),
        sex_classes=tuple(members[index].sex_class for index in kept),
        n_in_callset=len(slots),
        chosen=None if len(kept) == len(slots) else np.array(kept, np.int64),
    )


def _choose_callset(samples: Mapping[str, Sequence[Slot]], callset_id: str | None) -> str:
    active = ", ".join(samples) or "none"
    if callset_id is None:
        if len(samples) != 1:
            raise BadSource(
                f"the warehouse has {len(samples)} active callsets ({active}): name one with --callset"
            )
        return next(iter(samples))
    if callset_id not in samples:
        raise BadSource(f"callset {callset_id} is not an active one; active: {active}")
    return callset_id
