"""Staged rows to the rows of each table: Arrow batches to batches, and the refused rows as a frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import batch_of
from allofus_spark.cohort import variant_rows
from allofus_spark.genotypes.masking import mask_rows
from allofus_spark.ingest.vcf import staging
from allofus_spark.tables import ALLELE_KEY, GENOTYPES, VARIANT_SITES, VARIANTS, Table
from allofus_spark.tasks import numbers_in

_ALLELE_TABLES = (GENOTYPES, VARIANT_SITES)


@dataclass(frozen=True)
class AlleleRows:
    """Staged alleles of a callset to rows of ``genotypes``, ``variant_sites`` and, if alone, ``variants``.

    ``alone`` says that the warehouse has no other callset, which could be the first to carry an allele.
    ``withdrawn`` are the slots, among ``n_samples``, of people who withdrew.
    """

    callset_id: str
    bin_width_bases: int
    alone: bool
    n_samples: int
    withdrawn: tuple[int, ...] = ()

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        """(table name, rows) for every table."""
        for batch in batches:
            alleles = batch.filter(pc.equal(batch.column("row_kind"), staging.ALLELE))
            if self.withdrawn:
                alleles, _ = mask_rows(alleles, self.n_samples, self.withdrawn)
            if not alleles.num_rows:
                continue
            bins = np.asarray(alleles.column("position")) // self.bin_width_bases
            columns = {
                **_columns_of(alleles),
                "bin": pa.array(bins.astype(np.int32)),
                "callset_id": pa.repeat(self.callset_id, alleles.num_rows),
            }
            for table in _ALLELE_TABLES:
                yield table.name, _rows_of(table, columns)
            if self.alone:
                carriers = {name: columns[name] for name in ALLELE_KEY}
                carriers["first_callset_id"] = columns["callset_id"]
                yield VARIANTS.name, variant_rows(carriers)


@dataclass(frozen=True)
class SplitAlleles:
    """`AlleleRows` of staged files that the task reads itself: it is given the numbers of groups of them."""

    groups: tuple[tuple[str, ...], ...]
    rows_per_batch: int
    make: AlleleRows

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        """(table name, rows) for every table."""
        for number in numbers_in(batches):
            yield from self.make(staging.read_staged(self.groups[number], self.rows_per_batch))


def _columns_of(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    return dict(zip(batch.schema.names, batch.columns, strict=True))


def _rows_of(table: Table, columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """The table's columns, in its order, among ``columns``."""
    return batch_of(table.schema.names, columns)


def rejected_rows(staged: DataFrame, **owner: str) -> DataFrame:
    """Refused records as the tables keep them; ``owner`` are the columns that say whose they are."""
    return _rejected(staged.where(F.col("row_kind") == staging.REJECTED), owner, F.col("reason"))


def rejected_allele_rows(alleles: DataFrame, *, callset_id: str, reason: str) -> DataFrame:
    """Rows of ``rejected_records`` for alleles that were read and are not kept."""
    written = alleles.withColumns(
        {
            "chrom": F.col("contig"),
            "pos": F.col("input_position").cast("string"),
            "qual_text": F.col("qual").cast("string"),
            "filter": F.when(F.size("filters") == 0, "PASS").otherwise(F.array_join("filters", ";")),
        }
    )
    return _rejected(written, {"callset_id": callset_id}, F.lit(reason))


def _rejected(rows: DataFrame, owner: Mapping[str, str], reason: Column) -> DataFrame:
    return rows.select(
        *(F.lit(value).alias(name) for name, value in owner.items()),
        "source_file",
        "source_offset",
        "input_allele",
        reason.alias("reason"),
        "chrom",
        "pos",
        F.col("input_id").alias("id"),
        F.col("input_ref").alias("ref"),
        F.col("input_alts").alias("alt"),
        F.col("qual_text").alias("qual"),
        "filter",
    )
