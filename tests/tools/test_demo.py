"""The demo's answer on a small simulated cohort, against a recount of its VCF."""

from __future__ import annotations

from pathlib import Path

import cyvcf2
import numpy as np
import pytest
from rich.console import Console

from allofus_spark.tables import Warehouse
from tools.cohort_files import read_samples
from tools.demo import Demo, most_differentiated, run_jobs, show_frequencies, show_tables
from tools.simulate_cohort import simulate_cohort

pytestmark = pytest.mark.long


GROUPS = ("afr", "amr", "eas", "eur")


def test_the_variant_that_differs_most_is_found_and_shown(warehouse: Warehouse, tmp_path: Path) -> None:
    cohort = simulate_cohort(tmp_path, samples=40, length=60_000, seed=3)
    console = Console(width=100, record=True, soft_wrap=True)
    run_jobs(console, warehouse, Demo("test", cohort, Path(warehouse.root)))
    row = most_differentiated(warehouse)
    show_tables(console, warehouse)
    show_frequencies(console, "most", row, {})

    ancestry = np.array([person.ancestry for person in read_samples(cohort.samples)])
    spread = {}
    for record in cyvcf2.VCF(str(cohort.vcf)):
        copies = record.genotype.array()[:, :2]
        for number, alt in enumerate(record.ALT, start=1):
            by_group = [np.mean(copies[ancestry == group] == number) for group in GROUPS]
            spread[f"22-{record.POS}-{record.REF}-{alt}"] = max(by_group) - min(by_group)
    found = [row[group].af for group in GROUPS]
    assert max(found) - min(found) == max(spread.values()) == spread[row.variant_id]
    text = console.export_text()
    assert f"{len(spread):,}" in next(line for line in text.splitlines() if "allele_frequencies" in line)
    assert f"{row.eas.af:.4f}" in next(line for line in text.splitlines() if line.split()[:1] == ["eas"])
    assert "allofus ingest-genotypes --callset demo --date" in text
