"""Calls of the training samples at a model's sites, kept on disk, and products of them made by tasks.

Sites are cut into groups by their numbers. A group's sum is made by one task in the order of its sites, and
the driver adds the groups up in theirs, so that no bit of a product depends on how rows lie in partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from threadpoolctl import threadpool_limits

from allofus_spark.arrow import runs_of
from allofus_spark.cohort import calls_at
from allofus_spark.genotypes import decode, packed_width, standardise, standardised_values, take_samples
from allofus_spark.settings import MIB
from allofus_spark.tables import Run

Floats = npt.NDArray[np.float64]

# The driver holds one partial sum of each group at a time: at most 16 of 16 MiB, a quarter of what Spark lets
# tasks return by default (spark.driver.maxResultSize). Under 1,000 sites a task would mostly start and end.
_MOST_GROUPS = 16
_LEAST_SITES_OF_GROUP = 1_000
_PARTIAL_BYTES = 16 * MIB
# Standardised calls that a task holds at a time.
_BLOCK_BYTES = 16 * MIB


@dataclass(frozen=True)
class TrainingCalls:
    """Calls of ``n_samples`` at sites of ``frequency`` float64[n_sites]. Grain of ``frame``: site."""

    frame: DataFrame
    n_samples: int
    frequency: Floats

    def covariance(self) -> Floats:
        """K = XᵀX, float64[n_samples, n_samples]: genetic covariances."""
        n = self.n_samples
        whole = np.zeros((n, n))
        width = max(1, _PARTIAL_BYTES // (8 * n))
        for first in range(0, n, width):
            stop = min(first + width, n)
            panel = self._sum(partial(_covariance_panel, first, stop), (n - first, stop - first))
            whole[first:, first:stop] = panel
            whole[first:stop, first:] = panel.T
        return whole

    def n_called(self) -> Floats:
        """Sites at which each sample has a call, float64[n_samples] of whole numbers."""
        return self._sum(_column_sums, (self.n_samples,), of_calls=_IS_CALLED)

    def diagonal(self) -> Floats:
        """The diagonal of `covariance`, float64[n_samples]."""
        return self._sum(_squares, (self.n_samples,))

    def times(self, vectors: Floats) -> Floats:
        """`covariance` times float64[n_samples, m], without the covariance."""
        return self._sum(partial(_covariance_times, vectors), vectors.shape)

    def loadings(self, vectors: Floats) -> Floats:
        """X times float64[n_samples, m]: float64[n_sites, m]."""
        rows = self.frame.mapInArrow(self._task(partial(_times, vectors), adds=False), _PARTS).collect()
        parts = [np.frombuffer(row.part) for row in sorted(rows, key=lambda row: (row.group, row.number))]
        return np.concatenate(parts).reshape(len(self.frequency), vectors.shape[1])

    def _sum(self, product: Product, shape: Sequence[int], of_calls: OfCalls | None = None) -> Floats:
        task = self._task(product, adds=True, of_calls=of_calls)
        rows = self.frame.mapInArrow(task, _PARTS).collect()
        total = np.zeros(shape)
        for row in sorted(rows, key=lambda row: int(row.group)):
            total += np.frombuffer(row.part).reshape(shape)
        return total

    def _task(self, product: Product, *, adds: bool, of_calls: OfCalls | None = None) -> _BlockProducts:
        return _BlockProducts(self.n_samples, self.frequency, product, adds, of_calls)


Product = Callable[[Floats], Floats]
OfCalls = tuple[float, float, float, float]
"""What each call counts as, by its code, at every site."""
_IS_CALLED: OfCalls = (1, 1, 1, 0)
_PARTS = "group int, number int, part binary"


def _covariance_panel(first: int, stop: int, block: Floats) -> Floats:
    """Rows ``first`` on of the columns [first, stop) of K; the rest is known by symmetry."""
    return np.asarray(block[:, first:].T @ block[:, first:stop])


def _column_sums(block: Floats) -> Floats:
    return np.asarray(block.sum(axis=0))


def _squares(block: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->j", block, block))


def _covariance_times(vectors: Floats, block: Floats) -> Floats:
    return np.asarray(block.T @ (block @ vectors))


def _times(vectors: Floats, block: Floats) -> Floats:
    return np.asarray(block @ vectors)


@dataclass(frozen=True)
class _BlockProducts:
    """Products of standardised blocks of sites; goes to the workers by pickle.

    With ``adds``, one sum a group; else one part a block, in the order of ``number``. Calls count as
    ``of_calls`` where that is given.
    """

    n_samples: int
    frequency: Floats
    product: Product
    adds: bool
    of_calls: OfCalls | None = None

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: list[Floats] = []
        current = -1
        # Tasks share the cores among them already.
        with threadpool_limits(1, "blas"):
            for group, rows in self._blocks(batches):
                if held and group != current:
                    yield from self._parts(current, held)
                    held = []
                current = group
                made = self.product(self._block(rows))
                if self.adds and held:
                    held[0] += made
                else:
                    held.append(made)
            if held:
                yield from self._parts(current, held)

    def _blocks(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.Table]]:
        """Blocks of one group, cut at the same sites whatever the batches are."""
        size = max(1, _BLOCK_BYTES // (8 * self.n_samples))
        held: list[pa.RecordBatch] = []
        current, n_held = -1, 0
        for batch in batches:
            for (group,), rows in runs_of(batch, ("group",)):
                if n_held and group != current:
                    yield current, pa.Table.from_batches(held)
                    held, n_held = [], 0
                current = group
                start = 0
                while start < len(rows):
                    part = rows.slice(start, size - n_held)
                    held.append(part)
                    n_held += len(part)
                    start += len(part)
                    if n_held == size:
                        yield group, pa.Table.from_batches(held)
                        held, n_held = [], 0
        if n_held:
            yield current, pa.Table.from_batches(held)

    def _block(self, rows: pa.Table) -> Floats:
        """float64[sites, n_samples]."""
        calls = b"".join(rows.column("packed").to_pylist())
        packed = np.frombuffer(calls, np.uint8).reshape(len(rows), packed_width(self.n_samples))
        sites = rows.column("site").to_numpy()
        if self.of_calls is None:
            values = standardised_values(self.frequency[sites], len(self.frequency))
        else:
            values = np.tile(np.array(self.of_calls), (len(rows), 1))
        return standardise(packed, values, self.n_samples)

    def _parts(self, group: int, held: Sequence[Floats]) -> Iterator[pa.RecordBatch]:
        for number, part in enumerate(held):
            yield pa.RecordBatch.from_pydict(
                {
                    "group": pa.array([group], pa.int32()),
                    "number": pa.array([number], pa.int32()),
                    "part": pa.array([np.ascontiguousarray(part).tobytes()], pa.binary()),
                }
            )


@contextmanager
def training_calls(
    run: Run, sites: pa.Table, callset_id: str, members: npt.NDArray[np.int64], n_samples: int
) -> Iterator[TrainingCalls]:
    """The calls of some samples of a callset at sites, on disk while the block runs.

    ``members`` int64[n], rising indices of the samples; ``n_samples`` of the callset in all.
    """
    take = _TakeMembers(members, n_samples)
    taken = calls_at(run, sites, [callset_id]).mapInArrow(take, "site int, packed binary")
    n_groups = min(-(-len(sites) // _LEAST_SITES_OF_GROUP), _MOST_GROUPS)
    size = -(-len(sites) // n_groups)
    grouped = taken.withColumn("group", (F.col("site") / size).cast("int"))
    # With a number of its own Spark does not merge the small partitions into one task.
    n_tasks = min(n_groups, 2 * run.warehouse.spark.sparkContext.defaultParallelism)
    kept = grouped.repartition(n_tasks, "group").sortWithinPartitions("site").persist(StorageLevel.DISK_ONLY)
    ac, an = (np.asarray(sites.column(name)) for name in ("ac", "an"))
    try:
        yield TrainingCalls(kept, len(members), ac / an)
    finally:
        kept.unpersist()


@dataclass(frozen=True)
class _TakeMembers:
    """Calls of some samples, packed; goes to the workers by pickle."""

    members: npt.NDArray[np.int64]
    n_samples: int

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            packed = take_samples(decode(batch, self.n_samples).to_packed(), self.members)
            calls = pa.array([row.tobytes() for row in packed], pa.binary())
            yield pa.RecordBatch.from_arrays([batch.column("site"), calls], names=["site", "packed"])


def fixed_signs(loadings: Floats) -> Floats:
    """+1 or −1 for each column, float64[k], by which its entry of largest magnitude becomes positive."""
    largest = np.abs(loadings).argmax(axis=0)
    return np.where(loadings[largest, np.arange(loadings.shape[1])] < 0, -1.0, 1.0)
