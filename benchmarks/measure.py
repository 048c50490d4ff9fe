"""Seconds and peak memory of a piece of work and of every process that it starts.

Memory is the resident set (RSS) summed over a process and its descendants, sampled while the work runs: pages
that processes share count in each, and a peak shorter than the sampling interval can be missed. It is read
from ``/proc`` and is None where there is none.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

MIB = 1024 * 1024
SAMPLING_SECONDS = 0.05
_PROC = Path("/proc")


class Process(NamedTuple):
    """A running process: its program's name without a version, its address space, what of it is in memory."""

    pid: int
    parent: int
    program: str
    size_bytes: int
    rss_bytes: int


@dataclass
class Measurement:
    """What a piece of work took; complete when the block of `measured` has ended."""

    seconds: float = 0.0
    peak_mib: float | None = None
    peak_mib_by_program: dict[str, float] = field(default_factory=dict)
    """Each program's own peak, which need not fall together with the others'."""


@contextmanager
def measured(*, with_this_process: bool = True) -> Iterator[Measurement]:
    """Time the block, and meanwhile sample the memory of this process and its children, or of them alone."""
    measurement = Measurement()
    done = threading.Event()
    sampler = threading.Thread(target=_sample, args=(with_this_process, measurement, done), daemon=True)
    sampler.start()
    started = time.perf_counter()
    try:
        yield measurement
    finally:
        measurement.seconds = time.perf_counter() - started
        done.set()
        sampler.join()


def _sample(with_this_process: bool, measurement: Measurement, done: threading.Event) -> None:
    while True:
        tree = process_tree(os.getpid(), running_processes())
        if tree:
            totals = memory_by_program(tree if with_this_process else tree[1:])
            measurement.peak_mib = max(measurement.peak_mib or 0.0, sum(totals.values()))
            for program, mib in totals.items():
                peak = measurement.peak_mib_by_program.get(program, 0.0)
                measurement.peak_mib_by_program[program] = max(peak, mib)
        if done.wait(SAMPLING_SECONDS):
            return


def memory_by_program(processes: list[Process]) -> dict[str, float]:
    """Program -> resident MiB, summed over its processes."""
    totals: dict[str, float] = {}
    for process in processes:
        totals[process.program] = totals.get(process.program, 0.0) + process.rss_bytes / MIB
    return totals


def process_tree(root_pid: int, processes: list[Process]) -> list[Process]:
    """The process `root_pid` and its descendants, but for those that still live in their parent's memory.

    To start a program, Java lends its address space to a child for a moment (vfork): the child then looks as
    large as its parent, give or take what the parent maps between two looks, and gigabytes would count twice.
    """
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    tree = [process for process in processes if process.pid == root_pid]
    for parent in tree:  # grows while it is walked
        tree.extend(child for child in children.get(parent.pid, []) if not _same_size(child, parent))
    return tree


def _same_size(child: Process, parent: Process) -> bool:
    return abs(child.size_bytes - parent.size_bytes) <= 0.01 * parent.size_bytes


def running_processes() -> list[Process]:
    """Every process of this machine; none where there is no ``/proc``."""
    if not _PROC.is_dir():
        return []
    found = (_read_process(entry) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [process for process in found if process is not None]


def _read_process(entry: Path) -> Process | None:
    try:
        stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # ended since it was listed
        return None
    return parse_stat(stat)


def parse_stat(stat: str) -> Process:
    """One line of ``/proc/PID/stat``, see proc(5); the name is in parentheses and may hold some itself."""
    pid, _, rest = stat.partition(" (")
    program, _, fields = rest.rpartition(") ")
    values = (
        fields.split()
    )  # from field 3 on: state, then ppid (4); vsize is field 23, rss field 24, in pages
    rss_bytes = int(values[21]) * os.sysconf("SC_PAGE_SIZE")
    return Process(int(pid), int(values[1]), program.rstrip("0123456789."), int(values[20]), rss_bytes)


def over_bounds(measurement: Measurement, bounds_mib: Mapping[str, int]) -> list[str]:
    """A sentence for each program that took more than its bound; none where memory cannot be read."""
    peaks = measurement.peak_mib_by_program
    return [
        f"{program} took {peaks[program]:,.0f} MiB; its bound is {bound:,} MiB"
        for program, bound in bounds_mib.items()
        if peaks.get(program, 0) > bound
    ]


def shown_peaks(measurement: Measurement, bounds_mib: Mapping[str, int]) -> str:
    """Peak memory of the programs that have a bound."""
    peaks = measurement.peak_mib_by_program
    known = (f"{program} {peaks[program]:,.0f} MiB" for program in bounds_mib if program in peaks)
    return ", ".join(known) or "not known"
