"""What tasks do: alleles that come sorted are cut into ranges of one contig, and rows to keep pass by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from allofus_spark.arrow import batch_of, runs_of
from allofus_spark.consequences.annotator import ANNOTATION_COLUMNS, AnnotateAlleles
from allofus_spark.consequences.rows import SCHEMA
from allofus_spark.tables import ALLELE_KEY, CONSEQUENCES

# Of fewer alleles a task more would cost more than it saves.
_FEWEST_A_TASK = 2_000
_HELD = "held"
_ORDER = ("contig", "position", "ref", "alt")


def range_tasks(new: DataFrame, kept: DataFrame | None, n_new: int, variants_per_range: int) -> DataFrame:
    """Alleles to annotate and rows to keep, (ALLELE_KEY, held), each task with a stretch of the genome.

    ``held`` is null for alleles to annotate.
    """
    held = StructType([field for field in CONSEQUENCES.schema if field.name in ANNOTATION_COLUMNS])
    rows = new.select(*ALLELE_KEY, F.lit(None).cast(held).alias(_HELD))
    if kept is not None:
        rows = rows.unionByName(
            kept.select(*ALLELE_KEY, F.struct(*ANNOTATION_COLUMNS).cast(held).alias(_HELD))
        )
    tasks = tasks_for(new.sparkSession, n_new, variants_per_range)
    return by_place(rows, tasks)


def by_place(rows: DataFrame, tasks: int) -> DataFrame:
    """Rows with the key of alleles, each task with a stretch of the genome, sorted."""
    return rows.repartitionByRange(tasks, *_ORDER).sortWithinPartitions(*_ORDER)


def tasks_for(spark: SparkSession, n_alleles: int, variants_per_range: int) -> int:
    """Tasks for so many alleles: as many as there are ranges, in multiples of the cores."""
    cores = spark.sparkContext.defaultParallelism
    ranges = max(-(-n_alleles // variants_per_range), min(cores, -(-n_alleles // _FEWEST_A_TASK)), 1)
    return -(-ranges // cores) * cores if ranges > 1 else 1


@dataclass(frozen=True)
class AnnotateRanges:
    """Rows of ``consequences`` from the partitions of `range_tasks`.

    ``annotate`` None: there is nothing to annotate.
    """

    annotate: AnnotateAlleles | None
    annotator: str
    version: str
    variants_per_range: int

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        waiting: list[pa.RecordBatch] = []
        for batch in batches:
            is_new = pc.is_null(batch.column(_HELD))
            kept, new = batch.filter(pc.invert(is_new)), batch.filter(is_new).select(list(ALLELE_KEY))
            if kept.num_rows:
                yield named_rows(_held_rows(kept), self.annotator, self.version)
            for (contig,), alleles in runs_of(new, ["contig"]):
                if waiting and waiting[0].column("contig")[0].as_py() != contig:
                    yield from self._annotated(waiting)
                    waiting = []
                waiting.append(alleles)
                if sum(part.num_rows for part in waiting) >= self.variants_per_range:
                    yield from self._annotated(waiting)
                    waiting = []
        if waiting:
            yield from self._annotated(waiting)

    def _annotated(self, parts: list[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        alleles = pa.Table.from_batches(parts)
        for start in range(0, alleles.num_rows, self.variants_per_range):
            (part,) = alleles.slice(start, self.variants_per_range).combine_chunks().to_batches()
            assert self.annotate is not None
            yield named_rows(self.annotate(part), self.annotator, self.version)


def named_rows(rows: pa.RecordBatch, annotator: str, version: str) -> tuple[str, pa.RecordBatch]:
    """Rows of ``consequences`` from those of an annotator, with the table's name."""
    columns = dict(zip(rows.schema.names, rows.columns, strict=True))
    columns["annotator"] = pa.array([annotator] * rows.num_rows, pa.string())
    columns["annotation_version"] = pa.array([version] * rows.num_rows, pa.string())
    return CONSEQUENCES.name, batch_of(CONSEQUENCES.schema.names, columns)


def _held_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    held = batch.column(_HELD)
    columns = {name: batch.column(name) for name in ALLELE_KEY}
    columns |= {name: held.field(name) for name in ANNOTATION_COLUMNS}
    arrays = [columns[field.name].cast(field.type) for field in SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
