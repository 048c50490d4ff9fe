from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from allofus_spark.export import Selection, export_genotypes
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_samples
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse
from tests.reference.engine import ingest

from .cohort import BUILD, write_cohort, write_people

# So that chrX and chrY lie in several partitions.
BIN_WIDTH = "genome.bin_width_bases=50000000"

Ingest = Callable[[Path], Warehouse]
Export = Callable[..., tuple[Path, dict[str, int]]]


@pytest.fixture(scope="session")
def ingest_cohort(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Ingest:
    """Ingests a VCF of the cohort's people, their sexes first, into a warehouse of its own."""

    def make(vcf: Path) -> Warehouse:
        folder = tmp_path_factory.mktemp("export")
        warehouse = Warehouse(
            spark, load_settings(warehouse=str(folder / "warehouse"), overrides=[BIN_WIDTH])
        )
        ingest_samples(warehouse, write_people(folder / "people.tsv"), callset_id="c")
        ingest(warehouse, vcf, build=BUILD)
        return warehouse

    return make


@pytest.fixture(scope="session")
def cohort(ingest_cohort: Ingest, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The cohort with its frequencies."""
    warehouse = ingest_cohort(write_cohort(tmp_path_factory.mktemp("cohort") / "cohort.vcf"))
    compute_frequencies(warehouse)
    return warehouse


@pytest.fixture
def export(cohort: Warehouse, tmp_path: Path) -> Export:
    """Exports the cohort to ``tmp_path / x``; arguments are those of a selection."""

    def run(
        file_format: str, warehouse: Warehouse = cohort, **selection: object
    ) -> tuple[Path, dict[str, int]]:
        chosen = Selection(**selection)  # type: ignore[arg-type]
        counters = export_genotypes(
            warehouse, file_format=file_format, out=str(tmp_path / "x"), selection=chosen
        )
        return tmp_path / "x", counters

    return run
