"""Exact tests of Hardy-Weinberg proportions, in log space: finite at any p.

Given N people and r copies of the rarer allele, the number h of heterozygotes has P(h) ∝ 2^h / (a! h! b!),
with a = (r − h) / 2 rarer and b = N − h − a commoner homozygotes, and P(h + 2) / P(h) =
4ab / ((h + 2)(h + 1)) (Wigginton, Cutler and Abecasis 2005). All sums run outward from the mode by that ratio
and end where terms no longer count, after a few standard deviations of h: one or two steps for a rare allele,
about two thousand for a common one among 245,388 people. A ratio that is too small for a float is carried as
a logarithm.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_NEGLIGIBLE = 1e-18  # of a sum: below the last bit of a float
_SMALL = 1e-250  # a product of ratios below this goes into its logarithm
# Outcomes as likely as the one seen belong to the tail; 100,000 steps round by far less than this.
_TIE = 1e-11
_LN_10 = math.log(10)


@numba.njit(cache=True, nogil=True)
def _ratio(h, r, n, step):  # type: ignore[no-untyped-def]
    """P(h + step) / P(h) for a step of 2 or -2; 0 past the last outcome."""
    a = (r - h) // 2
    b = n - h - a
    if step > 0:
        return 4.0 * a * b / ((h + 2.0) * (h + 1.0))
    return h * (h - 1.0) / (4.0 * (a + 1.0) * (b + 1.0))


@numba.njit(cache=True, nogil=True)
def _tail(h, r, n, step):  # type: ignore[no-untyped-def]
    """Sum of P from h outward in the direction of ``step``, over P(h)."""
    total = term = 1.0
    while term > _NEGLIGIBLE * total:
        term *= _ratio(h, r, n, step)
        total += term
        h += step
    return total


@numba.njit(cache=True, nogil=True)
def _mode(r, n):  # type: ignore[no-untyped-def]
    """Most likely number of heterozygotes."""
    h = int(r * (2.0 * n - r) / (2.0 * n))
    h += (h ^ r) & 1
    while h + 2 <= r and _ratio(h, r, n, 2) > 1.0:
        h += 2
    while h >= 2 and _ratio(h, r, n, -2) > 1.0:
        h -= 2
    return h


@numba.njit(cache=True, nogil=True)
def _ln_ratio(mode, h, r, n):  # type: ignore[no-untyped-def]
    """ln P(h) / P(mode)."""
    step = 2 if h > mode else -2
    ln, term, at = 0.0, 1.0, mode
    while at != h:
        term *= _ratio(at, r, n, step)
        at += step
        if term < _SMALL:
            ln += math.log(term)
            term = 1.0
    return ln + math.log(term)


@numba.njit(cache=True, nogil=True)
def _ln_opposite_tail(mode, step, ln_limit, r, n):  # type: ignore[no-untyped-def]
    """ln of the sum over P(mode), from the mode in the direction of ``step``, of outcomes up to the limit.

    Minus infinity where no outcome is so unlikely.
    """
    ln, term, at = 0.0, 1.0, mode
    limit = math.exp(ln_limit)
    while term > limit:
        term *= _ratio(at, r, n, step)
        at += step
        if term == 0.0:
            return -math.inf
        if term < _SMALL:
            ln += math.log(term)
            term, limit = 1.0, math.exp(ln_limit - ln)
    return ln + math.log(term * _tail(at, r, n, step))


@numba.njit(cache=True, nogil=True)
def _ln_two_sided(hom_ref, het, hom_alt):  # type: ignore[no-untyped-def]
    n = hom_ref + het + hom_alt
    r = 2 * min(hom_ref, hom_alt) + het
    mode = _mode(r, n)
    if het == mode:
        return 0.0
    step = 2 if het > mode else -2
    ln = _ln_ratio(mode, het, r, n)
    opposite = _ln_opposite_tail(mode, -step, ln + _TIE, r, n)
    whole = _tail(mode, r, n, 2) + _tail(mode, r, n, -2) - 1.0
    return min(0.0, ln + math.log((_tail(het, r, n, step) + math.exp(opposite - ln)) / whole))


@numba.njit(cache=True, nogil=True)
def _ln_excess(hom_ref, het, hom_alt):  # type: ignore[no-untyped-def]
    n = hom_ref + het + hom_alt
    r = 2 * min(hom_ref, hom_alt) + het
    mode = _mode(r, n)
    ln = _ln_ratio(mode, het, r, n)
    whole = _tail(mode, r, n, 2) + _tail(mode, r, n, -2) - 1.0
    if het >= mode:
        return ln + math.log((_tail(het, r, n, 2) - 0.5) / whole)
    return math.log1p(-math.exp(ln) * (_tail(het, r, n, -2) - 0.5) / whole)


@numba.njit(cache=True, nogil=True)
def _for_each(hom_ref, het, hom_alt, excess):  # type: ignore[no-untyped-def]
    ln_p = np.full(len(het), np.nan)
    for row in range(len(het)):
        if hom_ref[row] + het[row] + hom_alt[row] == 0:
            continue
        if excess:
            ln_p[row] = _ln_excess(hom_ref[row], het[row], hom_alt[row])
        else:
            ln_p[row] = _ln_two_sided(hom_ref[row], het[row], hom_alt[row])
    return ln_p


def hardy_weinberg_neg_log10_p(hom_ref: Counts, het: Counts, hom_alt: Counts) -> Floats:
    """−log10 p of the exact test of Hardy-Weinberg proportions, float64 of the shape of the counts.

    p is the sum of the probabilities of all outcomes at most as likely as the one seen, which counts whole
    (no mid-p), as by default in PLINK 2. 0 where one outcome alone is possible, NaN without a call.

    Parameters
    ----------
    hom_ref, het, hom_alt
        int64, people by diploid call.
    """
    ln_p = _for_each(hom_ref.ravel(), het.ravel(), hom_alt.ravel(), False).reshape(het.shape)
    return np.asarray(np.abs(ln_p) / _LN_10)


def excess_het_phred(hom_ref: Counts, het: Counts, hom_alt: Counts) -> Floats:
    """Phred-scaled mid-p of the one-sided exact test for too many heterozygotes, float64 as the counts.

    −10·log10(P(H > het) + ½ P(H = het)): ExcessHet as GATK's annotation of that name defines it, 3.01 where
    one outcome alone is possible. GATK says 160 where p is under 1e-59; here it goes on. NaN without a call.

    Parameters
    ----------
    hom_ref, het, hom_alt
        int64, people by diploid call.
    """
    ln_p = _for_each(hom_ref.ravel(), het.ravel(), hom_alt.ravel(), True).reshape(het.shape)
    return np.asarray(10 * np.abs(ln_p) / _LN_10)
