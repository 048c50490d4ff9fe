"""Packed calls to allele counts by stratum, aware of ploidy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import runs_of
from allofus_spark.frequencies.strata import OTHER_SEX, XX, XY, Strata
from allofus_spark.genome import DIPLOID, MITOCHONDRIAL, X_NONPAR, Y_NONPAR, Build
from allofus_spark.genotypes import HET, HOM_ALT, MISSING, count_by_stratum, decode

KEY = ("callset_id", "contig", "bin", "position", "ref", "alt")
COUNTS = ("n_het", "n_hom_alt", "n_hemi_alt", "an_called", "n_het_missing")
# Copies that are meant, by region and sex class; 0: the sample is not counted there.
COPIES = {
    DIPLOID: {XX: 2, XY: 2, OTHER_SEX: 2},
    X_NONPAR: {XX: 2, XY: 1, OTHER_SEX: 0},
    Y_NONPAR: {XX: 0, XY: 1, OTHER_SEX: 0},
    MITOCHONDRIAL: {XX: 1, XY: 1, OTHER_SEX: 1},
}

Counts = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Counting:
    """Rows of ``allele_counts`` from rows of ``genotypes``, one to one; goes to the workers by pickle.

    ``strata`` are those of each callset that is counted, by its id.
    """

    strata: Mapping[str, Strata]
    build: Build

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
    regions = regions_of(batch.column("contig"), batch.column("position"), build)
    by_name = ploidy_aware(counts, regions, strata.sizes, strata.sex_classes)
    arrays = [batch.column(name) for name in KEY]
    arrays.append(pa.repeat(strata.strata_id, batch.num_rows))
    arrays += [_list_column(by_name[name]) for name in COUNTS]
    return pa.RecordBatch.from_arrays(arrays, names=[*KEY, "strata_id", *COUNTS])


def regions_of(contigs: pa.Array, positions: pa.Array, build: Build) -> npt.NDArray[np.int8]:
    """Ploidy region of each row."""
    encoded = contigs.dictionary_encode()
    code = np.asarray(encoded.indices)
    position = np.asarray(positions, np.int64)
    regions = np.zeros(len(code), np.int8)
    for number, contig in enumerate(encoded.dictionary.to_pylist()):
        rows = code == number
        regions[rows] = build.ploidy_regions(contig, position[rows])
    return regions


def ploidy_aware(
    counts: Counts, regions: npt.NDArray[np.int8], sizes: npt.NDArray[np.int64], sex_classes: Sequence[str]
) -> dict[str, Counts]:
    """Counts of people and alleles where the copies that are meant differ.

    Parameters
    ----------
    counts
        int32[rows, strata, 4] of calls as stored, by call.
    regions
        int8[rows], ploidy region of each row.
    sizes, sex_classes
        Samples and sex class of each stratum.

    Returns
    -------
    int32[rows, strata] for each name of COUNTS. With one copy meant, a stored 2 is a hemizygote and a stored
    1 cannot be: it is missing, and counted in ``n_het_missing``. Where a sample is not counted (XX on Y, sex
    not known on non-PAR X and Y) all are zero.
    """
    table = np.array(
        [[COPIES[region][sex] for sex in sex_classes] for region in range(len(COPIES))], np.int32
    )
    copies = table.reshape(len(COPIES), len(sex_classes))[regions]
    het, hom, missing = counts[..., HET], counts[..., HOM_ALT], counts[..., MISSING]
    called = sizes.astype(np.int32) - missing
    two, one = copies == 2, copies == 1
    return {
        "n_het": np.where(two, het, 0),
        "n_hom_alt": np.where(two, hom, 0),
        "n_hemi_alt": np.where(one, hom, 0),
        "an_called": np.where(two, 2 * called, np.where(one, called - het, 0)),
        "n_het_missing": np.where(one, het, 0),
    }


def _list_column(values: Counts) -> pa.Array:
    """list<int32>[rows] of a matrix."""
    rows, width = values.shape
    offsets = (
        np.arange(0, (rows + 1) * width, max(width, 1), dtype=np.int32)
        if width
        else np.zeros(rows + 1, np.int32)
    )
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(np.ascontiguousarray(values, np.int32).ravel())
    )
