"""The samples between whom kinship is computed, and the blocks that they are cut into."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from allofus_spark.cohort import Slot, check_are_active
from allofus_spark.errors import BadSamples


@dataclass(frozen=True)
class Block:
    """Neighbouring members of one callset: those of ``start`` to ``stop`` among its members.

    ``start`` is a multiple of 4, so that a block is a slice of packed bytes; ``first`` is the place of its
    first sample among all people.
    """

    callset_id: str
    start: int
    stop: int
    first: int

    @property
    def n_samples(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class People:
    """The members of all callsets in a row; a sample's number in it is its *place*.

    ``members`` are the samples of each callset that count, as rising indices int64[n]; ``sizes`` its samples
    in all.
    """

    members: Mapping[str, npt.NDArray[np.int64]]
    sizes: Mapping[str, int]
    sample_ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.sample_ids)

    @cached_property
    def rank(self) -> npt.NDArray[np.int32]:
        """int32[n]: of each place the number of sample ids below its own, so that results do not depend on
        the order of samples."""
        rank = np.empty(len(self), np.int32)
        rank[np.array(sorted(range(len(self)), key=self.sample_ids.__getitem__), np.int64)] = np.arange(
            len(self)
        )
        return rank

    @cached_property
    def firsts(self) -> Mapping[str, int]:
        """Place of the first member of each callset."""
        sizes = [len(own) for own in self.members.values()]
        return dict(zip(self.members, np.concatenate([[0], np.cumsum(sizes)[:-1]]).tolist(), strict=True))

    def blocks(self, block_samples: int) -> list[Block]:
        """Blocks of at most ``block_samples``, a multiple of 4; none spans two callsets."""
        return [
            Block(name, start, min(start + block_samples, len(own)), self.firsts[name] + start)
            for name, own in self.members.items()
            for start in range(0, len(own), block_samples)
        ]


def choose_people(samples: Mapping[str, Sequence[Slot]], sample_ids: Collection[str] | None) -> People:
    """All samples of the active callsets, or those of ``sample_ids``.

    Raises BadSamples where an id is in no active callset, or fewer than two samples are left.
    """
    if sample_ids is not None:
        check_are_active(sample_ids, samples)
    wanted = None if sample_ids is None else set(sample_ids)
    members: dict[str, npt.NDArray[np.int64]] = {}
    ids: list[str] = []
    for callset_id, own in samples.items():
        chosen = {
            place: one.sample_id
            for place, one in enumerate(own)
            if one is not None and (wanted is None or one.sample_id in wanted)
        }
        if chosen:
            members[callset_id] = np.array(list(chosen), np.int64)
            ids += chosen.values()
    if len(ids) < 2:
        raise BadSamples(f"kinship is of two samples or more; there are {len(ids)}")
    return People(members, {name: len(samples[name]) for name in members}, ids)
