"""Whether splits follow each other in the genome, so that staged rows need no shuffle.

Joint callsets come sorted: each split then holds a stretch of its own, apart from alleles that left-alignment
moved over an edge. Tables can be written from such splits in their order, each file sorted within itself, and
where no stretches overlap, no key can stand in two splits.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

# Contig to first and last position, and the bases that were gone back over on the way; contigs in the order
# in which they first came.
Spans = dict[str, tuple[int, int, int]]

# How much longer the way over the splits may be than what they cover of a contig.
_OVERLAP_ALLOWED = 1.1
_KEY = ["contig", "position", "ref", "alt"]


def extents(batch: pa.RecordBatch) -> Iterator[tuple[str, int, int, int]]:
    """(contig, first and last position, rows) of each contig of a batch, in the order in which they come."""
    encoded = batch.column("contig").dictionary_encode()
    code, positions = np.asarray(encoded.indices), np.asarray(batch.column("position"))
    for number, contig in enumerate(encoded.dictionary.to_pylist()):
        own = positions[code == number]
        yield contig, int(own.min()), int(own.max()), len(own)


@dataclass
class Stretch:
    """Where the alleles of a split lie.

    A batch goes back over what lies between its first position and the last one before it, and over the whole
    contig where it comes back to one after another contig. ``may_repeat`` is set where the split itself can
    hold a key twice: two rows of one batch have it, or two batches overlap.
    """

    spans: Spans = field(default_factory=dict)
    may_repeat: bool = False
    last_contig: str | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Widen the stretch by a batch of alleles."""
        for contig, first, last, _ in extents(batch):
            back = 0
            if contig in self.spans:
                first_before, last_before, back = self.spans[contig]
                self.may_repeat |= first <= last_before
                back += max(0, last_before - first)
                first, last = min(first, first_before), max(last, last_before)
                if contig != self.last_contig:
                    back += last - first + 1
            self.spans[contig] = (first, last, back)
        self.last_contig = batch.column("contig")[-1].as_py()
        keys = pa.Table.from_batches([batch.select(_KEY)])
        self.may_repeat |= keys.group_by(_KEY).aggregate([]).num_rows < batch.num_rows


def overlap(spans: Sequence[Spans]) -> bool:
    """Whether two splits share a position."""
    by_contig: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for split in spans:
        for contig, (first, last, _) in split.items():
            by_contig[contig].append((first, last))
    return any(
        after[0] <= before[1]
        for own in by_contig.values()
        for before, after in itertools.pairwise(sorted(own))
    )


def follow_each_other(spans: Sequence[Spans]) -> bool:
    """Whether the splits, in the order given, cover each contig in rising stretches that hardly overlap.

    The batches of each split must do so too: what goes back within a split counts like what overlaps. And no
    contig may come again after another one: each time would end a file.
    """
    visited = [contig for contig, _ in itertools.groupby(contig for split in spans for contig in split)]
    if len(visited) > len(set(visited)):
        return False
    stretches: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for split in spans:
        for contig, span in split.items():
            stretches[contig].append(span)
    for own in stretches.values():
        firsts = [first for first, _, _ in own]
        covered = max(last for _, last, _ in own) - min(firsts) + 1
        length = sum(last - first + 1 + back for first, last, back in own)
        if firsts != sorted(firsts) or length > _OVERLAP_ALLOWED * covered:
            return False
    return True


def contiguous_groups(items: Sequence[str], n_groups: int) -> list[list[str]]:
    """``items`` cut into at most ``n_groups`` runs of nearly equal length."""
    return [part.tolist() for part in np.array_split(np.array(items), n_groups) if len(part)]
