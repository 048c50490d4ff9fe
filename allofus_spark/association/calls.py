"""Rows of ``genotypes`` to calls of all people, whatever callsets they are of and copies are meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.arrow import begins_run
from allofus_spark.association.people import Axis
from allofus_spark.association.variants import lies_in
from allofus_spark.genome import DIPLOID, Build, ploidy_regions
from allofus_spark.genome.regions import Regions
from allofus_spark.genotypes import CallBatch, decode, join_calls, recode_calls

ALLELE = ("contig", "bin", "position", "ref", "alt")
COLUMNS = ("callset_id", *ALLELE, "het_index", "hom_alt_index", "missing_index", "calls")


class Stretch(NamedTuple):
    """Neighbouring alleles of one (contig, bin), all with the same ploidy, and their calls on the axis."""

    contig: str
    bin: int
    alleles: pa.RecordBatch
    calls: CallBatch


@dataclass(frozen=True)
class Calls:
    """Rows of ``genotypes`` by COLUMNS to stretches; goes to the workers by pickle.

    Rows of several callsets come sorted by allele. ``meant`` uint8[regions, classes, 4]: see `calls_meant`.
    """

    axis: Axis
    build: Build
    regions: Regions | None
    meant: npt.NDArray[np.uint8]

    def stretches(self, batches: Iterable[pa.RecordBatch], most_alleles: int) -> Iterator[Stretch]:
        """Stretches of at most so many alleles."""
        whole = batches if len(self.axis.sizes) == 1 else _whole_alleles(batches)
        for batch in whole:
            for contig, number, region, rows in self._alike(batch):
                rows = rows.filter(pa.array(lies_in(self.regions, contig, rows))) if self.regions else rows
                for alleles, own in self._slices(rows, most_alleles):
                    yield Stretch(contig, number, alleles, self._calls(alleles, own, region))

    def _alike(self, batch: pa.RecordBatch) -> Iterator[tuple[str, int, int, pa.RecordBatch]]:
        """Runs of rows of one contig, bin and ploidy."""
        if not batch.num_rows:
            return
        regions = ploidy_regions(batch.column("contig"), batch.column("position"), self.build)
        begins = begins_run(batch, ("contig", "bin"))
        begins[1:] |= regions[1:] != regions[:-1]
        starts = np.flatnonzero(begins).tolist()
        for start, stop in zip(starts, [*starts[1:], batch.num_rows], strict=True):
            rows = batch.slice(start, stop - start)
            yield rows.column("contig")[0].as_py(), rows.column("bin")[0].as_py(), int(regions[start]), rows

    def _slices(self, rows: pa.RecordBatch, most: int) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
        """Alleles, and the rows that they have in all callsets."""
        starts = np.append(np.flatnonzero(begins_run(rows, ALLELE)), rows.num_rows)
        for first in range(0, len(starts) - 1, most):
            edges = starts[first : first + most + 1]
            own = rows.slice(int(edges[0]), int(edges[-1] - edges[0]))
            one_each = own if len(own) == len(edges) - 1 else own.take(pa.array(edges[:-1] - edges[0]))
            yield one_each.select(ALLELE), own

    def _calls(self, alleles: pa.RecordBatch, rows: pa.RecordBatch, region: int) -> CallBatch:
        calls = self._joined(alleles, rows)
        if region == DIPLOID:
            return calls
        of_rows = np.full(len(alleles), region, np.int8)
        return recode_calls(calls.to_packed(), self.meant, of_rows, self.axis.sex_classes)

    def _joined(self, alleles: pa.RecordBatch, rows: pa.RecordBatch) -> CallBatch:
        if len(self.axis.sizes) == 1:
            return decode(rows, len(self.axis))
        number = np.cumsum(begins_run(rows, ALLELE)) - 1
        callset = np.asarray(rows.column("callset_id").to_pylist(), object)
        parts = []
        for name, n_samples in self.axis.sizes.items():
            own = np.flatnonzero(callset == name)
            if len(own):
                calls = decode(rows.take(pa.array(own)), n_samples)
                parts.append((calls, number[own], self.axis.firsts[name]))
        return join_calls(parts, len(alleles), len(self.axis))


def _whole_alleles(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows, sorted by allele, in batches that tear no allele apart."""
    held: pa.RecordBatch | None = None
    for batch in batches:
        if not batch.num_rows:
            continue
        rows = batch if held is None else pa.concat_batches([held, batch])
        last = int(np.flatnonzero(begins_run(rows, ALLELE))[-1])
        if last:
            yield rows.slice(0, last)
        held = rows.slice(last)
    if held is not None:
        yield held
