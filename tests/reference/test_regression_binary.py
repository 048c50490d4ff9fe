"""Binary phenotypes against Hail, PLINK 2, regenie and statsmodels, on sets that those projects publish."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from pyspark.sql import SparkSession
from threadpoolctl import threadpool_limits

from allofus_spark import regression
from allofus_spark.hail_bridge import start_hail
from allofus_spark.regression import Models, fit_models
from allofus_spark.regression.models import STATUS_NAMES, TEST_NAMES
from allofus_spark.regression.p_values import neg_log10_p_of_chi2, neg_log10_p_of_z, z_of_neg_log10_p
from tests.regression.cohorts import batch, binary, covariates, rules

from .regressions import (
    Study,
    bi_allelic_calls,
    by_hail,
    epacts,
    firth_by_plink,
    glow,
    regenie,
    table,
    write_vcf,
)

pytestmark = pytest.mark.long


EXACT, APPROXIMATE = TEST_NAMES.index("firth_exact"), TEST_NAMES.index("firth_approximate")
OK, NO_VARIATION = STATUS_NAMES.index("ok"), STATUS_NAMES.index("no_variation")
SETS = ("epacts", "glow", "regenie")


@pytest.fixture(scope="module")
def hail(spark: SparkSession) -> Any:
    start_hail(spark, "GRCh37")
    import hail as hl

    return hl


@pytest.fixture(scope="module", params=SETS)
def study(request: pytest.FixtureRequest, realdata: Path) -> Study:
    """A study with one binary phenotype."""
    if request.param == "epacts":
        return epacts(realdata)
    if request.param == "glow":
        whole = glow(realdata)
        return Study(whole.calls, whole.covariates, {"case": whole.phenotypes["Binary_Trait_3"]})
    whole, _ = regenie(realdata)
    return Study(whole.calls[::9], whole.covariates, whole.phenotypes)


@pytest.fixture(scope="module")
def vcf(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vcf(tmp_path_factory.mktemp("study") / "study.vcf", study.calls)


def _models(study: Study, **changed: Any) -> Models:
    phenotypes = [binary(values, name) for name, values in study.phenotypes.items()]
    with threadpool_limits(1):
        return fit_models(phenotypes, study.covariates, rules(**changed))


def _hail(hail: Any, vcf: Path, study: Study, test: str) -> list[Any]:
    def ask(phenotypes: list[Any], dosage: Any, given: list[Any]) -> Any:
        return hail.logistic_regression_rows(
            test, phenotypes[0], dosage, given, max_iterations=100, tolerance=1e-12
        )

    return by_hail(hail, vcf, list(study.phenotypes.values()), study.covariates, ask)


def test_score_equals_hails(hail: Any, vcf: Path, study: Study) -> None:
    found = regression.test_variants(_models(study, firth_below_p=0, firth_below_mac=0), batch(study.calls))
    chi2 = z_of_neg_log10_p(found.neg_log10_p[:, 0]) ** 2
    rows = _hail(hail, vcf, study, "score")
    assert len(rows) == len(chi2) > 0
    for row, ours, beta, se in zip(rows, chi2, found.beta[:, 0], found.se[:, 0], strict=True):
        assert (beta / se) ** 2 == pytest.approx(row.chi_sq_stat, rel=1e-8, abs=1e-12)
        assert ours == pytest.approx(row.chi_sq_stat, rel=1e-8, abs=1e-12)


def test_exact_firth_has_hails_likelihood_ratio(hail: Any, vcf: Path, study: Study) -> None:
    found = _exact(study)
    rows = _hail(hail, vcf, study, "firth")
    assert (found.status == OK).all()
    compared = 0
    for place, row in enumerate(rows):
        if not row.fit.converged or row.fit.exploded:
            assert found.ac[place, 0] <= 2  # Hail's steps overshoot where one person carries the allele
            continue
        compared += 1
        chi2 = float(z_of_neg_log10_p(found.neg_log10_p[place, 0]) ** 2)
        assert found.beta[place, 0] == pytest.approx(row.beta, rel=1e-4, abs=1e-4 * found.se[place, 0])
        assert chi2 == pytest.approx(row.chi_sq_stat, rel=1e-4, abs=1e-4)
    assert compared >= len(rows) / 2


def test_exact_firth_has_plinks_beta_and_error(
    oracle: Callable[[str], str], vcf: Path, study: Study, tmp_path: Path
) -> None:
    found = _exact(study)
    (cases,) = study.phenotypes.values()
    theirs = firth_by_plink(oracle("plink2"), tmp_path, vcf, cases, study.covariates)
    assert len(theirs) == len(study.calls)
    for place in range(len(study.calls)):
        beta, se = theirs[f"v{place}"]
        assert found.se[place, 0] == pytest.approx(se, rel=1e-3)
        assert found.beta[place, 0] == pytest.approx(beta, abs=1e-3 * se)


def _exact(study: Study) -> regression.Tests:
    rows = np.arange(len(study.calls))
    with threadpool_limits(1):
        return regression.refit(_models(study), batch(study.calls), rows, np.zeros_like(rows))


def test_common_variants_score_near_statsmodels_wald(realdata: Path) -> None:
    """Another statistic of the same model: beta of the full fit within a tenth of its error."""
    study = epacts(realdata)
    found = regression.test_variants(_models(study, firth_below_p=0, firth_below_mac=0), batch(study.calls))
    (cases,) = study.phenotypes.values()
    compared = 0
    for place, calls in enumerate(study.calls):
        if calls.sum() < 200:
            continue
        design = sm.add_constant(np.column_stack([study.covariates.values, calls]))
        fitted = sm.Logit(cases, design).fit(disp=0)
        assert found.beta[place, 0] == pytest.approx(fitted.params[-1], abs=0.1 * fitted.bse[-1])
        assert found.se[place, 0] == pytest.approx(fitted.bse[-1], rel=0.05)
        compared += 1
    assert compared == 3


def test_approximate_firth_equals_regenies_example(realdata: Path) -> None:
    """regenie --bt --firth --approx --pThresh 0.01, 494 people, without predictions of a first step."""
    study, theirs = regenie(realdata)
    models = _models(study, firth_below_p=0.01, firth_below_mac=1)
    found = regression.test_variants(models, batch(study.calls))
    assert len(theirs) == len(study.calls) == 1000
    assert (found.test == APPROXIMATE).sum() == 20
    column = {
        name: np.array([float(row[name]) for row in theirs]) for name in ("LOG10P", "BETA", "SE", "A1FREQ")
    }
    np.testing.assert_allclose(found.neg_log10_p[:, 0], column["LOG10P"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(found.beta[:, 0], column["BETA"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(found.se[:, 0], column["SE"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(found.ac[:, 0] / found.an[:, 0], column["A1FREQ"], rtol=0, atol=1e-6)


def test_case_20_separation_and_no_variation(cases: Path) -> None:
    folder = cases / "20_firth_separation_monomorphic"
    expected = json.loads((folder / "expected.json").read_text())
    people, calls = bi_allelic_calls(folder / "input.vcf")
    rows = {row["sample"]: row for row in table(folder / "pheno.tsv")}
    models = fit_models(
        [binary([float(rows[person]["case"]) for person in people])],
        covariates(age=[float(rows[person]["age"]) for person in people]),
        rules(),
    )
    fit = models.fits[0]
    assert (fit.n_people, fit.n_cases, fit.n_controls) == (60, 20, 40)
    scanned = regression.test_variants(models, batch(calls))
    exact = regression.refit(models, batch(calls), range(len(calls)), [0] * len(calls))
    for place, variant in enumerate(expected["variants"].values()):
        assert (exact.ac[place, 0], exact.an[place, 0]) == (variant["AC"], variant["AN"])
        assert (scanned.ac[place, 0], scanned.an[place, 0]) == (variant["AC"], variant["AN"])
        if "firth" not in variant:
            for outcomes in (scanned, exact):
                assert outcomes.status[place, 0] == NO_VARIATION
                assert np.isnan(outcomes.neg_log10_p[place, 0])
            continue
        firth = variant["firth"]
        assert exact.test[place, 0] == EXACT
        assert exact.beta[place, 0] == pytest.approx(firth["beta"], rel=1e-3)
        assert exact.se[place, 0] == pytest.approx(firth["se"], rel=1e-3)
        assert 10 ** -exact.neg_log10_p[place, 0] == pytest.approx(firth["p_lrt"], rel=1e-2)
        wald = neg_log10_p_of_z(exact.beta[place, 0] / exact.se[place, 0])
        assert 10 ** -float(wald) == pytest.approx(firth["p_wald"], rel=1e-2)
        assert np.isfinite(scanned.neg_log10_p[place, 0])


def test_case_21_coded_as_controls_and_cases(cases: Path) -> None:
    folder = cases / "21_covariates_and_phenotype_coding"
    expected = json.loads((folder / "expected.json").read_text())["cc12 logistic ~ 1 + g + age"]
    people, calls = bi_allelic_calls(folder / "input.vcf")
    rows = {row["sample"]: row for row in table(folder / "pheno.tsv")}

    def number(text: str) -> float:
        return float(text) if text not in ("", "NA") else np.nan

    coding = {1.0: 0.0, 2.0: 1.0}
    study = Study(
        calls,
        covariates(
            **{name: [number(rows[p][name]) for p in people] for name in ("age", "sex_const", "age_months")}
        ),
        {"cc12": np.array([coding.get(number(rows[p]["cc12"]), np.nan) for p in people])},
    )
    models = _models(study, firth_below_p=0, firth_below_mac=0)
    fit = models.fits[0]
    assert (fit.n_people, fit.n_cases, fit.n_controls) == (
        expected["n"],
        expected["cases"],
        expected["controls"],
    )
    assert fit.dropped == (("sex_const", "constant"), ("age_months", "collinear with age"))
    found = regression.test_variants(models, batch(calls))
    p = float(neg_log10_p_of_chi2(float(z_of_neg_log10_p(found.neg_log10_p[0, 0])) ** 2))
    assert 10**-p == pytest.approx(expected["p_lrt"], abs=2e-3)
    assert found.beta[0, 0] == pytest.approx(expected["beta"], abs=2e-3)
