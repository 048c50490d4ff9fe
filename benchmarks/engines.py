"""What is timed: an engine does works, one after the other, on a cohort.

A work is timed in every engine that lists it in `works`. A later one (a novelty flag, a regression) is a name
more in `WORKS` and a step more in each engine that can do it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple

from tools.cohort_files import Cohort

# In the order in which they run: each may use what the ones before it wrote.
WORKS = {
    "ingest": "bgzip VCF to the engine's own format, hard calls of every record",
    "frequencies": "allele counts and frequencies by ancestry, from that format to a file of its own",
    "from_matrix_table": "Hail MatrixTable to the engine's own format",
}


class Machine(NamedTuple):
    """What every engine is given."""

    cores: int
    memory_gib: int


class Trial(NamedTuple):
    """A cohort, and the folder in which an engine keeps what it makes of it."""

    cohort: Cohort
    folder: Path


def _nothing(_: Trial) -> None:
    pass


class Step(NamedTuple):
    """How an engine does a work: the timed part, and what must be done before it each time."""

    run: Callable[[Trial], None]
    prepare: Callable[[Trial], None] = _nothing


class Engine(ABC):
    """A running engine; making one starts its session."""

    name: ClassVar[str]
    in_process: ClassVar[bool] = True
    """Whether this Python process is part of the engine, and so of the memory that it takes."""

    @abstractmethod
    def __init__(self, machine: Machine, scratch: Path, /) -> None: ...

    @staticmethod
    @abstractmethod
    def missing() -> str | None:
        """Why it cannot run here, with what to install; None where it can."""

    @property
    @abstractmethod
    def works(self) -> Mapping[str, Step]:
        """The works of `WORKS` that it does."""


def run_command(arguments: list[str]) -> None:
    """Run a program quietly; its own words are in the error when it fails."""
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def missing_program(program: str, package: str) -> str | None:
    """The note for a program that is not on PATH."""
    if shutil.which(program):
        return None
    return f"{program} is not installed (Debian: apt-get install {package})"


def outside_data(otherwise: str = "") -> Path:
    """``realdata/`` of the folder that ALLOFUS_TEST_DATA names; ends the program where it names none."""
    root = os.environ.get("ALLOFUS_TEST_DATA")
    if not root:
        sys.exit(f"set ALLOFUS_TEST_DATA to the folder that holds realdata/ (see README, Tests){otherwise}")
    return Path(root) / "realdata"
