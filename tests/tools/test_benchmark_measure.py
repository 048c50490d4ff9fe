"""The memory sampler: which processes count, and that a child's memory is seen."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.measure import (
    MIB,
    Process,
    measured,
    memory_by_program,
    parse_stat,
    process_tree,
    running_processes,
)

pytestmark = pytest.mark.long


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="memory is read from Linux's /proc")
HOLD_200_MIB = "import time; kept = bytearray(b'x') * (200 << 20); time.sleep(0.5)"
# In a process of its own: the suite's has a Spark session among its children.
MEASURE_A_CHILD = f"""
import subprocess, sys
from benchmarks.measure import measured
for with_this_process in (False, True):
    with measured(with_this_process=with_this_process) as result:
        subprocess.run([sys.executable, "-c", {HOLD_200_MIB!r}], check=True)
    print(result.peak_mib, result.seconds)
"""


def test_a_stat_line_whose_program_name_has_blanks_and_parentheses() -> None:
    fields = ["S", "41", *["0"] * 18, "8192", "3", "0"]
    process = parse_stat("42 (a (b) c3.11) " + " ".join(fields))
    assert process == Process(42, 41, "a (b) c", 8192, 3 * os.sysconf("SC_PAGE_SIZE"))


def test_the_tree_has_descendants_only_and_each_once() -> None:
    parents = {1: 0, 10: 1, 11: 10, 12: 11, 20: 1, 21: 20}
    processes = [Process(pid, parent, "p", 1000 * pid, 1) for pid, parent in parents.items()]
    assert [process.pid for process in process_tree(10, processes)] == [10, 11, 12]
    assert process_tree(99, processes) == []


def test_a_child_in_its_parents_memory_does_not_count_again() -> None:
    parent = Process(10, 1, "java", 7_000_000_000, 3 * MIB)
    lent = Process(11, 10, "Executor task l", 7_001_000_000, 3 * MIB)
    own = Process(12, 10, "python", 900_000_000, 2 * MIB)
    assert memory_by_program(process_tree(10, [parent, lent, own])) == {"java": 3, "python": 2}


@needs_proc
def test_this_process_is_found_with_its_memory() -> None:
    mine = next(process for process in running_processes() if process.pid == os.getpid())
    assert mine.parent == os.getppid()
    assert 10 * MIB < mine.rss_bytes < mine.size_bytes


@needs_proc
def test_the_memory_of_a_child_is_measured_with_and_without_this_process() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", MEASURE_A_CHILD], check=True, capture_output=True, text=True
    )
    child_only, whole = (tuple(map(float, line.split())) for line in answer.stdout.splitlines())
    assert 200 < child_only[0] < 300
    assert whole[0] > child_only[0] + 5
    assert child_only[1] >= 0.5


@needs_proc
def test_a_failing_block_still_ends_the_sampling() -> None:
    with pytest.raises(RuntimeError), measured() as measurement:
        raise RuntimeError("failed")
    assert measurement.seconds > 0
