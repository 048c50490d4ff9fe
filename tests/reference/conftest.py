"""Warehouses that several tests share, each made once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_samples
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse

from .engine import Frequencies, ingest


@dataclass(frozen=True)
class Cohort:
    """A warehouse with one callset ``c``, and the files that it was made from."""

    warehouse: Warehouse
    build: str
    files: list[Path]
    counters: dict[str, int]


@pytest.fixture(scope="session")
def new_warehouse(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Warehouse]:
    """Makes an empty warehouse; arguments are settings as on the command line."""

    def make(*overrides: str) -> Warehouse:
        folder = tmp_path_factory.mktemp("reference") / "warehouse"
        return Warehouse(spark, load_settings(warehouse=str(folder), overrides=overrides))

    return make


@pytest.fixture(scope="session")
def new_cohort(new_warehouse: Callable[..., Warehouse]) -> Callable[..., Cohort]:
    """Ingests files as callset ``c`` into a new warehouse; with labels where a sample file is given."""

    def make(build: str, files: list[Path], labels: Path | None = None) -> Cohort:
        warehouse = new_warehouse()
        if labels is not None:
            columns = {"sample_id": "sample", "ancestry": "super_pop"}
            ingest_samples(warehouse, labels, callset_id="c", columns=columns)
        return Cohort(warehouse, build, files, ingest(warehouse, *files, build=build))

    return make


@pytest.fixture(scope="session")
def high_coverage(realdata: Path, new_cohort: Callable[..., Cohort]) -> Cohort:
    """1000 Genomes, 3,202 samples at high coverage, GRCh38: 13 genes and the beginning of chr1, 14 shards."""
    folder = realdata / "multisample"
    files = sorted((folder / "pgx_grch38_3202").glob("*.vcf.gz"))
    files.append(folder / "1kgp_hc_3202_chr1_10390-66441.grch38.vcf.gz")
    assert len(files) == 14
    return new_cohort("GRCh38", files, realdata / "ancestry" / "superpop_3202.tsv")


@pytest.fixture(scope="session")
def phase_3(realdata: Path, new_cohort: Callable[..., Cohort]) -> Cohort:
    """1000 Genomes phase 3, 2,504 samples, GRCh37: two regions, 13 genes and exonic sites, 16 files."""
    folder = realdata / "multisample"
    files = [
        *sorted(folder.glob("1kg_p3_2504_*.vcf.gz")),
        *sorted((folder / "pgx_grch37_2504").glob("*.vcf.gz")),
        folder / "peddy_1kg_2504_exome_sites_chr1_chr22.grch37.vcf.gz",
    ]
    assert len(files) == 16
    labels = realdata / "ancestry" / "integrated_call_samples_v3.20130502.ALL.panel.tsv"
    return new_cohort("GRCh37", files, labels)


@pytest.fixture(scope="session")
def exomes(realdata: Path, new_cohort: Callable[..., Cohort]) -> Cohort:
    """1000 Genomes, 2,504 samples, 23,532 exonic SNVs of all autosomes, GRCh38."""
    return new_cohort("GRCh38", [realdata / "multisample" / "peddy_1kg_2504_exome_sites.grch38.vcf.gz"])


@pytest.fixture(scope="session")
def mitochondria(realdata: Path, new_cohort: Callable[..., Cohort]) -> Cohort:
    """1000 Genomes phase 1, 1,074 samples, the whole mitochondrion."""
    return new_cohort("GRCh37", [realdata / "multisample" / "1kg_p1_1074_chrMT_haploid.vcf.gz"])


@pytest.fixture(scope="session")
def high_coverage_frequencies(high_coverage: Cohort) -> Frequencies:
    compute_frequencies(high_coverage.warehouse)
    return Frequencies(high_coverage.warehouse)


@pytest.fixture(scope="session")
def phase_3_frequencies(phase_3: Cohort) -> Frequencies:
    compute_frequencies(phase_3.warehouse)
    return Frequencies(phase_3.warehouse)
