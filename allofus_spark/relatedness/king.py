"""KING-robust kinship of all pairs: a task for each pair of blocks of samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.arrow import runs_of
from allofus_spark.genotypes import Packed, packed_width
from allofus_spark.genotypes.kinship import (
    CHUNK_SITES,
    NO_CALLS,
    ChunkPlanes,
    PairCounts,
    chunk_planes,
    no_calls,
)
from allofus_spark.relatedness.people import Block
from allofus_spark.relatedness.slices import PLACE

COUNTS = ("n_sites", "n_het_first", "n_het_second", "n_het_both", "n_ibs0")
PAIR_TYPE = f"first int, second int, kinship double, {', '.join(f'{name} int' for name in COUNTS)}"
"""A pair of places; or, without ``second`` and kinship, a sample with the sites at which it has a call."""
_ROWS_OUT = 64 * 1024


@dataclass(frozen=True)
class KingRobust:
    """Slices of whole pairs of blocks, by pair and chunk, to PAIR_TYPE; goes to the workers by pickle.

    Gives the pairs of ``min_kinship`` or more, and one row a sample of the blocks that are paired with
    themselves.
    """

    blocks: Sequence[Block]
    n_sites: int
    min_kinship: float

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        current: _BlockPair | None = None
        for batch in batches:
            for (first, second, chunk), rows in runs_of(batch, ("first", "second", "chunk")):
                if current is None or current.numbers != (first, second):
                    if current is not None:
                        yield from current.finish(self.min_kinship)
                    pair = self.blocks[first], self.blocks[second]
                    current = _BlockPair((first, second), pair, self.n_sites)
                current.add(chunk, rows)
        if current is not None:
            yield from current.finish(self.min_kinship)


class _BlockPair:
    """The chunks of two blocks, one after the other, and the counts of their pairs."""

    def __init__(self, numbers: tuple[int, int], blocks: tuple[Block, Block], n_sites: int) -> None:
        self.numbers = numbers
        self._blocks = blocks
        self._n_sites = n_sites
        self._is_within = numbers[0] == numbers[1]
        n_first, n_second = (block.n_samples for block in blocks)
        self._counts = PairCounts(n_first, n_second, is_within=self._is_within)
        self._chunk: int | None = None
        self._calls: list[Packed] = [no_calls(block.n_samples) for block in blocks]

    def add(self, chunk: int, rows: pa.RecordBatch) -> None:
        """Slices of a chunk; chunks rise, and the slices of one may come in several batches."""
        if chunk != self._chunk:
            self._count()
            self._chunk = chunk
        columns = (rows.column(name).to_pylist() for name in ("block", "places", "calls"))
        for block, places, calls in zip(*columns, strict=True):
            side = 0 if block == self.numbers[0] else 1
            place = np.frombuffer(places, PLACE)
            width = packed_width(self._blocks[side].n_samples)
            self._calls[side][place] = np.frombuffer(calls, np.uint8).reshape(len(place), width)

    def _count(self) -> None:
        """Add the chunk that is held, and make room for another."""
        if self._chunk is None:
            return
        first, second = self._planes()
        n_sites = min(CHUNK_SITES, self._n_sites - self._chunk * CHUNK_SITES)
        self._counts.add(first, second, n_sites)
        for calls in self._calls:
            calls.fill(NO_CALLS)

    def _planes(self) -> tuple[ChunkPlanes, ChunkPlanes]:
        first = chunk_planes(self._calls[0], self._blocks[0].n_samples)
        return first, first if self._is_within else chunk_planes(self._calls[1], self._blocks[1].n_samples)

    def finish(self, min_kinship: float) -> Iterator[pa.RecordBatch]:
        """The relatives among the two blocks; of a block with itself also its samples."""
        self._count()
        found = self._counts.relatives(min_kinship)
        for begin in range(0, len(found.first), _ROWS_OUT):
            first, second, *values = (column[begin : begin + _ROWS_OUT] for column in found)
            places = self._blocks[0].first + first, self._blocks[1].first + second
            yield _batch([*places, *values])
        if self._is_within:
            place = self._blocks[0].first + np.arange(self._blocks[0].n_samples, dtype=np.int32)
            absent = [None] * (1 + len(COUNTS))
            yield _batch([place, None, None, self._counts.n_called_first, *absent[2:]])


def _batch(columns: Sequence[npt.NDArray[np.generic] | None]) -> pa.RecordBatch:
    """Rows of PAIR_TYPE; None: a column of nulls."""
    kinds = [pa.int32(), pa.int32(), pa.float64(), *[pa.int32()] * len(COUNTS)]
    n = next(len(column) for column in columns if column is not None)
    arrays = [
        pa.nulls(n, kind) if column is None else pa.array(column, kind)
        for column, kind in zip(columns, kinds, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=["first", "second", "kinship", *COUNTS])
