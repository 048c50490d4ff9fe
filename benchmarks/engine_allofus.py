"""This package: ``ingest_genotypes`` and ``compute_frequencies``, whole calls with every check."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse
from benchmarks.engines import Engine, Machine, Step, Trial

CALLSET = "benchmark"


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
        """Ingest and frequencies."""
        return {
            "ingest": Step(self._ingest, self._new_warehouse),
            "frequencies": Step(self._frequencies),
        }

    def warehouse(self, trial: Trial) -> Warehouse:
        """Where the tables of a cohort lie."""
        settings = load_settings(warehouse=str(_root(trial)), overrides=self._overrides)
        return Warehouse(self._spark, settings)

    def _new_warehouse(self, trial: Trial) -> None:
        shutil.rmtree(_root(trial), ignore_errors=True)
        ingest_samples(self.warehouse(trial), str(trial.cohort.samples), callset_id=CALLSET, columns={})

    def _ingest(self, trial: Trial) -> None:
        ingest_genotypes(
            self.warehouse(trial),
            [str(trial.cohort.vcf)],
            callset_id=CALLSET,
            callset_date="2026-01-01",
            build="GRCh38",
        )

    def _frequencies(self, trial: Trial) -> None:
        compute_frequencies(self.warehouse(trial))


def _root(trial: Trial) -> Path:
    return trial.folder / "warehouse"
