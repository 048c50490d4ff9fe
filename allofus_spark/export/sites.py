"""The alleles that an export selects, kept in narrow files beside the target while it runs.

Genotypes stay where they lie: a task that reads a stretch of them looks up which of its alleles are selected,
and what their sites say. So neither payloads nor sites are joined by a shuffle, and no side must fit into a
broadcast.
"""

from __future__ import annotations

import operator
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import runs_of
from allofus_spark.cohort import passed
from allofus_spark.genome.regions import Regions
from allofus_spark.joined_files import check_seen

_KEY_FIELDS = (("position", pa.int32()), ("ref", pa.string()), ("alt", pa.string()))
_SITE_FIELDS = (("input_id", pa.string()), ("qual", pa.float64()), ("filters", pa.list_(pa.string())))
_LOOKED_UP = pa.schema([*_KEY_FIELDS, *_SITE_FIELDS])
_STORED = pa.schema([("contig", pa.string()), *_LOOKED_UP])
_REPORT_TYPE = "path string, contig string, bin int, first int, last int, rows long, filters array<string>"
_REPORT = pa.schema(
    [
        ("path", pa.string()), ("contig", pa.string()), ("bin", pa.int32()), ("first", pa.int32()),
        ("last", pa.int32()), ("rows", pa.int64()), ("filters", pa.list_(pa.string())),
    ]
)  # fmt: skip
_GROUP_ROWS = 16_384  # of a row group: what a look-up of one batch of genotypes reads at least
_MOST_SPANS = 100  # in a predicate; with more, one a contig


@dataclass(frozen=True)
class Span:
    """Selected alleles of one (contig, bin) in one file: first and last position."""

    path: str
    contig: str
    bin: int
    first: int
    last: int


@dataclass(frozen=True)
class SiteList:
    """The selected alleles; goes to the workers by pickle."""

    spans: tuple[Span, ...]
    rows: int
    filters: tuple[str, ...]

    def lookup(self, contig: str, alleles: pa.RecordBatch) -> tuple[npt.NDArray[np.bool_], pa.Table]:
        """Which ``alleles`` of a contig are selected, bool[n], and the selected ones with their sites."""
        positions = alleles.column("position")
        first, last = pc.min(positions).as_py(), pc.max(positions).as_py()
        sites = self._read(contig, first, last)
        place = pc.index_in(_keys(alleles), value_set=_keys(sites))
        return np.asarray(place.is_valid()), sites.take(place.drop_null())

    def _read(self, contig: str, first: int, last: int) -> pa.Table:
        paths = {
            span.path: None
            for span in self.spans
            if span.contig == contig and span.first <= last and span.last >= first
        }
        if not paths:
            return _LOOKED_UP.empty_table()
        position = ds.field("position")
        within = (ds.field("contig") == contig) & (position >= first) & (position <= last)
        return ds.dataset(list(paths)).to_table(columns=_LOOKED_UP.names, filter=within)

    def contigs(self) -> set[str]:
        return {span.contig for span in self.spans}

    def rows_between(self) -> Column:
        """Condition on (contig, position) that every selected allele meets, for data skipping."""
        ends = _ends((span.contig, span.bin, span) for span in self.spans)
        if len(ends) > _MOST_SPANS:
            ends = _ends((span.contig, 0, span) for span in self.spans)
        return reduce(operator.or_, [_between(contig, *pair) for (contig, _), pair in ends.items()])


def _ends(spans: Iterable[tuple[str, int, Span]]) -> dict[tuple[str, int], tuple[int, int]]:
    """First and last position by (contig, number)."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for contig, number, span in spans:
        first, last = found.get((contig, number), (span.first, span.last))
        found[contig, number] = (min(first, span.first), max(last, span.last))
    return found


def _between(contig: str, first: int, last: int) -> Column:
    return (F.col("contig") == contig) & F.col("position").between(first, last)


def _keys(alleles: pa.RecordBatch | pa.Table) -> pa.Array:
    """Position, ref and alt as one text."""
    position, ref, alt = (alleles[name] for name, _ in _KEY_FIELDS)
    return pc.binary_join_element_wise(position.cast(pa.string()), ref, alt, "\t")


def candidate_sites(sites: DataFrame, regions: Regions | None, *, pass_only: bool) -> DataFrame:
    """Rows of ``variant_sites`` that may be in a region, by contig and last base; of passing sites alone."""
    if pass_only:
        sites = sites.where(passed())
    if regions is None:
        return sites
    # How far left of a region an allele may start is not known: a deletion can be of any length.
    ends = {contig: int(last[-1]) for contig, (_, last) in regions.of_contig.items()}
    within = [(F.col("contig") == contig) & (F.col("position") <= last) for contig, last in ends.items()]
    return sites.where(reduce(operator.or_, within))


def write_sites(sites: DataFrame, regions: Regions | None, folder: Path) -> SiteList:
    """Write the alleles of ``sites`` that lie in a region to files of ``folder``, one a task."""
    columns = sites.select("bin", *_STORED.names)
    reports = columns.mapInArrow(partial(_write_task, folder, regions), _REPORT_TYPE).collect()
    spans = tuple(Span(row.path, row.contig, row.bin, row.first, row.last) for row in reports)
    for path in {span.path for span in spans}:
        check_seen(Path(path))
    filters = sorted({name for row in reports for name in row.filters})
    return SiteList(spans, sum(row.rows for row in reports), tuple(filters))


def _write_task(
    folder: Path, regions: Regions | None, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Write the alleles of one task; a report of each (contig, bin)."""
    path = str(folder / f"sites-{uuid.uuid4().hex}.parquet")
    ends: dict[tuple[str, int], tuple[int, int]] = {}
    rows: Counter[tuple[str, int]] = Counter()
    filters: set[str] = set()
    with pq.ParquetWriter(path, _STORED, compression="zstd") as writer:
        for kept in _in_regions(batches, regions):
            filters.update(pc.unique(kept.column("filters").flatten()).to_pylist())
            for place, run in runs_of(kept, ("contig", "bin")):
                positions = np.asarray(run.column("position"))
                first, last = ends.get(place, (positions[0], positions[0]))
                ends[place] = (min(first, positions.min()), max(last, positions.max()))
                rows[place] += run.num_rows
            narrow = pa.Table.from_batches([kept]).select(_STORED.names).cast(_STORED)
            writer.write_table(narrow, row_group_size=_GROUP_ROWS)
    names = sorted(filters)
    reports = [
        {"path": path, "contig": contig, "bin": number, "first": int(first), "last": int(last),
         "rows": rows[contig, number], "filters": names}
        for (contig, number), (first, last) in ends.items()
    ]  # fmt: skip
    if reports:
        yield pa.RecordBatch.from_pylist(reports, _REPORT)


def _in_regions(batches: Iterable[pa.RecordBatch], regions: Regions | None) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if regions is None:
            yield batch
            continue
        for (contig,), run in runs_of(batch, ("contig",)):
            span = np.asarray(pc.binary_length(run.column("ref")), np.int64)
            inside = regions.overlap(contig, np.asarray(run.column("position"), np.int64), span)
            if inside.any():
                yield run.filter(pa.array(inside))


def sorted_sites(sites: DataFrame) -> DataFrame:
    """In rising order within and between partitions, so that a look-up reads few row groups."""
    return sites.repartitionByRange("contig", "position").sortWithinPartitions("contig", "position")
