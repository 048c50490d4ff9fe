"""Quantitative phenotypes against statsmodels, Hail and values that Hail's authors computed in R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from pyspark.sql import SparkSession
from threadpoolctl import threadpool_limits

from allofus_spark import regression
from allofus_spark.hail_bridge import start_hail
from allofus_spark.regression import Covariates, fit_models
from allofus_spark.regression import Tests as Outcomes
from allofus_spark.regression.models import STATUS_NAMES
from tests.regression.cohorts import batch, covariates, imputed, no_covariates, quantitative, rules

from .regressions import Study, bi_allelic_calls, by_hail, glow, table, write_vcf

OK, PERFECT_FIT = STATUS_NAMES.index("ok"), STATUS_NAMES.index("perfect_fit")


@pytest.fixture(scope="module")
def study(realdata: Path) -> Study:
    """Real genomes of 3,202 people, 2 % of the calls set to missing; phenotypes of many scales."""
    folder = realdata / "multisample"
    _, calls = bi_allelic_calls(folder / "1kgp_hc_3202_chr1_10390-66441.grch38.vcf.gz")
    random = np.random.default_rng(12)
    calls = calls[::3]
    calls[random.random(calls.shape) < 0.02] = 3
    n_people = calls.shape[1]
    age = random.normal(50, 12, n_people)
    given = covariates(
        age=age, sex=random.random(n_people) < 0.5, age2=age**2, pc1=random.normal(size=n_people) / 1000
    )
    given.values[:3, 3] = np.nan
    causal = int(np.argmax(((calls == 1) | (calls == 2)).sum(axis=1)))
    phenotypes = {}
    for place in range(8):
        values = random.normal(size=n_people) + 0.02 * age + 0.3 * place * imputed(calls[causal])
        values[random.random(n_people) < 0.08 * place] = np.nan
        phenotypes[f"q{place}"] = values
    phenotypes["large"] = 1e8 + 1e6 * phenotypes["q2"]
    phenotypes["small"] = 1e-9 * phenotypes["q3"]
    men = phenotypes["q1"].copy()
    men[given.values[:, 1] == 0] = np.nan
    phenotypes["men"] = men
    return Study(calls, given, phenotypes)


@pytest.fixture(scope="module")
def outcomes(study: Study) -> Outcomes:
    phenotypes = [quantitative(values, name) for name, values in study.phenotypes.items()]
    with threadpool_limits(1):
        return regression.test_variants(fit_models(phenotypes, study.covariates, rules()), batch(study.calls))


def test_beta_error_and_p_equal_statsmodels(study: Study, outcomes: Outcomes) -> None:
    compared = 0
    for column, (name, values) in enumerate(study.phenotypes.items()):
        people = np.isfinite(values) & np.isfinite(study.covariates.values).all(axis=1)
        given = study.covariates.values[people]
        given = given[:, np.ptp(given, axis=0) > 0]
        given = (given - given.mean(axis=0)) / given.std(axis=0)
        for row in range(column, len(study.calls), 23):
            if outcomes.status[row, column] != OK:
                continue
            design = np.column_stack([np.ones(len(given)), given, imputed(study.calls[row, people])])
            fitted = sm.OLS(values[people], design).fit()
            se, compared = fitted.bse[-1], compared + 1
            assert outcomes.beta[row, column] == pytest.approx(fitted.params[-1], abs=1e-6 * se), name
            assert outcomes.se[row, column] == pytest.approx(se, rel=1e-6), name
            p = -np.log10(fitted.pvalues[-1])
            assert np.isinf(p) or outcomes.neg_log10_p[row, column] == pytest.approx(p, rel=1e-6), name
    assert compared > 100
    assert np.nanmax(outcomes.neg_log10_p) > 100


@pytest.mark.long
def test_beta_error_and_p_equal_hails(
    spark: SparkSession, study: Study, outcomes: Outcomes, tmp_path: Path
) -> None:
    start_hail(spark, "GRCh37")
    import hail as hl

    some = np.arange(0, len(study.calls), 5)
    chosen = ("q0", "q3", "q6", "large")

    def ask(phenotypes: list[Any], dosage: Any, given: list[Any]) -> Any:
        return hl.linear_regression_rows([[phenotype] for phenotype in phenotypes], dosage, given)

    vcf = write_vcf(tmp_path / "some.vcf", study.calls[some])
    rows = by_hail(hl, vcf, [study.phenotypes[name] for name in chosen], study.covariates, ask)
    assert len(rows) == len(some)
    columns = [list(study.phenotypes).index(name) for name in chosen]
    compared = 0
    for row, place in zip(rows, some, strict=True):
        for group, column in enumerate(columns):
            if outcomes.status[place, column] != OK:
                continue
            beta, se = row.beta[group][0], row.standard_error[group][0]
            compared += 1
            assert outcomes.beta[place, column] == pytest.approx(beta, abs=1e-6 * se)
            assert outcomes.se[place, column] == pytest.approx(se, rel=1e-6)
            p = row.p_value[group][0]
            assert p == 0 or outcomes.neg_log10_p[place, column] == pytest.approx(
                -np.log10(p), rel=1e-6, abs=1e-9
            )
    assert compared > 100


def test_values_from_r(realdata: Path) -> None:
    """Eight people, of whom six have a phenotype and covariates; ten sites with missing calls."""
    folder = realdata / "peer_assoc" / "hail"
    expected = json.loads((folder / "expected_linear_from_R.json").read_text())
    people, calls = bi_allelic_calls(folder / "regressionLinear.vcf")
    given = {row["Sample"]: row for row in table(folder / "regressionLinear.cov")}
    traits = table(folder / "regressionLinear.pheno")
    values = {row["Sample"]: float(row["Pheno"]) for row in traits if row["Pheno"] != "0"}  # 0: missing there
    names = ("Cov1", "Cov2")
    known = np.array([[float(given[p][n]) if p in given else np.nan for n in names] for p in people])
    models = fit_models(
        [quantitative([values.get(person, np.nan) for person in people])], Covariates(names, known), rules()
    )
    assert models.fits[0].n_people == 6
    found = regression.test_variants(models, batch(calls))
    compared = 0
    for position, row in expected["test_linear_regression_with_cov"]["rows"].items():
        place = int(position) - 1
        if any(column["value"] is None or np.isnan(column["value"]) for column in row.values()):
            assert found.status[place, 0] != OK
            continue
        compared += 1
        assert found.beta[place, 0] == pytest.approx(row["beta"]["value"], abs=1e-6)
        assert found.se[place, 0] == pytest.approx(row["standard_error"]["value"], abs=1e-6)
        assert 10 ** -found.neg_log10_p[place, 0] == pytest.approx(row["p_value"]["value"], abs=1e-6)
    assert compared >= 2


def test_glows_traits_equal_statsmodels(realdata: Path) -> None:
    study = glow(realdata)
    traits = {name: values for name, values in study.phenotypes.items() if name.startswith("Continuous")}
    models = fit_models([quantitative(v, name) for name, v in traits.items()], study.covariates, rules())
    found = regression.test_variants(models, batch(study.calls))
    for column, values in enumerate(traits.values()):
        for row, calls in enumerate(study.calls):
            design = sm.add_constant(np.column_stack([study.covariates.values, calls]))
            fitted = sm.OLS(values, design).fit()
            assert found.beta[row, column] == pytest.approx(fitted.params[-1], abs=1e-9 * fitted.bse[-1])
            assert found.se[row, column] == pytest.approx(fitted.bse[-1], rel=1e-9)
            assert found.neg_log10_p[row, column] == pytest.approx(-np.log10(fitted.pvalues[-1]), rel=1e-9)


def test_case_21_missing_and_useless_covariates(cases: Path) -> None:
    folder = cases / "21_covariates_and_phenotype_coding"
    expected = json.loads((folder / "expected.json").read_text())[
        "bmi ~ 1 + g + age (+ sex_const + age_months)"
    ]
    people, calls = bi_allelic_calls(folder / "input.vcf")
    rows = {row["sample"]: row for row in table(folder / "pheno.tsv")}

    def column(name: str) -> list[float]:
        return [float(text) if (text := rows[p][name]) not in ("", "NA") else np.nan for p in people]

    given = covariates(**{name: column(name) for name in ("age", "sex_const", "age_months")})
    models = fit_models([quantitative(column("bmi"))], given, rules())
    fit = models.fits[0]
    assert fit.n_people == expected["n"]
    assert [name for name, _ in fit.dropped] == expected["dropped_covariates"]
    found = regression.test_variants(models, batch(calls))
    assert found.beta[0, 0] == pytest.approx(expected["beta"], rel=1e-9)
    assert found.se[0, 0] == pytest.approx(expected["se"], rel=1e-9)
    assert 10 ** -found.neg_log10_p[0, 0] == pytest.approx(expected["p"], rel=1e-8)
    assert models.linear[0].degrees == expected["df"]


def test_case_22_perfect_fit(cases: Path) -> None:
    rows = table(cases / "22_p_underflow" / "perfect_fit.tsv")
    copies = np.array([int(row["g"]) for row in rows])
    models = fit_models([quantitative([float(row["y"]) for row in rows])], no_covariates(len(rows)), rules())
    found = regression.test_variants(models, batch(copies[None]))
    assert found.status.tolist() == [[PERFECT_FIT]]
    assert found.beta[0, 0] == pytest.approx(2, rel=1e-12)
    assert np.isnan([found.se[0, 0], found.neg_log10_p[0, 0]]).all()
