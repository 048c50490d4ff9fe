"""bcftools: VCF to BCF, and ``+fill-tags`` with groups of samples, from BCF to BCF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.engines import Engine, Machine, Step, Trial, missing_program, run_command
from tools.cohort_files import read_samples


class Bcftools(Engine):
    """Threads (de)compress; reading, counting and writing records is the work of one core."""

    name = "bcftools"
    in_process = False

    def __init__(self, machine: Machine, _scratch: Path) -> None:
        self._threads = ["--threads", str(machine.cores)]

    @staticmethod
    def missing() -> str | None:
        """Why it cannot run here."""
        return missing_program("bcftools", "bcftools")

    @property
    def works(self) -> Mapping[str, Step]:
        """Ingest and frequencies."""
        return {"ingest": Step(self._ingest), "frequencies": Step(self._frequencies, _write_groups)}

    def _ingest(self, trial: Trial) -> None:
        output = ["--output-type", "b", "--output", str(_bcf(trial))]
        run_command(["bcftools", "view", *self._threads, *output, str(trial.cohort.vcf)])

    def _frequencies(self, trial: Trial) -> None:
        output = ["--output-type", "b", "--output", str(trial.folder / "frequencies.bcf")]
        plugin = ["--", "--samples-file", str(_groups(trial)), "--tags", "AC,AN,AF,AC_Hom"]
        run_command(["bcftools", "+fill-tags", *self._threads, *output, str(_bcf(trial)), *plugin])


def _bcf(trial: Trial) -> Path:
    return trial.folder / "cohort.bcf"


def _groups(trial: Trial) -> Path:
    return trial.folder / "groups.txt"


def _write_groups(trial: Trial) -> None:
    people = read_samples(trial.cohort.samples)
    lines = [f"{person.sample_id}\t{person.ancestry}\n" for person in people]
    _groups(trial).write_text("".join(lines), encoding="utf-8")
