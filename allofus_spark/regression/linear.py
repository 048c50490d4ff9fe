"""Quantitative phenotypes: the genotype's effect beside the covariates, by least squares on residuals.

With r the residuals of a phenotype and g̃ the genotype less what the covariates tell of it (missing calls at
the mean of the phenotype's people), beta = r·g̃ / g̃·g̃. g̃ is never formed: r·g̃ = r·g, and g̃·g̃ is the genotype's
squares about its mean, from exact counts, less the squares of its sums with the orthonormal covariates.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.regression.counts import Counts
from allofus_spark.regression.fitted import EVERYBODY, Models
from allofus_spark.regression.models import Floats, Tests
from allofus_spark.regression.outcomes import (
    COLLINEAR,
    COLLINEAR_SHARE,
    LINEAR,
    NO_VARIATION,
    OK,
    PERFECT_FIT,
    TOO_RARE,
)
from allofus_spark.regression.p_values import SERIES, one_neg_log10_p_of_t
from allofus_spark.regression.products import Part, Sums, padded
from allofus_spark.regression.rows import MinorRows

_PERFECT = 1e-11  # what is left of a phenotype's squares


class LinearWork:
    """Arrays of the quantitative phenotypes from ``first``, a multiple of `COLUMN_PAD`, up to ``stop``."""

    def __init__(self, models: Models, first: int, stop: int) -> None:
        self.models, self.first, self.stop = models, first, stop
        chosen = models.linear[first:stop]
        used = sorted({model.pattern for model in chosen})
        place_of = {pattern: place for place, pattern in enumerate(used)}
        patterns = [models.patterns[pattern] for pattern in used]
        width = models.columns.shape[1]
        self.width = width
        self.pattern_of = np.array([place_of[model.pattern] for model in chosen])
        self.degrees = np.array([model.degrees for model in chosen], np.float64)
        self.scales = np.array([model.scale for model in chosen])
        self.squares = np.array([model.squares for model in chosen])
        self.masks = models.mask_of_pattern[used]
        self.n_people = np.array([pattern.n_people for pattern in patterns])
        self.own = [place for place, pattern in enumerate(patterns) if pattern.lacking is None]
        self.own_people = np.stack([models.people(used[place]) for place in self.own] or [np.zeros(0, bool)])
        self.offsets = np.zeros(len(used), np.int64)
        self.offsets[self.own] = width * (1 + np.arange(len(self.own)))
        self.sums = np.zeros((len(used), width))
        self.transforms = np.zeros((len(used), width, width))
        for place, pattern in enumerate(patterns):
            self.sums[place, : len(pattern.sums)] = pattern.sums
            rows, columns = pattern.transform.shape
            self.transforms[place, :rows, :columns] = pattern.transform
        self.lack_offsets, self.lack_patterns = _by_person(
            models.n_people, [pattern.lacking for pattern in patterns]
        )

    def parts(self) -> list[Part]:
        """Columns whose sums `test` reads: the basis and its copies over patterns, then the residuals."""
        first, stop = self.first, padded(self.stop)
        residuals = self.models.residuals
        return [
            Part(self.width * (1 + len(self.own)), self._basis),
            Part(stop - first, lambda start, end: np.ascontiguousarray(residuals[start:end, first:stop])),
        ]

    def _basis(self, start: int, stop: int) -> Floats:
        columns = self.models.columns[start:stop]
        if not self.own:
            return columns
        copies = [columns * people[start:stop, None] for people in self.own_people]
        return np.hstack([columns, *copies])

    def test(self, rows: MinorRows, counts: Counts, basis: Sums, residuals: Sums, tests: Tests) -> None:
        """Write the outcomes into the columns of the phenotypes."""
        shape = (len(rows.order), len(self.masks))
        called, copies = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        means, about = np.zeros(shape), np.zeros(shape)
        states = np.full(shape, OK, np.int8)
        rules = (self.models.rules.min_mac, self.models.rules.min_maf)
        _describe(rows.counts, counts, self.masks, self.n_people, rules, called, copies, means, about, states)
        left = about - self._told(rows, means, basis)
        states[(states == OK) & (left <= COLLINEAR_SHARE * about)] = COLLINEAR
        _write(
            rows.order,
            rows.flipped,
            (called, copies, means, left, states),
            residuals.of_calls,
            residuals.of_missing,
            (self.pattern_of, self.degrees, self.scales, self.squares),
            self.models.linear_places[self.first : self.stop],
            (tests.test, tests.status, tests.beta, tests.se, tests.neg_log10_p, tests.ac, tests.an),
            SERIES,
        )

    def _told(self, rows: MinorRows, means: Floats, basis: Sums) -> Floats:
        """Squares of the centred genotype that the covariates tell, float64[rows, patterns]."""
        centred = np.empty((len(self.masks), len(rows.order), self.width))
        _centre(
            (rows.packed, rows.offsets, rows.people, rows.calls),
            (self.lack_offsets, self.lack_patterns),
            means,
            self.offsets,
            self.sums,
            self.models.columns,
            basis.of_calls,
            basis.of_missing,
            centred,
        )
        told = np.empty_like(means)
        for pattern, transform in enumerate(self.transforms):
            rest = centred[pattern] @ transform
            told[:, pattern] = np.einsum("rc,rc->r", rest, rest)
        return told


def _by_person(
    n_people: int, lacking: list[npt.NDArray[np.int32] | None]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Patterns that lack each person: offsets int64[n_people + 1] and places of patterns."""
    lists = [np.zeros(0, np.int32) if people is None else people for people in lacking]
    people = np.concatenate(lists) if lists else np.zeros(0, np.int32)
    places = np.repeat(np.arange(len(lists), dtype=np.int32), [len(entries) for entries in lists])
    offsets = np.zeros(n_people + 1, np.int64)
    np.cumsum(np.bincount(people, minlength=n_people), out=offsets[1:])
    return offsets, places[np.argsort(people, kind="stable")]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _subtract(person, call, lacks, means, columns, sums):  # type: ignore[no-untyped-def]
    """Take a person's call out of the sums of the patterns that lack the person."""
    offsets, patterns = lacks
    for at in range(offsets[person], offsets[person + 1]):
        pattern = patterns[at]
        copies = means[pattern] if call == 3 else np.float64(call)
        for column in range(columns.shape[1]):
            sums[pattern, column] -= copies * columns[person, column]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _subtract_all(row, calls, lacks, means, columns, sums):  # type: ignore[no-untyped-def]
    packed, offsets, people, values = calls
    sums[:] = 0
    if lacks[0][-1] == 0:
        return
    n_common = packed.shape[0]
    if row >= n_common:
        for at in range(offsets[row - n_common], offsets[row - n_common + 1]):
            _subtract(people[at], values[at], lacks, means, columns, sums)
        return
    for byte in range(packed.shape[1]):
        value = packed[row, byte]
        person = 4 * byte
        while value:
            if value & 3:
                _subtract(person, value & 3, lacks, means, columns, sums)
            value >>= 2
            person += 1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _describe(  # type: ignore[no-untyped-def]
    totals, counts, masks, n_people, rules, called, copies, means, about, states
):
    """Alleles, mean and squares about it of each row in each pattern, and what is not tested."""
    min_mac, min_maf = rules
    for row in range(len(totals)):
        for pattern in range(len(masks)):
            mask = masks[pattern]
            if mask == EVERYBODY:
                het, hom, missing = totals[row, 0], totals[row, 1], totals[row, 2]
            else:
                het, hom, missing = counts[row, 0, mask], counts[row, 1, mask], counts[row, 2, mask]
            known, minor = n_people[pattern] - missing, het + 2 * hom
            called[row, pattern], copies[row, pattern] = known, minor
            fewer = min(minor, 2 * known - minor)
            if known == 0 or het == known or hom == known or minor == 0:
                states[row, pattern] = NO_VARIATION
            elif fewer < min_mac or fewer < min_maf * 2 * known:
                states[row, pattern] = TOO_RARE
            else:
                means[row, pattern] = minor / known
                about[row, pattern] = minor + 2 * hom - minor * means[row, pattern]


@numba.njit(cache=True, nogil=True)
def _centre(calls, lacks, means, offsets, totals, columns, sums, missing, centred):  # type: ignore[no-untyped-def]
    """Sums of the centred genotype times the basis over patterns, float64[patterns, rows, width]."""
    n_patterns, width = totals.shape
    lacking = np.zeros((n_patterns, width))
    for row in range(len(sums)):
        _subtract_all(row, calls, lacks, means[row], columns, lacking)
        for pattern in range(n_patterns):
            mean, first = means[row, pattern], offsets[pattern]
            for column in range(width):
                centred[pattern, row, column] = (
                    sums[row, first + column]
                    + mean * missing[row, first + column]
                    + lacking[pattern, column]
                    - mean * totals[pattern, column]
                )


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _write(  # type: ignore[no-untyped-def]
    order, flipped, described, sums, missing, models, places, outcomes, series
):
    called, copies, means, left, states = described
    pattern_of, degrees, scales, squares = models
    test, status, all_beta, all_se, all_p, all_ac, all_an = outcomes
    for row in range(len(order)):
        variant, sign = order[row], -1.0 if flipped[row] else 1.0
        for model in range(len(places)):
            pattern, place = pattern_of[model], places[model]
            alleles, minor = 2 * called[row, pattern], copies[row, pattern]
            all_an[variant, place] = alleles
            all_ac[variant, place] = alleles - minor if flipped[row] else minor
            status[variant, place] = states[row, pattern]
            if states[row, pattern] != OK:
                continue
            test[variant, place] = LINEAR
            score = sums[row, model] + means[row, pattern] * missing[row, model]
            beta = score / left[row, pattern]
            unexplained = squares[model] - score * beta
            all_beta[variant, place] = sign * scales[model] * beta
            if unexplained <= _PERFECT * squares[model]:
                status[variant, place] = PERFECT_FIT
                continue
            error = math.sqrt(unexplained / degrees[model] / left[row, pattern])
            all_se[variant, place] = scales[model] * error
            all_p[variant, place] = one_neg_log10_p_of_t(beta / error, degrees[model], series)
