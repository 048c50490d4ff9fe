"""Staged sites to rows of ``known_variants``: one a normalised allele, with the IDs of all its records."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allofus_spark.arrow import batch_of, begins_run
from allofus_spark.ingest.catalogue.ranges import Part, Range
from allofus_spark.tables import KNOWN_VARIANTS
from allofus_spark.tasks import numbers_in

KEY = ("contig", "position", "ref", "alt")
SITE_COLUMNS = (*KEY, "input_id")


@dataclass(frozen=True)
class KnownRows:
    """Rows of ``known_variants`` from sites sorted by allele, of which equal ones stand together."""

    catalogue: str
    version: str
    bin_width_bases: int

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        """(table name, rows); an allele may go over the edge of a batch."""
        held: list[pa.RecordBatch] = []
        for batch in batches:
            if not batch.num_rows:
                continue
            rows = pa.concat_batches([*held, batch])
            last = int(np.flatnonzero(begins_run(rows, KEY))[-1])
            held = [rows.slice(last)]
            if last:
                yield self.table_rows(rows.slice(0, last))
        if held:
            yield self.table_rows(held[0])

    def table_rows(self, sites: pa.RecordBatch) -> tuple[str, pa.RecordBatch]:
        """(table name, rows) of whole groups of equal alleles."""
        alleles = merged(sites)
        rows = alleles.num_rows
        bins = np.asarray(alleles.column("position")) // self.bin_width_bases
        columns = {
            **dict(zip(alleles.schema.names, alleles.columns, strict=True)),
            "catalogue": pa.repeat(self.catalogue, rows),
            "version": pa.repeat(self.version, rows),
            "bin": pa.array(bins.astype(np.int32)),
        }
        return KNOWN_VARIANTS.name, batch_of(KNOWN_VARIANTS.schema.names, columns)


@dataclass(frozen=True)
class RangeRows:
    """`KnownRows` of ranges that the task reads itself: it is given the numbers of groups of them."""

    groups: tuple[tuple[Range, ...], ...]
    make: KnownRows

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        """(table name, rows)."""
        for number in numbers_in(batches):
            for sites in read_ranges(self.groups[number]):
                yield self.make.table_rows(sites)


def read_ranges(ranges: Iterable[Range]) -> Iterator[pa.RecordBatch]:
    """The sites of each range, sorted by allele. What neighbours share is read once."""
    held: dict[Part, pa.Table] = {}
    for own in ranges:
        new = _read_parts(part for part in own.parts if part not in held)
        held = {part: held[part] if part in held else new[part] for part in own.parts}
        inside = [_within(sites, own) for sites in held.values()]
        rows = pa.concat_batches([batch for sites in inside for batch in sites.to_batches()])
        if rows.num_rows:
            yield _sorted(rows)


def _read_parts(parts: Iterable[Part]) -> dict[Part, pa.Table]:
    """The sites of row groups; each file is opened once."""
    read = {}
    for path, of_file in itertools.groupby(sorted(parts), key=lambda part: part[0]):
        with pq.ParquetFile(path) as file:
            for part in of_file:
                read[part] = file.read_row_group(part[1], columns=list(SITE_COLUMNS))
    return read


def _within(sites: pa.Table, own: Range) -> pa.Table:
    position = sites["position"]
    inside = pc.and_(pc.greater_equal(position, own.first), pc.less(position, own.stop))
    return sites.filter(pc.and_(inside, pc.equal(sites["contig"], own.contig)))


def _sorted(sites: pa.RecordBatch) -> pa.RecordBatch:
    """Sites of one contig by position, ref and alt; texts are compared only where a position is shared."""
    order = np.argsort(np.asarray(sites.column("position")), kind="stable")
    position = np.asarray(sites.column("position"))[order]
    same = position[1:] == position[:-1]
    tied = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
    if len(tied):
        rows = sites.take(pa.array(order[tied]))
        by = [(name, "ascending") for name in ("position", "ref", "alt")]
        order[tied] = order[tied][np.asarray(pc.sort_indices(rows, sort_keys=by))]
    if np.array_equal(order, np.arange(len(order))):
        return sites
    return sites.take(pa.array(order))


def merged(sites: pa.RecordBatch) -> pa.RecordBatch:
    """One row an allele from sites in which equal alleles stand together: key and ``known_id``.

    ``known_id`` are the IDs of all of them, each once, sorted, joined by ``;``; null where there is none.
    """
    starts = np.flatnonzero(begins_run(sites, KEY))
    sizes = np.diff(starts, append=sites.num_rows)
    ids = sites.column("input_id")
    lists = np.asarray(pc.fill_null(pc.match_substring(ids, ";"), False))
    joined = (sizes > 1) | np.logical_or.reduceat(lists, starts)
    known = ids.take(pa.array(starts))
    if joined.any():
        texts = ids.filter(pa.array(np.repeat(joined, sizes))).to_pylist()
        ends = np.cumsum(sizes[joined])
        united = [_united(texts[end - size : end]) for end, size in zip(ends, sizes[joined], strict=True)]
        known = pc.replace_with_mask(known, pa.array(joined), pa.array(united, pa.string()))
    keys = [sites.column(name).take(pa.array(starts)) for name in KEY]
    return pa.RecordBatch.from_arrays([*keys, known], names=[*KEY, "known_id"])


def _united(ids: Iterable[str | None]) -> str | None:
    """
    >>> _united(["rs2;rs1", None, "rs1"])
    'rs1;rs2'
    """
    single = {name for listed in ids if listed for name in listed.split(";")} - {"", "."}
    return ";".join(sorted(single)) or None
