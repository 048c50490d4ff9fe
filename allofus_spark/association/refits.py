"""Hits fitted exactly, in a pass of its own: in a strong region one task of the scan would have them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark import Broadcast
from threadpoolctl import threadpool_limits

from allofus_spark.arrow import lists_of_rows, matrix_of, runs_of
from allofus_spark.association.calls import Stretch
from allofus_spark.association.cells import FIELDS, KINDS, Bools, Cells, Place, Values
from allofus_spark.association.output import Named, Output
from allofus_spark.association.parts import PARTS, Parts
from allofus_spark.association.people import Group, Places
from allofus_spark.cohort.allele_files import as_batch
from allofus_spark.genotypes import decode, encode, rows_that_fit, take_samples
from allofus_spark.regression import Models, refit
from allofus_spark.tables import SideOutput
from allofus_spark.tables.types import BINARY, DOUBLES, INT, INTS, LONGS, STRING, struct

_LISTS = {np.float64: DOUBLES, np.int64: LONGS, np.int8: INTS, np.bool_: INTS}
_ALLELE = ("position", "ref", "alt")
_MOST_BYTES = 32 * 1024 * 1024  # of calls in a batch
_MOST_CELLS = 100_000  # in memory until they are written
EXACT = SideOutput(
    "association_refits",
    struct(
        contig=STRING, bin=INT, position=INT, ref=STRING, alt=STRING, phenotype=INT, n_samples=INT,
        encoding=STRING, het_index=INTS, hom_alt_index=INTS, missing_index=INTS, calls=BINARY,
        **{name: _LISTS[kind] for name, kind in KINDS.items()},
    ),
)  # fmt: skip


def records_of(
    stretch: Stretch, values: Mapping[str, Values], is_exact: Bools, people: Places
) -> Iterator[pa.RecordBatch]:
    """What is to be fitted exactly: of each phenotype and allele the calls of ``people`` and all outcomes.

    ``is_exact`` bool[phenotypes, alleles]; ``values`` [ancestries, phenotypes, alleles] each.
    """
    phenotypes, alleles = np.nonzero(is_exact)
    used, place = np.unique(alleles, return_inverse=True)
    packed = take_samples(stretch.calls.to_packed()[used], people)
    at_once = rows_that_fit(len(people), _MOST_BYTES)
    for first in range(0, len(alleles), at_once):
        own = slice(first, first + at_once)
        cells = {name: values[name][:, phenotypes[own], alleles[own]].T for name in FIELDS}
        n = len(alleles[own])
        columns = {
            "contig": pa.repeat(stretch.contig, n),
            "bin": pa.array(np.full(n, stretch.bin, np.int32)),
            **{name: stretch.alleles.column(name).take(pa.array(alleles[own])) for name in _ALLELE},
            "phenotype": pa.array(phenotypes[own].astype(np.int32)),
            **encode(packed[place[own]], len(people)),
            **{name: lists_of_rows(_stored(column)) for name, column in cells.items()},
        }
        yield pa.RecordBatch.from_arrays(
            [columns[name] for name in EXACT.schema.names], names=EXACT.schema.names
        )


def _stored(values: Values) -> Values:
    """The numbers as a Spark type holds them."""
    return values if values.dtype.itemsize == 8 else values.astype(np.int32)


@dataclass(frozen=True)
class Refits:
    """Records of `EXACT` to rows of the tables; goes to the workers by pickle.

    ``groups`` are the people of each ancestry among those whose calls the records have.
    """

    groups: Sequence[Group]
    models: Broadcast[Sequence[Models]]
    output: Output

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Named]:
        parts = self.output.parts()
        held: list[pa.RecordBatch] = []
        with threadpool_limits(1, "blas"):
            for batch in batches:
                held.append(self._refitted(batch))
                if sum(map(len, held)) >= _MOST_CELLS:
                    yield from self._rows(held, parts)
                    held = []
        if held:
            yield from self._rows(held, parts)
        for batch in parts.batches():
            yield PARTS.name, batch

    def _refitted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The records with exact outcomes where they were asked for, without calls."""
        values = {name: _matrix(batch, name) for name in FIELDS}
        phenotypes = np.asarray(batch.column("phenotype"))
        calls = decode(batch, len(self.groups[0].place_of))
        for number, (group, models) in enumerate(zip(self.groups, self.models.value, strict=True)):
            rows = np.flatnonzero(values["needs_exact"][:, number])
            if not len(rows):
                continue
            columns = np.searchsorted(self.output.fitted.columns[number], phenotypes[rows])
            exact = refit(models, group.calls(calls), rows, columns)
            for name in FIELDS:
                values[name][rows, number] = getattr(exact, name)[:, 0]
        kept = {name: batch.column(name) for name in ("contig", "bin", *_ALLELE, "phenotype")}
        kept |= {name: lists_of_rows(_stored(own)) for name, own in values.items()}
        return pa.RecordBatch.from_arrays(list(kept.values()), names=list(kept))

    def _rows(self, held: Sequence[pa.RecordBatch], parts: Parts) -> Iterator[Named]:
        records = pa.Table.from_batches(held).sort_by([(name, "ascending") for name in ("contig", "bin")])
        for (contig, number), rows in runs_of(as_batch(records), ("contig", "bin")):
            values = {name: _matrix(rows, name).T[:, None] for name in FIELDS}
            phenotype = np.asarray(rows.column("phenotype"))[None]
            cells = Cells(phenotype, np.arange(len(rows), dtype=np.int32)[None], values)
            place = Place(contig, number, rows.select(_ALLELE))
            yield from self.output.rows(place, cells, np.ones((1, len(rows)), np.bool_), parts)


def _matrix(rows: pa.RecordBatch, name: str) -> Values:
    """[rows, ancestries] of a column of lists, to be written to."""
    return matrix_of(rows.column(name)).astype(KINDS[name])
