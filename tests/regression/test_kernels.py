"""Compiled kernels give the same bits in the process that compiled them and in those that load them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import numpy as np
from allofus_spark.genotypes.encoding import pack
from allofus_spark.regression.firth import fit_carriers, fit_residualised

chance = np.random.default_rng(1)
n_rows, n_people = 300, 88
codes = chance.binomial(2, 0.4, (n_rows, n_people)).astype(np.uint8)
codes[chance.random(codes.shape) < 0.01] = 3
calls = (pack(codes), np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.uint8))
given = (np.arange(n_rows), calls, np.full(n_rows, 0.8), np.arange(n_people))
cases, offsets = (chance.random(n_people) < 0.5).astype(float), chance.normal(0, 0.3, n_people)
less = chance.normal(0.8, 0.2, (n_rows, n_people))
for fit, more in ((fit_carriers, ()), (fit_residualised, (less,))):
    found = np.zeros((n_rows, 3))
    fit(*given, cases, offsets, *more, found)
    print(np.isfinite(found).all(), found.tobytes().hex())
"""


def test_firth_fits_are_the_same_compiled_and_loaded(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    )
    assert first.count("True") == 2
    assert list(tmp_path.rglob("*.nbc")), "the second process had nothing to load"
    assert first == second
