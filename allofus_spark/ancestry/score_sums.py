"""Scores of every sample on a model's principal components: sums by tasks, then over tasks.

A task holds one int64 matrix of n_pcs + 1 sums a sample of each callset that it meets, 33 MB for 245,388
samples and 16 PCs, whatever the number of its sites, and gives one row a sample when it is done; Spark adds
the rows up by sample. Sums are of whole numbers, so that scores are equal, bit for bit, however sites are
divided among tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.ancestry.models import Model
from allofus_spark.arrow import runs_of, sums_of_samples
from allofus_spark.errors import BadSource
from allofus_spark.genotypes import HOM_REF, MISSING, add_weighted_calls, decode, standardised_values

# Of a score. A sum of products with loadings of length 1 stays under 2 / √(2p(1 − p)), so within int64 for
# any frequency p above 1e-10; at 200,000 sites rounding adds up to about 1e-11.
SCORE_UNIT = 2.0**-44

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SiteWeights:
    """What a model's sites add to scores; goes to the workers by pickle."""

    frequency: Floats
    loadings: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of sums: one a PC, and the calls that are missing."""
        return (*(f"sum_{number}" for number in range(self.loadings.shape[1])), "n_missing")

    def of(self, sites: npt.NDArray[np.int32]) -> Integers:
        """What a call adds to each sum, int64[sites, 4, n_pcs + 1] by call, in SCORE_UNIT."""
        values = standardised_values(self.frequency[sites], len(self.frequency))
        products = values[:, :, np.newaxis] * self.loadings[sites][:, np.newaxis, :]
        weights = np.zeros((len(sites), 4, self.loadings.shape[1] + 1), np.int64)
        weights[:, :, :-1] = np.rint(products / SCORE_UNIT)
        weights[:, MISSING, -1] = 1
        return weights


def weights_of(model: Model) -> SiteWeights:
    """The weights of a model's sites."""
    return SiteWeights(model.frequency, model.loadings)


def score_sums(calls: DataFrame, weights: SiteWeights, sizes: Mapping[str, int]) -> DataFrame:
    """Sums of each sample over ``calls``, as of `calls_at`. Grain: callset × sample_index.

    A sum is what calls that are not hom-ref add to the score of somebody who is hom-ref everywhere. ``sizes``
    are the samples of each callset. Two tasks a core: a task that reads more files gives no more rows.
    """
    schema = "callset_id string, sample_index int, " + ", ".join(f"{name} long" for name in weights.names)
    n_tasks = 2 * calls.sparkSession.sparkContext.defaultParallelism
    parts = calls.coalesce(n_tasks).mapInArrow(_ScoreSums(weights, sizes), schema)
    sums = (F.sum(name).alias(name) for name in weights.names)
    return parts.groupBy("callset_id", "sample_index").agg(*sums)


@dataclass(frozen=True)
class _ScoreSums:
    """Calls at sites to sums of samples; goes to the workers by pickle."""

    weights: SiteWeights
    sizes: Mapping[str, int]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        sums: dict[str, Integers] = {}
        for batch in batches:
            for (callset_id,), rows in runs_of(batch, ("callset_id",)):
                if callset_id not in sums:
                    shape = self.sizes[callset_id], len(self.weights.names)
                    sums[callset_id] = np.zeros(shape, np.int64)
                called = decode(rows, self.sizes[callset_id])
                of_calls = self.weights.of(np.asarray(rows.column("site")))
                add_weighted_calls(sums[callset_id], called, of_calls - of_calls[:, [HOM_REF]])
        for callset_id, of_samples in sums.items():
            yield from sums_of_samples(callset_id, dict(zip(self.weights.names, of_samples.T, strict=True)))


@dataclass(frozen=True)
class CallsetScoring:
    """How sums of one callset become scores; goes to the workers by pickle.

    ``hom_ref`` int64[n_pcs]: the sums of somebody who is hom-ref at all its sites; ``gram`` float64[n_pcs,
    n_pcs]: LᵀL over them, None where they are all the model's.
    """

    n_sites: int
    hom_ref: Integers
    gram: Floats | None

    def scores(self, sums: Integers) -> Floats:
        """Scores float64[n, n_pcs] of sums int64[n, n_pcs].

        Where sites are lacking, least squares: the scores a that bring L a nearest to the standardised calls
        over the sites that are there, (LᵀL)⁻¹ Lᵀ x.
        """
        products = np.asarray((sums + self.hom_ref) * SCORE_UNIT, np.float64)
        if self.gram is None:
            return products
        return np.asarray(np.linalg.solve(self.gram, products.T).T, np.float64)


def callset_scoring(weights: SiteWeights, present: npt.NDArray[np.int32]) -> CallsetScoring:
    """The scoring of a callset that has the sites ``present``, int32[m]."""
    n_pcs = weights.loadings.shape[1]
    held = weights.loadings[present]
    gram = None if len(present) == len(weights.frequency) else held.T @ held
    return CallsetScoring(len(present), weights.of(present)[:, HOM_REF, :n_pcs].sum(axis=0), gram)


def check_sites(
    model_id: str, n_sites: int, n_pcs: int, present: Mapping[str, int], min_site_share: float
) -> None:
    """Raise BadSource where a callset has too few of a model's sites; ``present``: sites by callset."""
    for callset_id, n_present in present.items():
        if not n_present:
            raise BadSource(
                f"callset {callset_id} has none of the {n_sites:,} sites of model {model_id}: it covers "
                "other regions, or its alleles are written otherwise. Train a model on a reference callset "
                "that shares its sites, or name other callsets with --callset"
            )
        if n_present < min_site_share * n_sites or n_present < n_pcs:
            raise BadSource(
                f"callset {callset_id} has {n_present:,} of the {n_sites:,} sites of model {model_id}, a "
                f"share of {n_present / n_sites:.3f}, under ancestry.min_site_share {min_site_share:g}. "
                "Train a model on the sites that both callsets have, or name other callsets with --callset"
            )
