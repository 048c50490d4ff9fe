"""This package: ``ingest_genotypes`` and ``compute_frequencies``, whole calls with every check."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from allofus_spark.frequencies import compute_frequencies
from allofus_spark.hail_bridge import start_hail
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse
from benchmarks.engine_hail import PARTITIONS_A_CORE
from benchmarks.engines import Engine, Machine, Step, Trial

CALLSET, BUILD = "benchmark", "GRCh38"


class Allofus(Engine):
    """Each ingest goes into a warehouse that holds only the samples."""

    name = "allofus"

    def __init__(self, machine: Machine, scratch: Path) -> None:
        self._overrides = [
            f"spark.master=local[{machine.cores}]",
            f"spark.driver_memory={machine.memory_gib}g",
        ]
        settings = load_settings(warehouse=str(scratch), overrides=self._overrides)
        self._spark = start_session(settings, app_name="benchmark")

    @staticmethod
    def missing() -> str | None:
        """Never: without the package there would be no benchmark."""
        return None

    @property
    def works(self) -> Mapping[str, Step]:
        """All of them."""
        return {
            "ingest": Step(self._ingest, self._new_warehouse),
            "frequencies": Step(self._frequencies),
            "from_matrix_table": Step(self._ingest_matrix_table, self._new_warehouse_and_matrix_table),
        }

    def warehouse(self, trial: Trial) -> Warehouse:
        """Where the tables of a cohort lie."""
        settings = load_settings(warehouse=str(_root(trial)), overrides=self._overrides)
        return Warehouse(self._spark, settings)

    def _new_warehouse(self, trial: Trial) -> None:
        shutil.rmtree(_root(trial), ignore_errors=True)
        ingest_samples(self.warehouse(trial), str(trial.cohort.samples), callset_id=CALLSET, columns={})

    def _new_warehouse_and_matrix_table(self, trial: Trial) -> None:
        self._new_warehouse(trial)
        if not _matrix_table(trial).exists():
            start_hail(self._spark, BUILD)
            import hail as hl

            partitions = PARTITIONS_A_CORE * self._spark.sparkContext.defaultParallelism
            calls = hl.import_vcf(str(trial.cohort.vcf), force_bgz=True, min_partitions=partitions)
            calls.write(str(_matrix_table(trial)))

    def _ingest(self, trial: Trial) -> None:
        self._ingest_source(trial, trial.cohort.vcf)

    def _ingest_matrix_table(self, trial: Trial) -> None:
        self._ingest_source(trial, _matrix_table(trial))

    def _ingest_source(self, trial: Trial, source: Path) -> None:
        ingest_genotypes(
            self.warehouse(trial), [str(source)], callset_id=CALLSET, callset_date="2026-01-01", build=BUILD
        )

    def _frequencies(self, trial: Trial) -> None:
        compute_frequencies(self.warehouse(trial), recompute=True)


def _matrix_table(trial: Trial) -> Path:
    return trial.folder / "cohort.mt"


def _root(trial: Trial) -> Path:
    return trial.folder / "warehouse"
