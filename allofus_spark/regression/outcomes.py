"""Tests and their statuses as the small numbers that kernels write."""

from __future__ import annotations

import numpy as np

from allofus_spark.regression.models import STATUS_NAMES, TEST_NAMES, Tests

LINEAR, SCORE, FIRTH_APPROXIMATE, FIRTH_EXACT = (
    TEST_NAMES.index(name) for name in ("linear", "score", "firth_approximate", "firth_exact")
)
OK, NO_VARIATION, TOO_RARE, COLLINEAR, NO_CONVERGENCE, PERFECT_FIT = (
    STATUS_NAMES.index(name)
    for name in ("ok", "no_variation", "too_rare", "collinear", "no_convergence", "perfect_fit")
)
# A genotype is collinear with the covariates where they leave this share of its squares, or less.
COLLINEAR_SHARE = 1e-9


def empty_tests(n_variants: int, n_phenotypes: int) -> Tests:
    """Outcomes with no test, to be filled."""
    shape = (n_variants, n_phenotypes)
    return Tests(
        test=np.full(shape, -1, np.int8),
        status=np.zeros(shape, np.int8),
        beta=np.full(shape, np.nan),
        se=np.full(shape, np.nan),
        neg_log10_p=np.full(shape, np.nan),
        ac=np.zeros(shape, np.int64),
        an=np.zeros(shape, np.int64),
        ac_cases=np.zeros(shape, np.int64),
        an_cases=np.zeros(shape, np.int64),
        needs_exact=np.zeros(shape, np.bool_),
    )
