"""Variants against all fitted phenotypes of an ancestry."""

from __future__ import annotations

from allofus_spark.genotypes.encoding import CallBatch
from allofus_spark.regression.counts import Counts, count_masks
from allofus_spark.regression.fitted import Models
from allofus_spark.regression.linear import LinearWork
from allofus_spark.regression.logistic import LogisticWork, slot_width
from allofus_spark.regression.models import Tests
from allofus_spark.regression.outcomes import empty_tests
from allofus_spark.regression.products import COLUMN_PAD, PEOPLE_CHUNK, products
from allofus_spark.regression.rows import MinorRows, minor_rows

_ROWS_AT_ONCE = 1024
_PHENOTYPES_AT_ONCE = 128


def test_variants(models: Models, calls: CallBatch) -> Tests:
    """Test the rows of a batch in every scanned phenotype (`Models.tested`, in that order).

    ``calls`` are of the models' people, in their order. The effect allele is alt. Missing calls count as the
    mean of the phenotype's people. Pin BLAS to one thread (threadpoolctl): results then have the same bits
    whichever phenotypes are scanned together.
    """
    if calls.n_samples != models.n_people:
        raise ValueError(f"calls are of {calls.n_samples} people, the models of {models.n_people}")
    tests = empty_tests(calls.n_rows, len(models.tested))
    if not len(models.tested) or not calls.n_rows:
        return tests
    rows = minor_rows(calls)
    for first in range(0, calls.n_rows, _ROWS_AT_ONCE):
        some = rows.some(first, first + _ROWS_AT_ONCE)
        _test_rows(models, some, count_masks(some, models), tests)
    return tests


def _test_rows(models: Models, rows: MinorRows, counts: Counts, tests: Tests) -> None:
    columns = models.rules.model_bytes // (8 * min(models.n_people, PEOPLE_CHUNK))
    fit = columns // (1 + models.columns.shape[1]) // COLUMN_PAD * COLUMN_PAD
    at_once = min(_PHENOTYPES_AT_ONCE, max(COLUMN_PAD, fit))
    for first in range(0, len(models.linear), at_once):
        linear = LinearWork(models, first, min(first + at_once, len(models.linear)))
        basis, residuals = products(rows, linear.parts())
        linear.test(rows, counts, basis, residuals, tests)
    at_once = min(_PHENOTYPES_AT_ONCE, max(1, columns // (slot_width(models) + 1)))
    for first in range(0, len(models.logistic), at_once):
        logistic = LogisticWork(models, first, min(first + at_once, len(models.logistic)))
        slots, homs = products(rows, logistic.parts())
        logistic.test(rows, counts, slots, homs, tests)
