"""Approximate Firth regression: the genotype alone is fitted, covariate effects are an offset.

Mbatchou et al., Nat Genet 2021;53:1097. The penalised score of one coefficient is followed by Newton steps
with its own derivative, inside a bracket of its root: the usual step with the information alone overshoots
twofold for a single carrier and never settles.
"""

from __future__ import annotations

import math

import numba
import numpy as np

_MOST_STEPS = 60
_LONGEST_STEP = 3.0
_SETTLED = 1e-6  # of a standard error; a Newton step of this length leaves an error of about its square
_LARGEST = 600.0  # of a predictor
_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
_FACTORIALS = tuple(1 / math.factorial(power) for power in range(13, -1, -1))
_C13, _C12, _C11, _C10, _C9, _C8, _C7, _C6, _C5, _C4, _C3, _C2, _C1, _C0 = _FACTORIALS
# Divisions are unchecked (error_model): the check keeps a loop from being vectorised. Sums in any order are
# for whole kernels alone: a part compiled by itself, and again within a kernel, would be two codes with other
# last bits, and which of them ran would depend on what had been compiled before.
_kernel = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
_part = numba.njit(inline="always")


@_part
def _exp(x):  # type: ignore[no-untyped-def]
    """exp(x) to 2e-15 for |x| under 50, to 3e-14 under 700; written out so that eight are taken at a time."""
    power = np.floor(x * _LOG2_E + 0.5)
    rest = (x - power * _LN2_HIGH) - power * _LN2_LOW
    total = _C13 * rest + _C12
    total = total * rest + _C11
    total = total * rest + _C10
    total = total * rest + _C9
    total = total * rest + _C8
    total = total * rest + _C7
    total = total * rest + _C6
    total = total * rest + _C5
    total = total * rest + _C4
    total = total * rest + _C3
    total = total * rest + _C2
    total = total * rest + _C1
    total = total * rest + _C0
    return total * np.int64((np.int64(power) + 1023) << 52).view(np.float64)


@_part
def _sums(x, cases, offsets, beta, n):  # type: ignore[no-untyped-def]
    """Score, information, and the two sums that the penalty and its derivative need."""
    score = information = third = fourth = 0.0
    for at in range(n):
        fitted = 1 / (1 + _exp(-(offsets[at] + beta * x[at])))
        variance, skew = fitted * (1 - fitted), 0.5 - fitted
        squared = x[at] * x[at]
        weighted = squared * variance
        score += x[at] * (cases[at] - fitted)
        information += weighted
        third += x[at] * weighted * skew
        fourth += squared * weighted * (2 * skew * skew - variance)
    return score, information, third, fourth


@_part
def _at_end(x, cases, offsets, beta, n, ratios):  # type: ignore[no-untyped-def]
    """Information at beta; ``ratios`` gets each person's likelihood at beta over that at 0."""
    information = 0.0
    for at in range(n):
        sign = 1 - 2 * cases[at]
        null = sign * offsets[at]
        odds = _exp(null + sign * (beta * x[at]))
        ratios[at] = (1 + _exp(null)) / (1 + odds)
        information += x[at] * x[at] * odds / ((1 + odds) * (1 + odds))
    return information


@_part
def _log_product(ratios, n):  # type: ignore[no-untyped-def]
    """Sum of logarithms, eight at a time where their product is no extreme number."""
    total, whole = 0.0, n // 8 * 8
    for first in range(0, whole, 8):
        product = ((ratios[first] * ratios[first + 1]) * (ratios[first + 2] * ratios[first + 3])) * (
            (ratios[first + 4] * ratios[first + 5]) * (ratios[first + 6] * ratios[first + 7])
        )
        if 1e-300 < product < 1e300:
            total += math.log(product)
        else:
            for at in range(first, first + 8):
                total += math.log(ratios[at])
    for at in range(whole, n):
        total += math.log(ratios[at])
    return total


@_part
def fit_one(x, cases, offsets, n, room):  # type: ignore[no-untyped-def]
    """beta, se and penalised likelihood ratio χ² of the first ``n`` entries; NaN: it does not settle."""
    beta, low, high, longest = 0.0, -math.inf, math.inf, 1e-6
    for at in range(n):
        longest = max(longest, abs(x[at]))
    largest = _LARGEST / longest  # offsets are within 50
    at_null = 0.0
    for step in range(_MOST_STEPS):
        score, information, third, fourth = _sums(x, cases, offsets, beta, n)
        if not information > 0:
            return math.nan, math.nan, math.nan
        if step == 0:
            at_null = information
        score += third / information
        if score > 0:
            low = beta
        else:
            high = beta
        slope = information - fourth / information + 2 * third * third / (information * information)
        move = score / (slope if slope > 0.1 * information else information)
        move = min(max(move, -_LONGEST_STEP), _LONGEST_STEP)
        if abs(move) * math.sqrt(information) < _SETTLED:
            beta += move
            information = _at_end(x, cases, offsets, beta, n, room)
            ratio = _log_product(room, n) + 0.5 * math.log(information / at_null)
            return beta, 1 / math.sqrt(information), max(0.0, 2 * ratio)
        moved = min(max(beta + move, -largest), largest)
        if not low < moved < high and low > -math.inf and high < math.inf:
            moved = 0.5 * (low + high)
        beta = moved
    return math.nan, math.nan, math.nan


@_kernel
def fit_carriers(rows, calls, means, place_of, cases, offsets, found):  # type: ignore[no-untyped-def]
    """Fit some rows over carriers and missing calls alone; writes found[row] = beta, se, χ².

    ``place_of`` int64[people]: the place of each among the phenotype's people, whose ``cases`` and
    ``offsets`` these are, -1: none of them; ``means`` by row: what a missing call counts as.
    """
    packed, starts, people, values = calls
    n_common, n_analysed = packed.shape[0], len(cases)
    x, y, z = np.empty(n_analysed), np.empty(n_analysed), np.empty(n_analysed)
    room = np.empty(n_analysed)
    for row in rows:
        n = 0
        if row >= n_common:
            for at in range(starts[row - n_common], starts[row - n_common + 1]):
                place = place_of[people[at]]
                if place >= 0:
                    x[n] = means[row] if values[at] == 3 else np.float64(values[at])
                    y[n], z[n] = cases[place], offsets[place]
                    n += 1
        else:
            for person in range(len(place_of)):
                call = (packed[row, person >> 2] >> np.uint8((person & 3) * 2)) & 3
                place = place_of[person]
                if call and place >= 0:
                    x[n] = means[row] if call == 3 else np.float64(call)
                    y[n], z[n] = cases[place], offsets[place]
                    n += 1
        found[row] = fit_one(x, y, z, n, room)


@_kernel
def fit_residualised(rows, calls, means, place_of, cases, offsets, less, found):  # type: ignore[no-untyped-def]
    """As `fit_carriers`, over all the phenotype's people, less ``less`` float64[rows, people]."""
    packed, starts, people, values = calls
    n_common, n_analysed = packed.shape[0], len(cases)
    room = np.empty(n_analysed)
    for index in range(len(rows)):
        row = rows[index]
        x = less[index]
        for at in range(n_analysed):
            x[at] = -x[at]
        if row >= n_common:
            for at in range(starts[row - n_common], starts[row - n_common + 1]):
                place = place_of[people[at]]
                if place >= 0:
                    x[place] += means[row] if values[at] == 3 else np.float64(values[at])
        else:
            for person in range(len(place_of)):
                call = (packed[row, person >> 2] >> np.uint8((person & 3) * 2)) & 3
                place = place_of[person]
                if call and place >= 0:
                    x[place] += means[row] if call == 3 else np.float64(call)
        found[row] = fit_one(x, cases, offsets, n_analysed, room)
