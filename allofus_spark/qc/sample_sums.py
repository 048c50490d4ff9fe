"""Sums over variants for each sample: by a task over its share of the variants, then over tasks.

A task holds one int64 matrix of 25 counts a sample of each callset that it meets, 49 MB for 245,388 samples
and 200 MB for a million, whatever the number of its variants, and gives one row a sample when it is done.
Spark adds the rows up by sample: a thousand tasks of 245,388 samples give 245 million rows of 21 numbers,
which a cluster adds up in a minute beside the hours of reading calls. Nothing of it passes through the
driver. All sums are of integers, so that they do not depend on how variants are divided among tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import runs_of, sums_of_samples
from allofus_spark.cohort import OTHER_SEX, XX, XY, Slot, copies_meant, ploidy_aware
from allofus_spark.genome import X_NONPAR, Build, ploidy_regions, variant_types
from allofus_spark.genotypes import HET, HOM_ALT, MISSING, count_by_stratum, decode
from allofus_spark.qc.new_alleles import NewAlleles
from allofus_spark.qc.sample_kernels import (
    CARRIED,
    CARRYING,
    IS_NEW,
    IS_SINGLETON,
    KINDS,
    SNV_KINDS,
    TALLY,
    add_calls,
)

SEX_CLASSES = (XX, XY, OTHER_SEX)
# One expected heterozygote. Integers of this size add up exactly over a hundred million variants.
EXPECTED_UNIT = 2**32
SUMS = (
    *KINDS,
    "n_hom_ref",
    "n_het",
    "n_hom_alt",
    "n_snv_het",
    "n_snv_hom_alt",
    "n_hemi_ref",
    "n_hemi_alt",
    "n_missing",
    "n_singletons",
    "n_not_in_catalogues",
    "n_x_called",
    "n_x_het",
    "expected_x_hets",
)
_SUMS_SCHEMA = "callset_id string, sample_index int, " + ", ".join(f"{name} long" for name in SUMS)

Counts = npt.NDArray[np.int64]


def sex_places(slots: Iterable[Slot]) -> npt.NDArray[np.int32]:
    """int32[n_samples]: the place in SEX_CLASSES of each sample, one further where its person withdrew."""
    places = {None: len(SEX_CLASSES), XX: 0, XY: 1, OTHER_SEX: 2}
    return np.array([places[slot.sex_class if slot else None] for slot in slots], np.int32)


def sums_by_sample(genotypes: DataFrame, sums: SampleSums) -> DataFrame:
    """One row a sample with the SUMS; a callset without genotypes has none."""
    parts = genotypes.mapInArrow(sums, _SUMS_SCHEMA)
    return parts.groupBy("callset_id", "sample_index").agg(*(F.sum(name).alias(name) for name in SUMS))


@dataclass(frozen=True)
class SampleSums:
    """The SUMS of each sample over rows of ``genotypes``; goes to the workers by pickle.

    ``sexes`` int32[n_samples] by callset id are the places in SEX_CLASSES. Without ``new_alleles`` none is
    taken for new.
    """

    sexes: Mapping[str, npt.NDArray[np.int32]]
    build: Build
    new_alleles: NewAlleles | None = None

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tallies: dict[str, _Tally] = {}
        reader = self.new_alleles.reader() if self.new_alleles else None
        for batch in batches:
            for (callset_id, contig, number), rows in runs_of(batch, ("callset_id", "contig", "bin")):
                if callset_id not in tallies:
                    tallies[callset_id] = _Tally(self.sexes[callset_id])
                is_new = reader.is_new((contig, number), rows) if reader else np.zeros(len(rows), np.bool_)
                tallies[callset_id].add(rows, self.build, is_new)
        for callset_id, tally in tallies.items():
            yield from tally.rows(callset_id)


class _Tally:
    """The counts of one callset's samples over the rows added so far."""

    def __init__(self, sex: npt.NDArray[np.int32]) -> None:
        self._sex = sex
        self._tally = np.zeros((len(sex), len(TALLY)), np.int64)
        # Rows at which two copies and one copy are meant, by sex class; none of who withdrew, the last.
        self._n_diploid = np.zeros(len(SEX_CLASSES) + 1, np.int64)
        self._n_haploid = np.zeros(len(SEX_CLASSES) + 1, np.int64)
        self._n_x = self._expected_x_hets = 0

    def add(self, batch: pa.RecordBatch, build: Build, is_new: npt.NDArray[np.bool_]) -> None:
        called = decode(batch, len(self._sex))
        regions = ploidy_regions(batch.column("contig"), batch.column("position"), build)
        copies = np.pad(copies_meant(SEX_CLASSES), [(0, 0), (0, 1)])[regions]
        counts = count_by_stratum(called, self._sex, len(SEX_CLASSES) + 1)[:, :-1]
        sizes = np.bincount(self._sex, minlength=len(SEX_CLASSES))[: len(SEX_CLASSES)].astype(np.int64)
        is_x = regions == X_NONPAR
        expected = np.where(is_x, _expected_hets(counts.astype(np.int64), sizes), 0)
        people = ploidy_aware(counts, regions, sizes, SEX_CLASSES)
        copies_seen = people["n_het"] + 2 * people["n_hom_alt"] + people["n_hemi_alt"]
        kind = allele_kinds(batch.column("ref"), batch.column("alt"))
        marks = IS_SINGLETON * (copies_seen.sum(axis=1) == 1) + IS_NEW * is_new
        add_calls(self._tally, called, copies, self._sex, kind, marks.astype(np.int8), is_x, expected)
        self._n_diploid += (copies == 2).sum(axis=0)
        self._n_haploid += (copies == 1).sum(axis=0)
        self._n_x += int(is_x.sum())
        self._expected_x_hets += int(expected.sum())

    def rows(self, callset_id: str) -> Iterator[pa.RecordBatch]:
        """The SUMS of every sample of the callset."""
        seen = dict(zip(TALLY, self._tally.T, strict=True))
        carried = self._tally[:, : len(CARRIED)].reshape(-1, len(KINDS), len(CARRYING))
        het, hom_alt, hemi_alt = carried.sum(axis=1).T
        snv_het, snv_hom_alt, _ = carried[:, : len(SNV_KINDS)].sum(axis=1).T
        hom_ref = self._n_diploid[self._sex] - het - hom_alt - seen["n_diploid_missing"]
        hemi_ref = self._n_haploid[self._sex] - hemi_alt - seen["n_haploid_missing"]
        derived = {
            **dict(zip(KINDS, carried.sum(axis=2).T, strict=True)),
            "n_hom_ref": hom_ref,
            "n_het": het,
            "n_hom_alt": hom_alt,
            "n_snv_het": snv_het,
            "n_snv_hom_alt": snv_hom_alt,
            "n_hemi_alt": hemi_alt,
            "n_hemi_ref": hemi_ref,
            "n_missing": seen["n_diploid_missing"] + seen["n_haploid_missing"],
            "n_x_called": self._n_x - seen["n_x_missing"],
            "expected_x_hets": self._expected_x_hets - seen["expected_x_hets_missing"],
        }
        columns = {name: derived[name] if name in derived else seen[name] for name in SUMS}
        yield from sums_of_samples(callset_id, columns)


def allele_kinds(ref: pa.Array, alt: pa.Array) -> npt.NDArray[np.int8]:
    """The place in KINDS of each allele, int8[rows]."""
    kinds = variant_types(ref, alt)
    number = {"snv": 2, "insertion": 3, "deletion": 4}
    encoded = kinds.dictionary_encode()
    of_kind = np.array([number.get(name, 5) for name in encoded.dictionary.to_pylist()], np.int8)
    kind = of_kind[np.asarray(encoded.indices)]
    change = pc.binary_join_element_wise(ref, alt, "")
    transitions = pc.is_in(change, pa.array(["AG", "GA", "CT", "TC"]))
    bases = [first + second for first in "ACGT" for second in "ACGT"]
    kind[(kind == 2) & np.asarray(pc.is_in(change, pa.array(bases)))] = 1
    kind[np.asarray(transitions)] = 0
    return np.asarray(kind, np.int8)


def _expected_hets(counts: Counts, sizes: Counts) -> Counts:
    """2p(1 − p) in EXPECTED_UNIT, int64[rows]; 0 where nobody has a call.

    p is the allele frequency with an XY person counted half as much as any other, who may be of unknown sex;
    half a copy for the het of an XY person, who may be none. So PLINK counts X. ``counts`` int64[rows, sex
    classes, 4] by call.
    """
    weight = np.array([1 if name == XY else 2 for name in SEX_CLASSES])
    copies = ((counts[..., HET] + 2 * counts[..., HOM_ALT]) * weight).sum(axis=1)
    alleles = (2 * (sizes - counts[..., MISSING]) * weight).sum(axis=1)
    frequency = copies / np.maximum(alleles, 1)
    return np.asarray(np.rint(2 * frequency * (1 - frequency) * EXPECTED_UNIT), np.int64)
