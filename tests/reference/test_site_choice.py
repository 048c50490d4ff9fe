"""Sites that stand for the genome are those that PLINK 2 keeps, on real genotypes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from allofus_spark.cohort import SiteRules, choose_sites, warehouse_build
from allofus_spark.tables import start_run

from .conftest import Cohort

pytestmark = pytest.mark.long


N_SAMPLES = 2_504
WINDOW_KILOBASES = 500


def kept_by_plink(plink2: str, vcf: Path, folder: Path, samples: int, max_r2: float) -> set[str]:
    """Ids of the first ``samples`` samples' sites."""
    names = subprocess.run(
        f"zgrep -m1 ^#CHROM {vcf} | cut -f10-", shell=True, check=True, capture_output=True, text=True
    ).stdout.split()[:samples]
    (folder / "keep.txt").write_text("\n".join(names) + "\n")
    subprocess.run(
        [plink2, "--vcf", str(vcf), "--keep", str(folder / "keep.txt"), "--autosome", "--max-alleles", "2",
         "--set-all-var-ids", "@:#:$r:$a", "--rm-dup", "exclude-all", "--maf", "0.01", "--geno", "0.01",
         "--indep-pairwise", f"{WINDOW_KILOBASES}kb", str(max_r2), "--out", str(folder / "kept")],
        check=True, capture_output=True,
    )  # fmt: skip
    return set((folder / "kept.prune.in").read_text().split())


@pytest.mark.parametrize(("samples", "max_r2"), [(N_SAMPLES, 0.1), (1_001, 0.2)])
def test_sites_are_those_that_plink_keeps(
    exomes: Cohort,
    oracle: Callable[[str], str],
    tmp_path: Path,
    samples: int,
    max_r2: float,
) -> None:
    rules = SiteRules(
        min_call_rate=0.99,
        min_maf=0.01,
        max_sites=100_000,
        max_r2=max_r2,
        window_bases=WINDOW_KILOBASES * 1_000,
        max_ld_samples=N_SAMPLES,
        leave_out_long_range_ld=False,
    )
    with start_run(exomes.warehouse, "choose") as run:
        members = {"c": np.arange(samples)}
        sites = choose_sites(run, members, {"c": N_SAMPLES}, warehouse_build(exomes.warehouse), rules)
    ours = {"{contig}:{position}:{ref}:{alt}".format(**row).removeprefix("chr") for row in sites.to_pylist()}
    assert len(ours) > 5_000
    assert ours == kept_by_plink(oracle("plink2"), exomes.files[0], tmp_path, samples, max_r2)
