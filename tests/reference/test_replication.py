"""Power and replication against published values: Bastarache et al., Nat Genet 2022;54:1609.

The authors' summary statistics of three cohorts (package pgrm at commit a524c5d359f5) are judged by the code
that judges our own scans. Tested, replicated and powered associations, the rate among powered ones, and the
ratio of actual to expected replications are those that their package prints.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from allofus_spark.replication.judge import KnownEffects, ObservedEffects, judge, rates
from allofus_spark.settings import ReplicationSettings


class Published(NamedTuple):
    tested: int
    replicated: int
    powered: int
    rate_powered: float
    actual_to_expected: float


COHORTS = {
    "BBJ": ("SNP_hg19", "EAS", Published(384, 205, 219, 0.767, 0.782)),
    "BioVU_EUR": ("SNP_hg19", "EUR", Published(3268, 1354, 853, 0.763, 0.807)),
    "UKBB": ("SNP_hg38", "EUR", Published(2238, 1274, 853, 0.852, 0.941)),
}


def read_cohort(folder: Path, cohort: str) -> pd.DataFrame:
    """Tests of a cohort beside what is known: not the known associations that came from it."""
    key, ancestry, _ = COHORTS[cohort]
    path = folder / f"results_{cohort}.csv"
    delimiter = "," if "," in path.read_text().partition("\n")[0] else " "
    tests = pd.read_csv(path, sep=delimiter, quoting=csv.QUOTE_MINIMAL, dtype={"phecode": str})
    known = pd.read_csv(folder / "PGRM_ALL.csv", dtype={"phecode": str})
    known = known[known["ancestry"] == ancestry].merge(pd.read_csv(folder / "PGRM_AF.csv"), on="SNP_hg19")
    known = known.assign(SNP=known[key], alt_frequency=known[f"{ancestry}_RAF"])
    joined = tests.merge(known, on=["SNP", "phecode"])
    return joined[joined["cohort_match"] == 0]


def judged(rows: pd.DataFrame):
    risk_is_alt = (rows["risk_allele_dir"] == "alt").to_numpy()
    alt = rows["alt_frequency"].to_numpy()
    known = KnownEffects(
        risk_is_alt,
        np.where(risk_is_alt, alt, 1 - alt),
        rows["cat_L95"].to_numpy(),
        rows["cat_U95"].to_numpy(),
    )
    with np.errstate(divide="ignore"):
        neg_log10_p = -np.log10(rows["P"].to_numpy())
    tested = ObservedEffects(
        rows["cases"].to_numpy(float),
        rows["controls"].to_numpy(float),
        rows["odds_ratio"].to_numpy(),
        rows["L95"].to_numpy(),
        rows["U95"].to_numpy(),
        neg_log10_p,
    )
    return judge(known, tested, ReplicationSettings())


@pytest.mark.parametrize("cohort", COHORTS)
def test_the_published_rates_of_a_cohort(realdata: Path, cohort: str):
    published = COHORTS[cohort][2]
    found = rates(judged(read_cohort(realdata / "pheno_pgrm", cohort)))
    assert (found.tested, found.replicated, found.powered) == published[:3]
    assert round(found.rate_powered, 3) == published.rate_powered
    assert round(found.rate_to_expected, 3) == published.actual_to_expected
