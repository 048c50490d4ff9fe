"""The kernels, which know no tables, and the contracts name tests and statuses alike, in the same order."""

from allofus_spark.regression.models import STATUS_NAMES, TEST_NAMES
from allofus_spark.tables.association_tables import STATUSES, TESTS


def test_kernels_and_contracts_have_the_same_names() -> None:
    assert tuple(TESTS) == tuple(TEST_NAMES)
    assert tuple(STATUSES) == tuple(STATUS_NAMES)
