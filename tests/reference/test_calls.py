"""Calls read back from the tables against cyvcf2's, call policies applied (see ``plain_calls``)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from allofus_spark.errors import BadSource
from allofus_spark.tables import GENOTYPES, Warehouse

from .conftest import Cohort
from .engine import ingest, read_calls, refused_alleles
from .plain_calls import PlainCallset, read_plain

pytestmark = pytest.mark.long


def assert_same_calls(warehouse: Warehouse, plain: PlainCallset) -> None:
    keys, calls = read_calls(warehouse)
    assert keys == plain.keys
    different = np.argwhere(calls != plain.calls)
    first = [(keys[row], plain.samples[sample]) for row, sample in different[:5]]
    assert not len(different), f"{len(different)} calls differ, first {first}"
    duplicates = [reason for reason, _ in refused_alleles(warehouse) if reason == "duplicate_allele"]
    assert len(duplicates) == sum(plain.n_records_of_refused_key.values())


@pytest.mark.parametrize(
    ("name", "n_collapsed"), [("high_coverage", 0), ("phase_3", 19), ("mitochondria", 0)]
)
def test_shared_cohorts(name: str, n_collapsed: int, request: pytest.FixtureRequest) -> None:
    cohort: Cohort = request.getfixturevalue(name)
    plain = read_plain(cohort.files, cohort.build)
    assert plain.n_collapsed == cohort.counters.get("alleles_collapsed", 0) == n_collapsed
    assert_same_calls(cohort.warehouse, plain)


@pytest.fixture(scope="module")
def of_build(new_warehouse: Callable[..., Warehouse]) -> Callable[[str], Warehouse]:
    """The one warehouse that the files of a build share."""
    return functools.cache(lambda _build: new_warehouse())


@pytest.mark.parametrize(
    ("pattern", "build", "n_alleles"),
    [
        ("peddy_1kg_2504_exome_sites.grch38.vcf.gz", "GRCh38", 23_531),
        ("uwgac_1kg_p3_1126_allchr.grch37/*.vcf.gz", "GRCh37", 17_154),
        ("hail_sample2_100_chr22_multiallelic_DP_GQ_PL.grch37.vcf.gz", "GRCh37", 1_172),
        ("hail_sample_100_chr20_AD_DP_GQ_PL.grch37.vcf.gz", "GRCh37", 346),
        ("1kg_p3broad_2535_chr22_5var_AD_GQ_PL.grch37.vcf.gz", "GRCh37", 5),
    ],
)
def test_other_files(
    pattern: str, build: str, n_alleles: int, realdata: Path, of_build: Callable[[str], Warehouse]
) -> None:
    """Each takes the place of the one before it, of which nothing must stay."""
    files = sorted((realdata / "multisample").glob(pattern))
    warehouse = of_build(build)
    ingest(warehouse, *files, build=build, replace=True)
    plain = read_plain(files, build)
    assert len(plain.keys) == n_alleles
    assert_same_calls(warehouse, plain)


def test_single_sample_gvcfs_are_refused(realdata: Path, new_warehouse: Callable[..., Warehouse]) -> None:
    files = sorted((realdata / "multisample" / "hail_gvcf_1kg_chr22_12.hg38").glob("*.vcf.gz"))
    warehouse = new_warehouse()
    with pytest.raises(BadSource, match=r"single-sample gVCF.* combine the gVCFs first.*11 more of 12"):
        ingest(warehouse, *files, build="GRCh38")
    assert not warehouse.exists(GENOTYPES)
