"""Counts of calls as stored to counts of people and alleles, where the copies that are meant differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from allofus_spark.cohort.strata import OTHER_SEX, SEX_CLASSES, XX, XY
from allofus_spark.genome import DIPLOID, MITOCHONDRIAL, X_NONPAR, Y_NONPAR
from allofus_spark.genotypes import HET, HOM_ALT, MISSING

COUNTS = ("n_het", "n_hom_alt", "n_hemi_alt", "an_called", "n_het_missing")
# Copies that are meant, by region and sex class; 0: the sample is not counted there.
COPIES = {
    DIPLOID: {XX: 2, XY: 2, OTHER_SEX: 2},
    X_NONPAR: {XX: 2, XY: 1, OTHER_SEX: 0},
    Y_NONPAR: {XX: 0, XY: 1, OTHER_SEX: 0},
    MITOCHONDRIAL: {XX: 1, XY: 1, OTHER_SEX: 1},
}

Counts = npt.NDArray[np.int32]


def copies_meant(sex_classes: Sequence[str]) -> Counts:
    """Copies that are meant, int32[regions, classes]; 0: not counted there."""
    table = [[COPIES[region][sex] for sex in sex_classes] for region in range(len(COPIES))]
    return np.array(table, np.int32).reshape(len(COPIES), len(sex_classes))


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
    copies = copies_meant(sex_classes)[regions]
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


def calls_meant(*, x_male_dosage: int) -> npt.NDArray[np.uint8]:
    """What a stored call stands for by region and sex class, uint8[regions, classes, 4]; see `recode_calls`.

    Classes are in the order of SEX_CLASSES. With one copy meant, a het is missing; who is not counted at a
    region has no call there. ``x_male_dosage`` 1: a hemizygote of non-PAR X counts as one copy.
    """
    copies = copies_meant(SEX_CLASSES)[:, :, None]
    stored = np.arange(4, dtype=np.uint8)
    meant = np.where((copies == 0) | ((copies == 1) & (stored == HET)), MISSING, stored).astype(np.uint8)
    if x_male_dosage == 1:
        meant[X_NONPAR, SEX_CLASSES.index(XY), HOM_ALT] = HET
    return meant
