"""Alleles looked up in a table's data files by the tasks themselves: a merge without a shuffle.

Tables keyed by variant are partitioned by contig and bin alike, and their files are sorted by position. So a
task that holds some alleles of a partition needs, of another table's files of that partition, only the row
groups that reach into its own range, one after the other. What it holds at a time is a row group of either:
131,072 narrow rows as they are written here; OPTIMIZE of another tool can make them larger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allofus_spark.arrow import string_buffers
from allofus_spark.genome import match_alleles

ALLELE = ("position", "ref", "alt")
# In one batch, also of the larger row groups that other tools write.
_MOST_ROWS = 128 * 1024


class _RowGroup(NamedTuple):
    """One row group of a file, and the positions that it spans."""

    first: int
    last: int
    file: int
    number: int


@dataclass(frozen=True)
class Found:
    """What a look-up of n alleles found.

    ``known`` bool[n]: the allele is there; ``other`` bool[n]: another allele is at its position; ``values``:
    columns of the rows found, n each, null where none was.
    """

    known: npt.NDArray[np.bool_]
    other: npt.NDArray[np.bool_]
    values: Mapping[str, pa.Array]

    def take(self, rows: npt.NDArray[np.int64]) -> Found:
        """The same for some of the alleles, in another order."""
        values = {name: column.take(pa.array(rows)) for name, column in self.values.items()}
        return Found(self.known[rows], self.other[rows], values)


class AlleleFiles:
    """Files of one (contig, bin) of a table keyed by variant, opened when they are needed.

    ``columns`` are read besides position, ref and alt.
    """

    def __init__(self, paths: Sequence[str], columns: Sequence[str] = ()) -> None:
        self._files = [pq.ParquetFile(path) for path in paths]
        self._columns = tuple(columns)
        groups = [
            _row_group(file, number, place)
            for place, file in enumerate(self._files)
            for number in range(file.num_row_groups)
        ]
        self._groups = sorted(groups)
        self._starts = [group.first for group in self._groups]
        # The row group that was read last: the next alleles often begin in it.
        self._held: tuple[_RowGroup, pa.RecordBatch] | None = None

    def rows(self, share: int = 0, of: int = 1) -> Iterator[pa.RecordBatch]:
        """The rows of one of ``of`` equal shares of the row groups, by position within each batch."""
        n = len(self._groups)
        for group in self._groups[n * share // of : n * (share + 1) // of]:
            rows = self._read(group)
            for first in range(0, rows.num_rows, _MOST_ROWS):
                yield rows.slice(first, _MOST_ROWS)

    def find(self, alleles: pa.RecordBatch) -> Found:
        """Look up alleles; those by rising position are quickest."""
        position = np.asarray(alleles.column("position"))
        if np.any(position[1:] < position[:-1]):
            order = np.argsort(position, kind="stable")
            return self.find(alleles.take(pa.array(order))).take(np.argsort(order))
        known, other = np.zeros((2, len(position)), np.bool_)
        taken: dict[str, list[pa.Array]] = {name: [] for name in self._columns}
        place = np.full(len(position), -1, np.int64)
        n_taken = 0
        for group in self._overlapping(position):
            rows = self._read(group)
            within = slice(*np.searchsorted(position, [group.first, group.last + 1]))
            row, beside = match(alleles.slice(within.start, within.stop - within.start), rows)
            other[within] |= beside
            hit = np.flatnonzero(row >= 0)
            known[within.start + hit] = True
            place[within.start + hit] = n_taken + np.arange(len(hit))
            n_taken += len(hit)
            for name in self._columns:
                taken[name].append(rows.column(name).take(pa.array(row[hit])))
        return Found(known, other, {name: self._values(name, parts, place) for name, parts in taken.items()})

    def _overlapping(self, position: npt.NDArray[np.int32]) -> Iterator[_RowGroup]:
        """Row groups with an allele between their ends."""
        if not len(position):
            return
        stop = int(np.searchsorted(self._starts, position[-1], side="right"))
        for group in self._groups[:stop]:
            if group.last >= position[0]:
                nearest = int(np.searchsorted(position, group.first))
                if position[nearest] <= group.last:
                    yield group

    def _values(self, name: str, parts: list[pa.Array], place: npt.NDArray[np.int64]) -> pa.Array:
        if not parts:
            kind = self._files[0].schema_arrow.field(name).type if self._files else pa.string()
            return _plain(pa.nulls(len(place), kind))
        return pa.concat_arrays(parts).take(pa.array(place, mask=place < 0))

    def _read(self, group: _RowGroup) -> pa.RecordBatch:
        if self._held is None or self._held[0] != group:
            columns = [*ALLELE, *self._columns]
            table = self._files[group.file].read_row_group(group.number, columns=columns, use_threads=False)
            self._held = group, by_position(as_batch(table.select(columns)))
        return self._held[1]


def match(
    alleles: pa.RecordBatch, known: pa.RecordBatch
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """As `match_alleles`, of batches with position, ref and alt, by rising position."""
    row, other = match_alleles(*_buffers(alleles), *_buffers(known))
    return row, other


def _buffers(alleles: pa.RecordBatch) -> tuple[npt.NDArray[np.generic], ...]:
    position = np.asarray(alleles.column("position"))
    return position, *string_buffers(alleles.column("ref")), *string_buffers(alleles.column("alt"))


def by_position(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows by rising position; as they are where they are so already: only other tools' files are not."""
    position = np.asarray(rows.column("position"))
    if np.all(position[1:] >= position[:-1]):
        return rows
    return rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in ALLELE]))


def as_batch(table: pa.Table) -> pa.RecordBatch:
    """A small table in one piece."""
    whole = table.combine_chunks()
    arrays = [column.chunk(0) if column.num_chunks else pa.array([], column.type) for column in whole.columns]
    return pa.RecordBatch.from_arrays([_plain(array) for array in arrays], names=whole.schema.names)


def _plain(array: pa.Array) -> pa.Array:
    """Text as string: a file can name another form of it, such as large_string or a dictionary."""
    kind = array.type
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_text = pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value)
    return array.cast(pa.string()) if is_text else array


def _row_group(file: pq.ParquetFile, number: int, place: int) -> _RowGroup:
    """Its span from the footer; the widest possible where another tool wrote no statistics."""
    group = file.metadata.row_group(number)
    statistics = group.column(file.schema.names.index("position")).statistics
    if statistics is None or not statistics.has_min_max:
        return _RowGroup(0, np.iinfo(np.int32).max - 1, place, number)
    return _RowGroup(int(statistics.min), int(statistics.max), place, number)
