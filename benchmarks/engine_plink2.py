"""PLINK 2: VCF to .pgen, and ``--freq`` once for each ancestry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.engines import Engine, Machine, Step, Trial, missing_program, run_command
from tools.cohort_files import read_samples


class Plink2(Engine):
    """Multi-threaded in both; `--memory` is its workspace, of which it touches only what it needs."""

    name = "plink2"
    in_process = False

    def __init__(self, machine: Machine, _scratch: Path) -> None:
        self._limits = ["--threads", str(machine.cores), "--memory", str(machine.memory_gib * 1024)]

    @staticmethod
    def missing() -> str | None:
        """Why it cannot run here."""
        return missing_program("plink2", "plink2")

    @property
    def works(self) -> Mapping[str, Step]:
        """Ingest and frequencies."""
        return {"ingest": Step(self._ingest), "frequencies": Step(self._frequencies, _write_labels)}

    def _ingest(self, trial: Trial) -> None:
        source = ["--vcf", str(trial.cohort.vcf), "--vcf-half-call", "missing"]
        self._plink2(*source, "--make-pgen", "--out", str(_pgen(trial)))

    def _frequencies(self, trial: Trial) -> None:
        groups = ["--pheno", str(_labels(trial)), "--loop-cats", "ancestry"]
        self._plink2("--pfile", str(_pgen(trial)), *groups, "--freq", "counts", "--out", str(_pgen(trial)))

    def _plink2(self, *arguments: str) -> None:
        run_command(["plink2", *self._limits, *arguments])


def _pgen(trial: Trial) -> Path:
    return trial.folder / "cohort"


def _labels(trial: Trial) -> Path:
    return trial.folder / "ancestry.txt"


def _write_labels(trial: Trial) -> None:
    people = read_samples(trial.cohort.samples)
    lines = ["#IID\tancestry", *(f"{person.sample_id}\t{person.ancestry}" for person in people)]
    _labels(trial).write_text("\n".join(lines) + "\n", encoding="utf-8")
