"""Calls at the chosen sites, cut into slices of one block of samples and one chunk of sites.

Packed calls cross Spark twice. First those of each row of ``genotypes``, some megabytes a task, so that
neighbouring sites come together: ``genotypes`` of a cohort lie in thousands of files with a few chosen sites
each. Then each slice goes to the task of every pair of blocks that its block is in. With B blocks of s
samples these are B(B + 1)/2 tasks, and B copies of all calls: for 245,388 samples and 100,000 sites (6.1 GB
packed) 28,920 tasks and 1.5 TB in blocks of 1,024, and 1,830 tasks and 370 GB in blocks of 4,096. A task
takes in 2·s·sites/4 bytes, holds one chunk of them and the counts of its s² pairs, and needs no file of
another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import lists_of_rows, runs_of
from allofus_spark.cohort import calls_at
from allofus_spark.genotypes import Packed, decode, packed_width, rows_that_fit, take_samples
from allofus_spark.genotypes.kinship import CHUNK_SITES
from allofus_spark.relatedness.people import Block, People
from allofus_spark.tables import Run
from allofus_spark.tasks import partition_keys

_SLICE = "block int, chunk int, places binary, calls binary, keys array<int>"
_PLACE_BYTES = 2
PLACE = np.dtype("<u2")


def slices_of_pairs(run: Run, sites: pa.Table, people: People, blocks: Sequence[Block]) -> DataFrame:
    """Slices, each as often as its block is in a pair of blocks.

    Columns ``first`` and ``second``, the pair (first ≤ second), ``block``, which of them the slice is of,
    ``chunk``, ``places`` (uint16 within the chunk) and ``calls`` (packed, site by site). A partition has the
    slices of whole pairs, by pair and chunk.
    """
    n_tasks = len(blocks) * (len(blocks) + 1) // 2
    rows = gathered_calls(run, sites, people)
    slices = rows.mapInArrow(SliceCalls(people, blocks, partition_keys(n_tasks)), _SLICE)
    paired = slices.select("block", "chunk", "places", "calls", F.posexplode("keys").alias("other", "key"))
    first, second = F.least("block", "other"), F.greatest("block", "other")
    return (
        paired.select(
            first.alias("first"), second.alias("second"), "block", "chunk", "places", "calls", "key"
        )
        .repartition(n_tasks, "key")
        .sortWithinPartitions("first", "second", "chunk")
        .drop("key")
    )


def gathered_calls(run: Run, sites: pa.Table, people: People) -> DataFrame:
    """Calls at the sites, those of neighbouring sites in one partition, sorted by callset and site.

    Partitions are of about ``ingest.batch_bytes`` of packed calls.
    """
    n_bytes = len(sites) * sum(map(packed_width, people.sizes.values()))
    n_tasks = max(1, min(len(sites), n_bytes // run.warehouse.settings.ingest.batch_bytes))
    calls = calls_at(run, sites, list(people.members))
    neighbours = F.floor(F.col("site") * n_tasks / len(sites)).cast("int")
    return calls.repartition(n_tasks, neighbours).sortWithinPartitions("callset_id", "site")


def rows_of_slices(people: People, block_samples: int, batch_bytes: int) -> int:
    """Rows of an Arrow batch, of calls and of slices alike.

    A batch of n rows of calls gives slices of at most n sites, so that n of these take n² sites' bytes.
    """
    bytes_of_site = packed_width(min(block_samples, len(people))) + _PLACE_BYTES
    widest = max(people.sizes.values())
    return min(rows_that_fit(widest, batch_bytes), max(1, math.isqrt(batch_bytes // bytes_of_site)))


@dataclass(frozen=True)
class SliceCalls:
    """Rows of calls to slices; goes to the workers by pickle. ``keys`` are of the pairs, row by row."""

    people: People
    blocks: Sequence[Block]
    keys: npt.NDArray[np.int32]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        numbers = _by_callset(self.blocks)
        keys = self._keys_of_blocks()
        for batch in batches:
            for (callset_id,), rows in runs_of(batch, ("callset_id",)):
                packed = member_calls(self.people, callset_id, rows)
                site = np.asarray(rows.column("site"))
                yield self._slices(numbers[callset_id], site, packed, keys)

    def _keys_of_blocks(self) -> npt.NDArray[np.int32]:
        """int32[blocks, blocks]: the key of the pair of two blocks."""
        n = len(self.blocks)
        keys = np.zeros((n, n), np.int32)
        keys[np.triu_indices(n)] = self.keys
        return np.maximum(keys, keys.T)

    def _slices(
        self,
        numbers: Sequence[int],
        site: npt.NDArray[np.int32],
        packed: Packed,
        keys: npt.NDArray[np.int32],
    ) -> pa.RecordBatch:
        columns: dict[str, list[object]] = {"block": [], "chunk": [], "places": [], "calls": []}
        for chunk, rows in _by_chunk(site):
            places = (site[rows] % CHUNK_SITES).astype(PLACE).tobytes()
            calls = packed[rows]
            for number in numbers:
                block = self.blocks[number]
                own = calls[:, block.start // 4 : packed_width(block.stop)]
                for name, value in zip(columns, (number, chunk, places, own.tobytes()), strict=True):
                    columns[name].append(value)
        own_keys = keys[np.array(columns["block"], np.int64)]
        arrays = [
            pa.array(columns["block"], pa.int32()),
            pa.array(columns["chunk"], pa.int32()),
            pa.array(columns["places"], pa.binary()),
            pa.array(columns["calls"], pa.binary()),
            lists_of_rows(own_keys),
        ]
        return pa.RecordBatch.from_arrays(arrays, names=[*columns, "keys"])


def member_calls(people: People, callset_id: str, rows: pa.RecordBatch) -> Packed:
    """Packed calls of a callset's members, uint8[rows, ceil(members / 4)]."""
    size, members = people.sizes[callset_id], people.members[callset_id]
    packed = decode(rows, size).to_packed()
    return packed if len(members) == size else take_samples(packed, members)


def _by_chunk(
    site: npt.NDArray[np.int32],
) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Each chunk, and the rows of its sites."""
    order = np.argsort(site, kind="stable")
    chunks, starts = np.unique(site[order] // CHUNK_SITES, return_index=True)
    yield from zip(chunks.tolist(), np.split(order, starts[1:]), strict=True)


def _by_callset(blocks: Sequence[Block]) -> Mapping[str, list[int]]:
    """The numbers of each callset's blocks."""
    numbers: dict[str, list[int]] = {}
    for number, block in enumerate(blocks):
        numbers.setdefault(block.callset_id, []).append(number)
    return numbers
