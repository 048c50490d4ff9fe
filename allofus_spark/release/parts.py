"""Tasks turn rows, in the order of a product, into parts of its files: Parquet, TSV and, of variants, VCF.

A part is what one task makes of its range of rows. The Parquet parts are the files of a Delta table; parts of
text are put end to end by the driver.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import TaskContext

from allofus_spark.arrow import batch_of
from allofus_spark.bgzf import BgzfFile
from allofus_spark.genome.columns import variant_ids
from allofus_spark.release.text import tsv_lines, vcf_lines

PARQUET, TSV, VCF = ".parquet", ".tsv.gz", ".vcf.gz"
PART_TYPE = (
    "stem string, place int, rows long, last_position int, contigs array<string>, counters map<string, long>"
)
_PART = pa.schema(
    [
        ("stem", pa.string()),
        ("place", pa.int32()),
        ("rows", pa.int64()),
        ("last_position", pa.int32()),
        ("contigs", pa.list_(pa.string())),
        ("counters", pa.map_(pa.string(), pa.int64())),
    ]
)
# Rows in one row group of Parquet: what a look-up by position reads, at the least.
ROWS_OF_GROUP = 32 * 1024

Made = tuple[pa.RecordBatch, Mapping[str, int]]


@dataclass(frozen=True)
class Part:
    """Files ``stem + ending`` of one task; ``place`` is its place among the product's."""

    stem: str
    place: int
    rows: int
    last_position: int
    contigs: tuple[str, ...]
    counters: Mapping[str, int]


@dataclass(frozen=True)
class PartsJob:
    """Parts of a product; goes to the workers by pickle.

    ``make`` turns a batch that comes in into one of ``schema``, and counts; ``groups`` of a product of
    variants, which is a VCF too.
    """

    folder: Path
    schema: pa.Schema
    make: Callable[[pa.RecordBatch], Made]
    groups: tuple[str, ...] | None = None

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        context = TaskContext.get()
        place = 0 if context is None else context.partitionId()
        part: OpenPart | None = None
        for batch in batches:
            if not batch.num_rows:
                continue
            part = part or OpenPart(self.folder, place, self.schema, self.groups)
            part.add(*self.make(batch))
        if part is not None:
            closed = part.close()
            row = {**closed.__dict__, "counters": list(closed.counters.items())}
            yield pa.RecordBatch.from_pylist([row], _PART)


@dataclass
class OpenPart:
    """A part that is being written."""

    folder: Path
    place: int
    schema: pa.Schema
    groups: tuple[str, ...] | None
    counters: Counter[str] = field(default_factory=Counter)
    contigs: dict[str, None] = field(default_factory=dict)
    last_position: int = 0
    rows: int = 0

    def __post_init__(self) -> None:
        self.stem = str(self.folder / f"part-{self.place:05d}-{uuid.uuid4().hex}")
        self._parquet = pq.ParquetWriter(
            self.stem + PARQUET, self.schema, compression="zstd", store_schema=False
        )
        self._tsv = BgzfFile(open(self.stem + TSV, "wb"))  # noqa: SIM115, closed with the part
        self._vcf = None if self.groups is None else BgzfFile(open(self.stem + VCF, "wb"))  # noqa: SIM115
        self._held: list[pa.RecordBatch] = []

    def add(self, batch: pa.RecordBatch, counters: Mapping[str, int]) -> None:
        """Take rows of the product."""
        batch = batch.cast(self.schema)
        self.counters.update(counters)
        self.rows += batch.num_rows
        if "contig" in self.schema.names:
            self.contigs.update(dict.fromkeys(batch.column("contig").unique().to_pylist()))
        if "position" in self.schema.names:
            last: Any = pa.compute.max(batch.column("position")).as_py()
            self.last_position = max(self.last_position, last)
        self._tsv.write(tsv_lines(batch))
        if self._vcf is not None and self.groups is not None:
            self._vcf.write(vcf_lines(batch, self.groups))
        self._held.append(batch)
        while sum(map(len, self._held)) >= ROWS_OF_GROUP:
            held = pa.Table.from_batches(self._held)
            self._parquet.write_table(held.slice(0, ROWS_OF_GROUP), ROWS_OF_GROUP)
            self._held = held.slice(ROWS_OF_GROUP).to_batches()

    def close(self) -> Part:
        """Close the files; what they hold."""
        if self._held:
            self._parquet.write_table(pa.Table.from_batches(self._held), ROWS_OF_GROUP)
        self._parquet.close()
        self._tsv.close()
        if self._vcf is not None:
            self._vcf.close()
        return Part(
            self.stem, self.place, self.rows, self.last_position, tuple(self.contigs), dict(self.counters)
        )


@dataclass(frozen=True)
class InOrder:
    """Batches with the columns of a product in its order, and ids of alleles where it has them."""

    names: tuple[str, ...]

    def __call__(self, batch: pa.RecordBatch) -> Made:
        columns = {name: batch.column(name) for name in batch.schema.names}
        if "variant_id" in self.names:
            allele = [columns[name] for name in ("contig", "position", "ref", "alt")]
            columns["variant_id"] = variant_ids(*allele)
        return batch_of(self.names, columns), {}
