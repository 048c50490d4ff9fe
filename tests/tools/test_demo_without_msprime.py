"""``make demo`` of real genotypes runs in an environment that has no simulator."""

from __future__ import annotations

import subprocess
import sys


def test_the_demo_starts_without_msprime() -> None:
    blocked = "import sys; sys.modules['msprime'] = sys.modules['tskit'] = None; import tools.demo"
    subprocess.run([sys.executable, "-c", blocked], check=True)
