"""The pass over genotypes: every phenotype and ancestry of a variant is tested when its calls are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pyspark import Broadcast
from threadpoolctl import threadpool_limits

from allofus_spark.association.calls import ALLELE, Calls, Stretch
from allofus_spark.association.cells import Bools, Cells, Place, Values, cells_of_tests, joined
from allofus_spark.association.output import Named, Output
from allofus_spark.association.parts import PARTS, Parts
from allofus_spark.association.people import Group, Places
from allofus_spark.association.refits import EXACT, records_of
from allofus_spark.regression import Models, test_variants

# Of a row of associations as Arrow, at the least: so a chunk fills a file, and comes to it in order.
_BYTES_OF_ROW = 116
_STRETCHES = 4  # of alleles that are tested at once, in a chunk


@dataclass
class _Chunk:
    """Outcomes of alleles of one (contig, bin) that wait to be written together."""

    contig: str
    bin: int
    alleles: list[pa.RecordBatch] = field(default_factory=list)
    values: list[Mapping[str, Values]] = field(default_factory=list)
    is_final: list[Bools] = field(default_factory=list)

    @property
    def n(self) -> int:
        return sum(map(len, self.alleles))

    def cells(self, n_phenotypes: int) -> tuple[Place, Cells, Bools]:
        """What is held, in the order of the genome."""
        alleles = pa.concat_batches(self.alleles)
        place = Place(self.contig, self.bin, alleles)
        is_final, order = np.concatenate(self.is_final, axis=1), place.order
        ordered = is_final if order is None else is_final[:, order]
        return place.in_order(), joined(self.values, n_phenotypes).over_variants(order), ordered


@dataclass(frozen=True)
class Scan:
    """Rows of ``genotypes`` to rows of the tables and side outputs; goes to the workers by pickle.

    ``groups`` are the people of each ancestry on the axis; ``people`` int64[n] the places there of all of
    them together. ``models`` are in the order of ``output.fitted.ancestries``. Side outputs: the sums of each
    task, and what is to be fitted exactly.
    """

    calls: Calls
    groups: Sequence[Group]
    people: Places
    models: Broadcast[Sequence[Models]]
    output: Output

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Named]:
        parts = self.output.parts()
        most = self._most_alleles()
        chunk: _Chunk | None = None
        with threadpool_limits(1, "blas"):
            for stretch in self.calls.stretches(batches, max(1, most // _STRETCHES)):
                here = stretch.contig, stretch.bin
                if chunk is not None and (here != (chunk.contig, chunk.bin) or chunk.n >= most):
                    yield from self._finish(chunk, parts)
                    chunk = None
                chunk = chunk or _Chunk(*here)
                yield from self._test(stretch, chunk)
            if chunk is not None:
                yield from self._finish(chunk, parts)
        for batch in parts.batches():
            yield PARTS.name, batch

    def _most_alleles(self) -> int:
        """Alleles whose rows, all ancestries and phenotypes, fill a file."""
        fitted = self.output.fitted
        cells = len(fitted.ancestries) * len(fitted.phenotype_ids)
        return max(1, -(-self.output.keeping.target_file_bytes // (_BYTES_OF_ROW * cells)))

    def _test(self, stretch: Stretch, chunk: _Chunk) -> Iterator[Named]:
        fitted = self.output.fitted
        tests = [
            test_variants(models, group.calls(stretch.calls))
            for models, group in zip(self.models.value, self.groups, strict=True)
        ]
        values = cells_of_tests(tests, fitted)
        is_exact = np.asarray(values["needs_exact"].any(axis=0))
        chunk.alleles.append(stretch.alleles.select(ALLELE[2:]))
        chunk.values.append(values)
        chunk.is_final.append(~is_exact)
        if is_exact.any():
            for batch in records_of(stretch, values, is_exact, self.people):
                yield EXACT.name, batch

    def _finish(self, chunk: _Chunk, parts: Parts) -> Iterator[Named]:
        place, cells, is_final = chunk.cells(len(self.output.fitted.phenotype_ids))
        yield from self.output.rows(place, cells, is_final, parts)
