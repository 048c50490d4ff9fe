"""Hail: ``import_vcf`` to a MatrixTable, and ``call_stats`` by ancestry from it to a Table.

Hail cuts a file into pieces of 32 MB as stored: left to itself it would read these small files on one core,
and leave the others idle in all that follows. It is asked for enough partitions to keep every core busy.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from benchmarks.engines import Engine, Machine, Step, Trial

PARTITIONS_A_CORE = 4


class Hail(Engine):
    """Hail in a local Spark session of its own, with its defaults but for cores, memory and partitions."""

    name = "hail"

    def __init__(self, machine: Machine, scratch: Path) -> None:
        import hail as hl

        self._hl = hl
        hl.init(
            master=f"local[{machine.cores}]",
            spark_conf={"spark.driver.memory": f"{machine.memory_gib}g", "spark.ui.enabled": "false"},
            tmp_dir=str(scratch / "tmp"),
            log=str(scratch / "hail.log"),
            quiet=True,
        )
        hl.default_reference("GRCh38")
        self._partitions = PARTITIONS_A_CORE * machine.cores

    @staticmethod
    def missing() -> str | None:
        """Why it cannot run here."""
        return None if importlib.util.find_spec("hail") else "hail is not installed (make setup)"

    @property
    def works(self) -> Mapping[str, Step]:
        """Ingest and frequencies."""
        return {"ingest": Step(self._ingest), "frequencies": Step(self._frequencies)}

    def _ingest(self, trial: Trial) -> None:
        calls = self._hl.import_vcf(str(trial.cohort.vcf), force_bgz=True, min_partitions=self._partitions)
        calls.write(_matrix(trial), overwrite=True)

    def _frequencies(self, trial: Trial) -> None:
        hl = self._hl
        people = hl.import_table(str(trial.cohort.samples), key="sample_id")
        calls = hl.read_matrix_table(_matrix(trial))
        calls = calls.annotate_cols(ancestry=people[calls.s].ancestry)
        counted = calls.annotate_rows(
            overall=hl.agg.call_stats(calls.GT, calls.alleles),
            by_ancestry=hl.agg.group_by(calls.ancestry, hl.agg.call_stats(calls.GT, calls.alleles)),
        )
        counted.rows().write(str(trial.folder / "frequencies.ht"), overwrite=True)


def _matrix(trial: Trial) -> str:
    return str(trial.folder / "cohort.mt")
