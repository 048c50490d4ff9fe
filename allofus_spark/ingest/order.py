"""Whether splits follow each other in the genome, so that staged rows need no shuffle to be written sorted.

Joint callsets come sorted: each split then holds a stretch of its own, apart from alleles that left-alignment
moved over an edge. Tables can be written from such splits in their order, each file sorted within itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

Spans = dict[str, tuple[int, int]]

# How much longer the splits' stretches together may be than the contig that they cover.
_OVERLAP_ALLOWED = 1.1


def add_spans(spans: Spans, batch: pa.RecordBatch) -> None:
    """Widen ``spans`` (contig to first and last position) by the alleles of a batch."""
    encoded = batch.column("contig").dictionary_encode()
    code = np.asarray(encoded.indices)
    positions = np.asarray(batch.column("position"))
    for number, contig in enumerate(encoded.dictionary.to_pylist()):
        chosen = positions[code == number]
        first, last = spans.get(contig, (int(chosen[0]), int(chosen[0])))
        spans[contig] = (min(first, int(chosen.min())), max(last, int(chosen.max())))


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


def contiguous_groups(numbers: Sequence[int], n_groups: int) -> list[list[int]]:
    """``numbers`` cut into at most ``n_groups`` runs of nearly equal length."""
    return [part.tolist() for part in np.array_split(np.array(numbers), n_groups) if len(part)]
