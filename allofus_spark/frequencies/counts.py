"""Packed calls to allele counts by stratum, aware of ploidy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import lists_of_rows, runs_of
from allofus_spark.cohort import COUNTS, Strata, ploidy_aware
from allofus_spark.genome import Build, ploidy_regions
from allofus_spark.genotypes import count_by_stratum, decode

KEY = ("callset_id", "contig", "bin", "position", "ref", "alt")


@dataclass(frozen=True)
class Counting:
    """Rows of ``allele_counts`` from rows of ``genotypes``, one to one; goes to the workers by pickle.

    ``strata`` are those of each callset that is counted, by its id.
    """

    strata: Mapping[str, Strata]
    build: Build

    def of(self, callset_ids: Collection[str]) -> Counting:
        """The same for some of the callsets."""
        return replace(self, strata={name: self.strata[name] for name in callset_ids})

    def rows_to_count(self, genotypes: DataFrame) -> DataFrame:
        """The rows and columns of ``genotypes`` that counting needs."""
        counted = genotypes.where(F.col("callset_id").isin(list(self.strata)))
        return counted.select(*KEY, "het_index", "hom_alt_index", "missing_index", "calls")

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for (callset_id,), rows in runs_of(batch, ("callset_id",)):
                yield _count_batch(rows, self.strata[callset_id], self.build)


def _count_batch(batch: pa.RecordBatch, strata: Strata, build: Build) -> pa.RecordBatch:
    called = decode(batch, len(strata.of_sample))
    # Samples that are not counted fall into one stratum more, which is left out.
    counts = count_by_stratum(called, strata.of_sample, len(strata.names) + 1)[:, :-1]
    regions = ploidy_regions(batch.column("contig"), batch.column("position"), build)
    by_name = ploidy_aware(counts, regions, strata.sizes, strata.sex_classes)
    arrays = [batch.column(name) for name in KEY]
    arrays.append(pa.repeat(strata.strata_id, batch.num_rows))
    arrays += [lists_of_rows(by_name[name]) for name in COUNTS]
    return pa.RecordBatch.from_arrays(arrays, names=[*KEY, "strata_id", *COUNTS])
