"""Strata: the samples of a callset that share ancestry group and sex class, the grain of counting."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allofus_spark.errors import BadSamples
from allofus_spark.tables import STRATA, Reader, RowsWrite

UNLABELLED = "unlabelled"
XX, XY, OTHER_SEX = "XX", "XY", "other"
SEX_CLASSES = (XX, XY, OTHER_SEX)


@dataclass(frozen=True)
class Sample:
    """What decides a sample's stratum. ``ancestry`` None: no label; ``sex_karyotype`` None: not known."""

    sample_id: str
    ancestry: str | None
    sex_karyotype: str | None

    @property
    def sex_class(self) -> str:
        """XX, XY, or other (other and not known)."""
        return self.sex_karyotype if self.sex_karyotype in (XX, XY) else OTHER_SEX


Slot = Sample | None
"""One place in a callset's call vectors: who is there; None: a person who withdrew, who counts nowhere."""


def present(slots: Iterable[Slot]) -> list[Sample]:
    """Who is in the slots, without those who withdrew; the order stays, places do not."""
    return [sample for sample in slots if sample is not None]


@dataclass(frozen=True)
class Strata:
    """The strata of one callset.

    ``of_sample`` int32[n_samples] is the stratum of each sample in callset order; a sample that is not
    counted has the number ``len(names)``. ``names`` are (ancestry, sex class), ``sizes`` samples in each.
    """

    strata_id: str
    callset_id: str
    names: tuple[tuple[str, str], ...]
    sizes: npt.NDArray[np.int64]
    of_sample: npt.NDArray[np.int32]

    @property
    def sex_classes(self) -> tuple[str, ...]:
        return tuple(sex for _, sex in self.names)


def build_strata(
    callset_id: str,
    slots: Sequence[Slot],
    ancestry_groups: Sequence[str],
    *,
    counted: frozenset[str] | None = None,
) -> Strata:
    """Divide a callset's samples, given as its slots in order; who withdrew is in no stratum.

    ``counted`` limits the count to some sample ids. Raises BadSamples where a label is not among the groups
    (labels are compared without case).
    """
    groups = (*ancestry_groups, UNLABELLED)
    samples = present(slots)
    labels = [(sample.ancestry or UNLABELLED).lower() for sample in samples]
    unknown = Counter(label for label in labels if label not in groups)
    if unknown:
        named = ", ".join(f"{label} ({count} samples)" for label, count in sorted(unknown.items()))
        raise BadSamples(
            f"callset {callset_id}: ancestry labels that the settings do not know: {named}. "
            f"Known: {', '.join(ancestry_groups)}; correct the labels, or add the group to "
            "frequencies.ancestry_groups."
        )
    places = {(group, sex): place for place, (group, sex) in enumerate(_pairs(groups))}
    sexes = [sample.sex_class for sample in samples]
    place = np.array([places[pair] for pair in zip(labels, sexes, strict=True)], np.int64)
    chosen = np.array([counted is None or sample.sample_id in counted for sample in samples], np.bool_)
    held, number = np.unique(place[chosen], return_inverse=True)
    of_sample = np.full(len(slots), len(held), np.int32)
    of_sample[np.flatnonzero([sample is not None for sample in slots])[chosen]] = number
    all_names = list(_pairs(groups))
    names = tuple(all_names[index] for index in held)
    digest = hashlib.sha256(repr((callset_id, groups, names)).encode() + of_sample.tobytes())
    sizes = np.bincount(number, minlength=len(held)).astype(np.int64)
    return Strata(digest.hexdigest(), callset_id, names, sizes, of_sample)


def strata_writes(tables: Reader, strata: Iterable[Strata]) -> list[RowsWrite]:
    """Appends of the strata that the table ``strata`` does not hold yet."""
    held = {row.strata_id for row in tables.rows(STRATA)}
    rows = [
        (item.strata_id, index, item.callset_id, ancestry, sex, int(size))
        for item in strata
        if item.strata_id not in held
        for index, ((ancestry, sex), size) in enumerate(zip(item.names, item.sizes, strict=True))
    ]
    return [RowsWrite(STRATA, rows)] if rows else []


def _pairs(groups: Sequence[str]) -> list[tuple[str, str]]:
    return [(group, sex) for group in groups for sex in SEX_CLASSES]
