"""Packed calls to metrics of each variant: call rate, Hardy-Weinberg tests, excess heterozygosity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import runs_of
from allofus_spark.cohort import copies_meant
from allofus_spark.genome import Build, ploidy_regions
from allofus_spark.genotypes import HET, HOM_ALT, MISSING, count_by_stratum, decode
from allofus_spark.qc.groups import Groups
from allofus_spark.qc.hardy_weinberg import excess_het_phred, hardy_weinberg_neg_log10_p
from allofus_spark.tables import ALLELE_KEY

KEY = ("callset_id", *ALLELE_KEY)
_CALLS = ("n_hom_ref", "n_het", "n_hom_alt")

Counts = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class VariantMetrics:
    """The metrics of ``variant_qc`` from rows of ``genotypes``, one to one; goes to the workers by pickle.

    ``groups`` are those of each callset, by its id; ``ancestry_groups`` name the Hardy-Weinberg columns,
    which are null where the unrelated are not known.
    """

    groups: Mapping[str, Groups]
    build: Build
    ancestry_groups: tuple[str, ...]
    unrelated_known: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the rows."""
        tests = [f"hwe_{name}" for name in self.ancestry_groups]
        return (*KEY, "n_meant", "n_called", "call_rate", "excess_het", *tests)

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for (callset_id,), rows in runs_of(batch, ("callset_id",)):
                yield self._metrics(rows, self.groups[callset_id])

    def _metrics(self, batch: pa.RecordBatch, groups: Groups) -> pa.RecordBatch:
        called = decode(batch, len(groups.of_sample))
        counted = count_by_stratum(called, groups.of_sample, len(groups.sizes) + 1)
        counts = counted[:, :-1].astype(np.int64)  # the last are slots of people who withdrew
        regions = ploidy_regions(batch.column("contig"), batch.column("position"), self.build)
        copies = copies_meant(groups.sex_classes)
        meant, n_called = _called(counts, copies[regions], groups.sizes)
        hom_ref, het, hom_alt = _diploid_calls(counts, copies[regions], groups)
        diploid = (copies_meant(("XX", "XY")) == 2).any(axis=1)[regions]
        phred = excess_het_phred(hom_ref[:, :1], het[:, :1], hom_alt[:, :1])
        # Without the unrelated no test of an ancestry is shown: none is worked out.
        tested = diploid & (self.unrelated_known and groups.has_labels)
        neg_log10_p = hardy_weinberg_neg_log10_p(
            *(np.where(tested[:, None], calls[:, 1:], 0) for calls in (hom_ref, het, hom_alt))
        )
        calls = np.stack([hom_ref, het, hom_alt], axis=-1).astype(np.int32)
        arrays = [batch.column(name) for name in KEY]
        arrays += [pa.array(meant.astype(np.int32)), pa.array(n_called.astype(np.int32))]
        arrays.append(pa.array(n_called / np.maximum(meant, 1), mask=meant == 0))
        arrays.append(_test_column(calls[:, 0], "phred", phred[:, 0], diploid))
        arrays += [
            _test_column(calls[:, column + 1], "neg_log10_p", neg_log10_p[:, column], tested)
            for column in range(len(self.ancestry_groups))
        ]
        return pa.RecordBatch.from_arrays(arrays, names=list(self.names))


def rows_to_assess(genotypes: DataFrame, callset_ids: Iterable[str]) -> DataFrame:
    """The rows and columns of ``genotypes`` that metrics need."""
    active = genotypes.where(F.col("callset_id").isin(list(callset_ids)))
    return active.select(*KEY, "het_index", "hom_alt_index", "missing_index", "calls")


def _called(counts: Counts, copies: npt.NDArray[np.int32], sizes: Counts) -> tuple[Counts, Counts]:
    """int64[rows]: samples that are meant to have a call, and those that have one.

    ``counts`` int64[rows, groups, 4] by call, ``copies`` int32[rows, groups] that are meant.
    """
    called = sizes - counts[..., MISSING] - np.where(copies == 1, counts[..., HET], 0)
    meant = copies > 0
    return (sizes * meant).sum(axis=1), (called * meant).sum(axis=1)


def _diploid_calls(
    counts: Counts, copies: npt.NDArray[np.int32], groups: Groups
) -> tuple[Counts, Counts, Counts]:
    """int64[rows, 1 + ancestries]: hom-ref, het and hom-alt among samples with two copies, for each test."""
    het, hom_alt = counts[..., HET], counts[..., HOM_ALT]
    hom_ref = groups.sizes - counts[..., MISSING] - het - hom_alt
    two = copies == 2
    # Exact: float64 holds every integer up to 2**53, and it multiplies through BLAS.
    hom_ref, het, hom_alt = (
        (np.where(two, calls, 0).astype(np.float64) @ groups.tested).astype(np.int64)
        for calls in (hom_ref, het, hom_alt)
    )
    return hom_ref, het, hom_alt


def _test_column(
    calls: npt.NDArray[np.int32], name: str, result: npt.NDArray[np.float64], assessed: Bools
) -> pa.Array:
    """Structs of three counts and a result (NaN becomes null); null where not assessed."""
    parts = [pa.array(np.ascontiguousarray(calls[:, place])) for place in range(len(_CALLS))]
    parts.append(pa.array(np.ascontiguousarray(result), from_pandas=True))
    return pa.StructArray.from_arrays(parts, names=[*_CALLS, name], mask=pa.array(~assessed))
