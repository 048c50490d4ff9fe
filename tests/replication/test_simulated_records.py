"""The demo's simulated records say what was planted: read back by plain pandas, tested by statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tests.replication.conftest import omop_table
from tools import health_records as records
from tools.cohort_files import Cohort, read_samples
from tools.omop_files import CODE_FILE


@pytest.fixture(scope="module")
def copies(cohort: Cohort) -> dict[str, np.ndarray]:
    ids = [person.sample_id for person in read_samples(cohort.samples)]
    keys = {effect.key for effect in records.read_effects()} | set(records.LDL_EFFECTS)
    return records.read_copies(cohort.vcf, ids, keys)


def test_records_of_a_seed_are_the_same_each_time(made, cohort, tmp_path):
    again = records.make_health_records(cohort, tmp_path)
    for path in sorted(made.omop.iterdir()):
        assert (again.omop / path.name).read_bytes() == path.read_bytes(), path.name
    other = records.make_health_records(cohort, tmp_path / "other", seed=1)
    name = "condition_occurrence.csv.gz"
    assert (other.omop / name).read_bytes() != (made.omop / name).read_bytes()


def covariates(made) -> pd.DataFrame:
    person = omop_table(made, "person").set_index("person_id")
    return pd.DataFrame(
        {
            "const": 1.0,
            "age": 2025 - person["year_of_birth"],
            "male": (person["gender_concept_id"] == 8507) * 1.0,
        }
    )


def test_a_third_of_the_people_has_each_disease(statuses):
    cases = (statuses == 1).sum()
    assert len(cases) == len({effect.phecode for effect in records.read_effects()})
    assert cases.between(0.28 * 2504, 0.35 * 2504).all()


def test_planted_odds_ratios_are_recovered_within_their_standard_errors(made, statuses, copies):
    """All effects of a disease in one model, as they were planted; z over all effects is standard normal."""
    plain = covariates(made)
    z = []
    for phecode, effects in pd.DataFrame(records.read_effects()).groupby("phecode"):
        design = plain.copy()
        for effect in effects.itertuples(index=False):
            alt = copies[effect.key].astype(float)
            design[effect.key] = alt if effect.risk_is_alt else 2 - alt
        is_known = statuses[phecode].notna().to_numpy()
        fit = sm.Logit(statuses[phecode][is_known], design[is_known]).fit(disp=0)
        z += [
            (fit.params[effect.key] - effect.log_odds) / fit.bse[effect.key]
            for effect in effects.itertuples()
        ]
    z = np.array(z)
    assert len(z) == 30
    assert np.abs(z).max() < 3.3
    assert abs(z.mean()) < 3 / np.sqrt(len(z))
    assert 0.65 < np.sqrt((z**2).mean()) < 1.35


def test_planted_changes_of_ldl_are_recovered_within_their_standard_errors(made, copies):
    rows = omop_table(made, "measurement")
    value = np.where(
        rows["unit_source_value"] == "mmol/L", rows["value_as_number"] * 38.67, rows["value_as_number"]
    )
    possible = rows.assign(value=value)[value < 1_000]
    assert 0 < len(rows) - len(possible) < 0.02 * len(rows)
    medians = possible.groupby("person_id")["value"].median()
    design = covariates(made)
    for key in records.LDL_EFFECTS:
        design[key] = copies[key].astype(float)
    fit = sm.OLS(medians, design.loc[medians.index]).fit()
    for key, effect in records.LDL_EFFECTS.items():
        assert abs(fit.params[key] - effect) < 3 * fit.bse[key]
        assert fit.pvalues[key] < 0.001


def test_codes_are_those_of_their_time_and_lie_in_the_persons_period(made):
    periods = omop_table(made, "observation_period")
    rows = (
        omop_table(made, "condition_occurrence")
        .merge(periods, on="person_id")
        .merge(omop_table(made, "concept"), left_on="condition_source_concept_id", right_on="concept_id")
    )
    day = rows["condition_start_date"]
    assert (day.between(rows["observation_period_start_date"], rows["observation_period_end_date"])).all()
    assert set(rows["vocabulary_id"][day >= "2015-10-01"]) == {"ICD10CM"}
    assert set(rows["vocabulary_id"][day < "2015-10-01"]) == {"ICD9CM"}
    assert (
        rows["condition_source_value"].str.replace(".", "") == rows["concept_code"].str.replace(".", "")
    ).all()


def test_every_code_means_one_phecode_and_every_known_phenotype_has_codes():
    codes = pd.read_csv(CODE_FILE, sep="\t", dtype=str)
    known = pd.read_csv(records.KNOWN_FILE, sep="\t", dtype=str)
    assert not codes.duplicated(["flag", "ICD"]).any()
    for _, flagged in codes.groupby("flag"):
        assert set(flagged["phecode"]) == set(known["phecode"])


def test_the_demos_known_associations_are_the_published_ones(realdata):
    """Each is a line of the Phenotype-Genotype Reference Map, to the digits that are given."""
    published = pd.read_csv(realdata / "pheno_pgrm" / "PGRM_ALL.csv", dtype=str)
    own = pd.read_csv(records.KNOWN_FILE, sep="\t", dtype=str)
    keys = ["rsID", "phecode", "ancestry"]
    both = own.merge(published, on=keys, suffixes=("", "_map"))
    assert len(both) == len(own)
    for name in ("SNP_hg38", "risk_allele_dir", "risk_allele", "Study_accession", "pubmedid"):
        assert (both[name] == both[f"{name}_map"]).all(), name
    for name in ("cat_OR", "cat_L95", "cat_U95", "cat_LOG10_P"):
        assert np.allclose(both[name].astype(float), both[f"{name}_map"].astype(float), atol=6e-4), name
