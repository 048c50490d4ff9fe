"""Phenotypes on covariates: who is analysed, which covariates count, and what is not scanned."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from allofus_spark import regression
from allofus_spark.regression import Covariates, fit_models

from .cohorts import batch, binary, covariates, no_covariates, quantitative, random_calls, rules

N = 400


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(11)


def test_people_without_a_covariate_are_counted_apart(random: np.random.Generator) -> None:
    age, values = random.normal(50, 10, N), random.normal(size=N)
    age[:7], values[5:15] = np.nan, np.nan
    (fit,) = fit_models([quantitative(values)], covariates(age=age), rules()).fits
    assert (fit.n_people, fit.n_no_covariate, fit.status) == (N - 15, 5, "scanned")


def test_what_is_constant_or_explained_by_earlier_ones_is_dropped_with_a_reason(
    random: np.random.Generator,
) -> None:
    age, sex, bmi = random.normal(50, 10, N), random.integers(0, 2, N), random.normal(25, 4, N)
    given = covariates(
        one=np.full(N, 3.3),
        age=age,
        sex=sex,
        months=12 * age,
        bmi=bmi,
        mix=1e6 * bmi - age + 7,
        squared=age**2,
    )
    (fit,) = fit_models([quantitative(random.normal(size=N))], given, rules()).fits
    assert fit.covariates == ("age", "sex", "bmi", "squared")
    assert fit.dropped == (
        ("one", "constant"),
        ("months", "collinear with age"),
        ("mix", "collinear with age, bmi"),
    )


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_what_counts_does_not_hang_on_units(random: np.random.Generator, scale: float) -> None:
    age = random.normal(50, 10, N)
    given = covariates(age=age * scale, almost=age * scale * (1 + 1e-4 * random.normal(size=N)), same=age)
    (fit,) = fit_models([quantitative(random.normal(size=N))], given, rules()).fits
    assert fit.covariates == ("age", "almost")


def test_a_covariate_constant_among_a_phenotypes_people_is_dropped_there_alone(
    random: np.random.Generator,
) -> None:
    sex = np.repeat([0.0, 1.0], N // 2)
    everybody, men = random.normal(size=N), random.normal(size=N)
    men[sex == 0] = np.nan
    fits = fit_models(
        [quantitative(everybody), quantitative(men), binary(np.where(sex == 1, men > 0, np.nan))],
        covariates(sex=sex, age=random.normal(size=N)),
        rules(),
    ).fits
    assert [fit.covariates for fit in fits] == [("sex", "age"), ("age",), ("age",)]
    assert [fit.dropped for fit in fits] == [(), (("sex", "constant"),), (("sex", "constant"),)]


def test_each_reason_not_to_scan_and_none_stops_the_others(random: np.random.Generator) -> None:
    few, few_controls = np.zeros(N), np.ones(N)
    few[:4], few_controls[:4] = 1, 0
    few_measured = np.full(N, np.nan)
    few_measured[:9] = random.normal(size=9)
    age = random.normal(50, 10, N)
    nobody = np.full(N, np.nan)
    phenotypes = [
        binary(few, "few"),
        binary(few_controls, "few_controls"),
        binary(nobody, "nobody"),
        quantitative(few_measured, "few_measured"),
        quantitative(np.full(N, 2.0), "constant"),
        quantitative(3 * age + 1, "age"),
        quantitative(random.normal(size=N), "good"),
        binary(random.random(N) < 0.3, "good_binary"),
    ]
    models = fit_models(phenotypes, covariates(age=age), rules(min_cases=5, min_people=10))
    assert {fit.phenotype_id: fit.status for fit in models.fits} == {
        "few": "too_few_cases",
        "few_controls": "too_few_controls",
        "nobody": "too_few_cases",
        "few_measured": "too_few_people",
        "constant": "constant",
        "age": "constant",
        "good": "scanned",
        "good_binary": "scanned",
    }
    tests = regression.test_variants(models, batch(random_calls(random, 20, N)))
    assert tests.beta.shape == (20, 2)
    assert [fit.phenotype_id for fit in models.tested] == ["good", "good_binary"]


def test_all_covariates_missing_for_everybody(random: np.random.Generator) -> None:
    given = Covariates(("age", "sex"), np.full((N, 2), np.nan))
    phenotypes = [quantitative(random.normal(size=N)), binary(random.random(N) < 0.5)]
    models = fit_models(phenotypes, given, rules())
    assert [(fit.n_people, fit.n_no_covariate) for fit in models.fits] == [(0, N), (0, N)]
    assert [fit.status for fit in models.fits] == ["too_few_people", "too_few_cases"]
    assert regression.test_variants(models, batch(random_calls(random, 5, N))).beta.shape == (5, 0)


def test_covariates_that_separate_cases_still_leave_a_model(random: np.random.Generator) -> None:
    """No likelihood has a maximum here; the penalised one has."""
    age = random.normal(50, 10, N)
    models = fit_models([binary(age > 55)], covariates(age=age), rules())
    assert models.fits[0].status == "scanned"
    tests = regression.test_variants(models, batch(random_calls(random, 30, N)))
    assert np.isfinite(tests.neg_log10_p[tests.status == 0]).all()


def test_models_are_small_and_travel(random: np.random.Generator) -> None:
    given = Covariates(tuple("abcdefgh"), random.normal(size=(4000, 8)))
    phenotypes = [quantitative(random.normal(size=4000), f"q{i}") for i in range(32)]
    phenotypes += [binary(random.random(4000) < 0.2, f"b{i}") for i in range(32)]
    models = fit_models(phenotypes, given, rules())
    calls = batch(random_calls(random, 40, 4000))
    before = regression.test_variants(models, calls)
    sent = pickle.dumps(models)
    # 32 columns of residuals and 16 of covariates in doubles, 32 of cases in bytes.
    assert len(sent) < 1.1 * 4000 * (8 * (32 + 16) + 32)
    after = regression.test_variants(pickle.loads(sent), calls)
    np.testing.assert_array_equal(before.neg_log10_p, after.neg_log10_p)


def test_wrong_input_is_named(random: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="binary phenotype b has values other than 0 and 1"):
        fit_models([binary([1, 2, 1])], no_covariates(3), rules())
    with pytest.raises(ValueError, match=r"phenotype q has \(2,\) values, the covariates 3"):
        fit_models([quantitative([1, 2])], no_covariates(3), rules())
    models = fit_models([quantitative(random.normal(size=N))], no_covariates(N), rules())
    with pytest.raises(ValueError, match="calls are of 10 people, the models of 400"):
        regression.test_variants(models, batch(random_calls(random, 2, 10)))


@pytest.mark.parametrize("factor", [2.0**-1000, 2.0**990])
def test_values_of_any_size_are_scanned(random: np.random.Generator, factor: float) -> None:
    """Squares of the values are 0 or infinite; measures are those of the values of size 1, to the bit."""
    values = random.normal(size=60)
    calls = batch(random_calls(random, 8, 60))
    expected, found = (
        regression.test_variants(fit_models([quantitative(values * size)], no_covariates(60), rules()), calls)
        for size in (1.0, factor)
    )
    assert np.array_equal(found.neg_log10_p, expected.neg_log10_p, equal_nan=True)
    assert np.array_equal(found.beta, expected.beta * factor, equal_nan=True)
    assert np.isfinite(found.beta).any()
