"""Exact tests of Hardy-Weinberg proportions against sums of exact fractions, where floats end too."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allofus_spark.qc.hardy_weinberg import excess_het_phred, hardy_weinberg_neg_log10_p

small = st.integers(0, 40)
large = st.integers(0, 250_000)
ROUNDING = 1e-12


def two_sided(*calls: int) -> float:
    (answer,) = hardy_weinberg_neg_log10_p(*(np.array([count]) for count in calls))
    return float(answer)


def excess(*calls: int) -> float:
    (answer,) = excess_het_phred(*(np.array([count]) for count in calls))
    return float(answer)


def outcomes(hom_ref: int, het: int, hom_alt: int) -> dict[int, Fraction]:
    """The probability of each number of heterozygotes, by counting arrangements of the alleles."""
    n, alts = hom_ref + het + hom_alt, het + 2 * hom_alt
    ways = {}
    for hets in range(alts % 2, min(alts, 2 * n - alts) + 1, 2):
        homs = (alts - hets) // 2
        ways[hets] = math.comb(n, hets) * math.comb(n - hets, homs) * 2**hets
    return {hets: Fraction(count, sum(ways.values())) for hets, count in ways.items()}


def exact_two_sided(*calls: int) -> Fraction:
    chances = outcomes(*calls)
    return sum((chance for chance in chances.values() if chance <= chances[calls[1]]), Fraction())


def exact_excess(*calls: int) -> Fraction:
    chances = outcomes(*calls)
    more = sum((chance for hets, chance in chances.items() if hets > calls[1]), Fraction())
    return more + chances[calls[1]] / 2


def log10(value: Fraction) -> float:
    def of_integer(number: int) -> float:
        shift = max(0, number.bit_length() - 1000)
        return math.log10(number >> shift) + shift * math.log10(2)

    return of_integer(value.numerator) - of_integer(value.denominator)


@settings(max_examples=500)
@given(hom_ref=small, het=small, hom_alt=small)
def test_equals_the_sum_of_fractions(hom_ref: int, het: int, hom_alt: int) -> None:
    calls = (hom_ref, het, hom_alt)
    if sum(calls):
        assert two_sided(*calls) == pytest.approx(-log10(exact_two_sided(*calls)), abs=1e-12)
        assert excess(*calls) == pytest.approx(-10 * log10(exact_excess(*calls)), abs=1e-11)


@pytest.mark.parametrize(
    ("calls", "smallest"),
    [
        ((700, 0, 700), 400),
        ((0, 1500, 0), 400),
        ((5, 1400, 3), 400),
        ((1500, 0, 30), 60),
        ((1000, 800, 0), 50),
    ],
)
def test_equals_the_sum_of_fractions_where_floats_end(calls: tuple[int, int, int], smallest: int) -> None:
    expected = -log10(exact_two_sided(*calls))
    assert expected > smallest
    assert two_sided(*calls) == pytest.approx(expected, rel=1e-13)
    assert excess(*calls) == pytest.approx(-10 * log10(exact_excess(*calls)), rel=1e-13, abs=1e-12)


@given(hom_ref=large, het=large, hom_alt=large)
def test_is_finite_and_the_same_from_both_alleles(hom_ref: int, het: int, hom_alt: int) -> None:
    if hom_ref + het + hom_alt:
        for test in (two_sided, excess):
            answer = test(hom_ref, het, hom_alt)
            assert math.isfinite(answer)
            assert answer >= 0
            assert test(hom_alt, het, hom_ref) == answer


@given(copies=st.integers(2, 3000), n=st.integers(3000, 250_000))
def test_rises_with_every_heterozygote_beyond_the_likeliest(copies: int, n: int) -> None:
    hets = np.arange(copies % 2, copies + 1, 2)
    homs = (copies - hets) // 2
    phred = excess_het_phred(n - hets - homs, hets, homs)
    assert np.all(np.diff(phred) >= -ROUNDING)
    neg_log10_p = hardy_weinberg_neg_log10_p(n - hets - homs, hets, homs)
    lowest = int(neg_log10_p.argmin())
    assert neg_log10_p[lowest] == 0
    assert np.all(np.diff(neg_log10_p[lowest:]) >= -ROUNDING)
    assert np.all(np.diff(neg_log10_p[: lowest + 1]) <= ROUNDING)


def test_without_a_call_there_is_no_p_and_with_one_outcome_none_is_unlikely() -> None:
    assert math.isnan(two_sided(0, 0, 0))
    assert math.isnan(excess(0, 0, 0))
    for calls in ((10, 0, 0), (0, 0, 10), (10, 1, 0), (0, 1, 0)):
        assert two_sided(*calls) == 0
        assert excess(*calls) == pytest.approx(10 * math.log10(2))  # a mid-p of one half, as GATK has it


def test_the_release_threshold_is_a_z_score() -> None:
    p_of_z = math.erfc(4.5 / math.sqrt(2)) / 2
    assert -10 * math.log10(p_of_z) == pytest.approx(54.69, abs=0.005)
