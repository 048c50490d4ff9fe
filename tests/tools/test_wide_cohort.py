"""The wide cohort: its file has the counts that were noted when it was written."""

from __future__ import annotations

from pathlib import Path

import cyvcf2
import numpy as np

from benchmarks.measure import Measurement, over_bounds
from benchmarks.wide import BOUNDS_MIB
from benchmarks.wide_cohort import SHARES, write_wide_cohort
from tools.cohort_files import read_samples


def test_the_counts_are_those_of_the_file(tmp_path: Path) -> None:
    cohort, counts = write_wide_cohort(tmp_path, samples=3_000, variants=40, seed=1)
    ancestry = np.array([person.ancestry for person in read_samples(cohort.samples)])
    vcf = cyvcf2.VCF(str(cohort.vcf))
    assert len(vcf.samples) == len(ancestry) == 3_000
    for row, record in enumerate(vcf):
        alleles = record.genotype.array()[:, :2]
        for column, group in enumerate(SHARES):
            mine = alleles[ancestry == group]
            assert counts.ac[row, column] == np.count_nonzero(mine == 1)
            assert counts.an[row, column] == np.count_nonzero(mine >= 0)
    assert row == 39


def test_rare_common_and_missing_calls_are_all_there(tmp_path: Path) -> None:
    _, counts = write_wide_cohort(tmp_path, samples=3_000, variants=40, seed=1)
    frequencies = counts.ac.sum(axis=1) / counts.an.sum(axis=1)
    assert np.count_nonzero(frequencies < 0.02) >= 30
    assert np.count_nonzero(frequencies > 0.01) >= 4
    missing_calls = 40 * 3_000 - counts.an.sum() // 2
    assert 40 < missing_calls < 240  # 120 expected


def test_memory_over_its_bound_is_named() -> None:
    within = {program: float(bound) for program, bound in BOUNDS_MIB.items()}
    assert over_bounds(Measurement(peak_mib_by_program=within), BOUNDS_MIB) == []
    over = Measurement(peak_mib_by_program=within | {"java": 5_000.0, "bash": 9_999.0})
    assert over_bounds(over, BOUNDS_MIB) == ["java took 5,000 MiB; its bound is 4,096 MiB"]
