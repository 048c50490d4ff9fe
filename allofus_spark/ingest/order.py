"""Whether splits follow each other in the genome, so that staged rows need no shuffle.

Joint callsets come sorted: each split then holds a stretch of its own, apart from alleles that left-alignment
moved over an edge. Tables can be written from such splits in their order, each file sorted within itself, and
where no stretches overlap, no key can stand in two splits.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

Spans = dict[str, tuple[int, int]]

# How much longer the splits' stretches together may be than the contig that they cover.
_OVERLAP_ALLOWED = 1.1
_KEY = ["contig", "position", "ref", "alt"]


@dataclass
class Stretch:
    """Where the alleles of a split lie: contig to first and last position.

    ``may_repeat`` is set where the split itself can hold a key twice: two rows of one batch have it, or two
    batches overlap.
    """

    spans: Spans = field(default_factory=dict)
    may_repeat: bool = False

    def add(self, batch: pa.RecordBatch) -> None:
        """Widen the stretch by a batch of alleles."""
        encoded = batch.column("contig").dictionary_encode()
        code = np.asarray(encoded.indices)
        positions = np.asarray(batch.column("position"))
        for number, contig in enumerate(encoded.dictionary.to_pylist()):
            chosen = positions[code == number]
            first, last = int(chosen.min()), int(chosen.max())
            before = self.spans.get(contig)
            if before is not None:
                self.may_repeat |= first <= before[1]
                first, last = min(first, before[0]), max(last, before[1])
            self.spans[contig] = (first, last)
        keys = pa.Table.from_batches([batch.select(_KEY)])
        self.may_repeat |= keys.group_by(_KEY).aggregate([]).num_rows < batch.num_rows


def overlap(spans: Sequence[Spans]) -> bool:
    """Whether two splits share a position."""
    by_contig: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for split in spans:
        for contig, span in split.items():
            by_contig[contig].append(span)
    return any(
        after[0] <= before[1]
        for own in by_contig.values()
        for before, after in itertools.pairwise(sorted(own))
    )


def follow_each_other(spans: Sequence[Spans]) -> bool:
    """Whether the splits, in the order given, cover each contig in rising stretches that hardly overlap."""
    stretches: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for split in spans:
        for contig, (first, last) in split.items():
            stretches[contig].append((first, last))
    for own in stretches.values():
        firsts = [first for first, _ in own]
        covered = max(last for _, last in own) - min(firsts) + 1
        if (
            firsts != sorted(firsts)
            or sum(last - first + 1 for first, last in own) > _OVERLAP_ALLOWED * covered
        ):
            return False
    return True


def contiguous_groups(items: Sequence[str], n_groups: int) -> list[list[str]]:
    """``items`` cut into at most ``n_groups`` runs of nearly equal length."""
    return [part.tolist() for part in np.array_split(np.array(items), n_groups) if len(part)]
