"""Laws of the tests of variants: whatever the people's order, the alleles, the encoding or the company."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from allofus_spark import regression
from allofus_spark.regression import Covariates, Phenotype, fit_models
from allofus_spark.regression import Tests as Outcomes  # pytest would collect the other name
from allofus_spark.regression.models import STATUS_NAMES, TEST_NAMES

from .cohorts import (
    batch,
    binary,
    covariates,
    dense,
    no_covariates,
    quantitative,
    random_calls,
    rules,
    sparse,
)

SEEDS = st.integers(0, 2**32 - 1)
STATUS = {name: place for place, name in enumerate(STATUS_NAMES)}
TEST = {name: place for place, name in enumerate(TEST_NAMES)}


def _cohort(seed: int, n_people: int = 230) -> tuple[np.ndarray, list[Phenotype], Covariates]:
    """Calls, twelve phenotypes of both kinds with patterns of their own, and three covariates."""
    random = np.random.default_rng(seed)
    given = Covariates(("age", "sex", "pc1"), random.normal(size=(n_people, 3)))
    given.values[:, 1] = random.random(n_people) < 0.5
    given.values[:2, 0] = np.nan
    phenotypes = []
    for place in range(6):
        values = random.normal(size=n_people) * 10.0**place
        values[random.random(n_people) < 0.1 * place] = np.nan
        cases = (random.random(n_people) < 0.5 - 0.06 * place).astype(float)
        cases[random.random(n_people) < 0.1 * (place % 3)] = np.nan
        phenotypes += [quantitative(values, f"q{place}"), binary(cases, f"b{place}")]
    phenotypes[4].values[given.values[:, 1] == 1] = np.nan
    return random_calls(random, 40, n_people), phenotypes, given


def _equal(found: Outcomes, expected: Outcomes, columns: list[int]) -> None:
    for field in fields(Outcomes):
        np.testing.assert_array_equal(
            getattr(found, field.name), getattr(expected, field.name)[:, columns], err_msg=field.name
        )


def _close(found: Outcomes, expected: Outcomes, sign: float = 1.0) -> None:
    for name in ("test", "status", "an", "an_cases"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    np.testing.assert_allclose(
        found.beta / expected.se, sign * expected.beta / expected.se, rtol=0, atol=1e-9
    )
    np.testing.assert_allclose(found.se, expected.se, rtol=1e-9)
    # Where the estimate is next to nought, 1e-9 of beta / se moves log10 p by sqrt(2 / pi) / ln 10 of that.
    np.testing.assert_allclose(found.neg_log10_p, expected.neg_log10_p, rtol=1e-9, atol=3.5e-10)


@settings(max_examples=15)
@given(seed=SEEDS, data=st.data())
def test_company_changes_no_bit(seed: int, data: st.DataObject) -> None:
    calls, phenotypes, given_covariates = _cohort(seed)
    whole = regression.test_variants(fit_models(phenotypes, given_covariates, rules()), batch(calls))
    chosen = data.draw(st.lists(st.integers(0, len(phenotypes) - 1), min_size=1, unique=True))
    some = fit_models([phenotypes[place] for place in chosen], given_covariates, rules())
    _equal(regression.test_variants(some, batch(calls)), whole, chosen)


def test_company_of_hundreds_changes_no_bit() -> None:
    """More phenotypes than are multiplied at once, and a memory for few of them."""
    calls, _, given_covariates = _cohort(5, 700)
    random = np.random.default_rng(5)
    phenotypes = [quantitative(random.normal(size=700), f"q{place}") for place in range(300)]
    phenotypes += [binary(random.random(700) < 0.3, f"b{place}") for place in range(40)]
    whole = regression.test_variants(fit_models(phenotypes, given_covariates, rules()), batch(calls))
    tight = fit_models(phenotypes, given_covariates, rules(model_bytes=1 << 20))
    _equal(regression.test_variants(tight, batch(calls)), whole, list(range(340)))
    for place in (0, 129, 299, 339):
        alone = fit_models([phenotypes[place]], given_covariates, rules())
        _equal(regression.test_variants(alone, batch(calls)), whole, [place])


@settings(max_examples=15)
@given(SEEDS)
@example(339313)  # has an estimate of nearly nought
def test_order_of_people_does_not_matter(seed: int) -> None:
    calls, phenotypes, given_covariates = _cohort(seed)
    order = np.random.default_rng(seed).permutation(calls.shape[1])
    shuffled = [replace(phenotype, values=phenotype.values[order]) for phenotype in phenotypes]
    other = Covariates(given_covariates.names, given_covariates.values[order])
    expected = regression.test_variants(fit_models(phenotypes, given_covariates, rules()), batch(calls))
    found = regression.test_variants(fit_models(shuffled, other, rules()), batch(calls[:, order]))
    np.testing.assert_array_equal(found.ac, expected.ac)
    _close(found, expected)


@settings(max_examples=15)
@given(SEEDS)
def test_flipped_alleles_flip_the_sign_and_keep_p(seed: int) -> None:
    calls, phenotypes, given_covariates = _cohort(seed)
    models = fit_models(phenotypes, given_covariates, rules())
    expected = regression.test_variants(models, batch(calls))
    found = regression.test_variants(models, batch(np.where(calls == 3, 3, 2 - calls)))
    np.testing.assert_array_equal(found.ac, expected.an - expected.ac)
    np.testing.assert_array_equal(found.ac_cases, expected.an_cases - expected.ac_cases)
    _close(found, expected, sign=-1.0)


@settings(max_examples=15)
@given(SEEDS)
def test_the_encoding_of_a_row_changes_no_bit(seed: int) -> None:
    calls, phenotypes, given_covariates = _cohort(seed)
    models = fit_models(phenotypes, given_covariates, rules())
    columns = list(range(len(models.tested)))
    expected = regression.test_variants(models, batch(calls))
    _equal(regression.test_variants(models, dense(calls)), expected, columns)
    _equal(regression.test_variants(models, sparse(calls)), expected, columns)


@settings(max_examples=15)
@given(SEEDS)
def test_people_without_a_value_might_as_well_be_absent(seed: int) -> None:
    calls, phenotypes, given_covariates = _cohort(seed)
    for phenotype in (phenotypes[8], phenotypes[10], phenotypes[4], phenotypes[5]):
        has = np.isfinite(phenotype.values) & np.isfinite(given_covariates.values).all(axis=1)
        whole = regression.test_variants(fit_models([phenotype], given_covariates, rules()), batch(calls))
        present = fit_models(
            [replace(phenotype, values=phenotype.values[has])],
            Covariates(given_covariates.names, given_covariates.values[has]),
            rules(),
        )
        _close(regression.test_variants(present, batch(calls[:, has])), whole)


@settings(max_examples=15)
@given(SEEDS)
def test_alleles_are_counted_among_the_analysed(seed: int) -> None:
    calls, phenotypes, given_covariates = _cohort(seed)
    found = regression.test_variants(fit_models(phenotypes, given_covariates, rules()), batch(calls))
    copies = np.where(calls == 3, 0, calls)
    known = np.isfinite(given_covariates.values).all(axis=1)
    for place, phenotype in enumerate(phenotypes):
        people = np.isfinite(phenotype.values) & known
        cases = people & (phenotype.values == 1) & phenotype.is_binary
        for some, ac, an in ((people, found.ac, found.an), (cases, found.ac_cases, found.an_cases)):
            np.testing.assert_array_equal(ac[:, place], copies[:, some].sum(axis=1))
            np.testing.assert_array_equal(an[:, place], 2 * (calls[:, some] != 3).sum(axis=1))


def test_what_does_not_vary_or_is_rare_is_not_tested() -> None:
    n_people = 300
    random = np.random.default_rng(2)
    calls = np.zeros((9, n_people), np.int64)
    calls[1], calls[2], calls[3] = 1, 2, 3
    calls[4, :4], calls[5] = 1, 2
    calls[5, :2] = 0
    calls[6] = random.binomial(2, 0.3, n_people)
    calls[7, :10] = 1
    calls[8] = np.where(np.arange(n_people) < 150, 1, 3)
    cases = np.arange(n_people) % 3 == 0
    few = np.arange(n_people) % 30 == 0
    phenotypes = [quantitative(random.normal(size=n_people)), binary(cases, "many"), binary(few, "few")]
    models = fit_models(
        phenotypes, no_covariates(n_people), rules(min_mac=5, few_cases=50, min_mac_few_cases=20)
    )
    found = regression.test_variants(models, batch(calls))
    none, rare, ok = STATUS["no_variation"], STATUS["too_rare"], STATUS["ok"]
    assert found.status.T.tolist() == [
        [none, none, none, none, rare, rare, ok, ok, none],
        [none, none, none, none, rare, rare, ok, ok, none],
        [none, none, none, none, rare, rare, ok, rare, none],
    ]
    untested = found.status != ok
    assert (found.test[untested] == -1).all()
    for values in (found.beta, found.se, found.neg_log10_p):
        assert np.isnan(values[untested]).all()
        assert np.isfinite(values[~untested]).all()
    assert found.an[3].tolist() == [0, 0, 0]
    frequent = fit_models(phenotypes[:1], no_covariates(n_people), rules(min_maf=0.02))
    assert regression.test_variants(frequent, batch(calls)).status[[6, 7], 0].tolist() == [ok, rare]


@pytest.mark.parametrize("rare", [True, False])
def test_a_genotype_that_the_covariates_tell_is_collinear(rare: bool) -> None:
    n_people = 500
    random = np.random.default_rng(3)
    copies = random.binomial(2, 0.01 if rare else 0.4, n_people)
    models = fit_models(
        [quantitative(random.normal(size=n_people)), binary(random.random(n_people) < 0.4)],
        covariates(other=random.normal(size=n_people), array=3.7 * copies - 1),
        rules(),
    )
    found = regression.test_variants(models, batch(copies[None]))
    assert found.status.tolist() == [[STATUS["collinear"]] * 2]
    exact = regression.refit(models, batch(copies[None]), [0], [1])
    assert exact.status.tolist() == [[STATUS["collinear"]]]


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (1e-7, 0.0), (1e6, 1e8)])
def test_a_phenotype_that_the_genotype_tells_has_beta_alone(scale: float, shift: float) -> None:
    random = np.random.default_rng(4)
    copies = random.binomial(2, 0.3, 500)
    models = fit_models([quantitative(shift + scale * (1 + 2 * copies))], no_covariates(500), rules())
    found = regression.test_variants(models, batch(copies[None]))
    assert found.status.tolist() == [[STATUS["perfect_fit"]]]
    assert found.beta[0, 0] == pytest.approx(2 * scale, rel=1e-12)
    assert np.isnan([found.se[0, 0], found.neg_log10_p[0, 0]]).all()


def test_which_test_follows_which() -> None:
    random = np.random.default_rng(6)
    n_people = 3000
    calls = random_calls(random, 400, n_people, 0.0)
    cases = (random.random(n_people) < 0.1).astype(float)
    models = fit_models([binary(cases)], no_covariates(n_people), rules(exact_below_p=0.01))
    found = regression.test_variants(models, batch(calls))
    alone = regression.test_variants(
        fit_models([binary(cases)], no_covariates(n_people), rules(firth_below_p=0, firth_below_mac=0)),
        batch(calls),
    )
    mac = np.minimum(found.ac, found.an - found.ac)
    follows = (mac < 20) | (alone.neg_log10_p > -np.log10(0.05))
    assert (alone.test == TEST["score"]).all()
    assert follows.sum() > 30
    np.testing.assert_array_equal(found.test == TEST["firth_approximate"], follows)
    np.testing.assert_array_equal(found.needs_exact, follows & (found.neg_log10_p > 2))


def test_many_people_are_summed_in_chunks() -> None:
    """Over the chunk of 8,192: the sums equal plain least squares."""
    random = np.random.default_rng(7)
    n_people = 20_001
    calls = random_calls(random, 12, n_people, 0.01)
    values, age = random.normal(size=n_people), random.normal(size=n_people)
    found = regression.test_variants(
        fit_models([quantitative(values)], covariates(age=age), rules()), batch(calls)
    )
    for row in range(len(calls)):
        copies = np.where(calls[row] == 3, np.nan, calls[row])
        copies = np.where(np.isnan(copies), np.nanmean(copies), copies)
        design = np.column_stack([np.ones(n_people), age, copies])
        expected = np.linalg.lstsq(design, values, rcond=None)[0][-1]
        assert found.beta[row, 0] == pytest.approx(expected, abs=1e-9 * found.se[row, 0])
