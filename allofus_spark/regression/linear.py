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
from allofus_spark.regression.products import COLUMN_PAD, Part, Sums, padded
from allofus_spark.regression.rows import MinorRows

_PERFECT = 1e-11  # what is left of a phenotype's squares


class LinearWork:
    """Arrays of the quantitative phenotypes from ``first`` up to ``stop``, as kernels read them."""

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
        first, stop = self.first // COLUMN_PAD * COLUMN_PAD, padded(self.stop)
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
        rules = self.models.rules
        _test(
            (rows.order, rows.flipped, rows.counts, rows.n_people),
            (rows.packed, rows.offsets, rows.people, rows.calls),
            counts,
            (basis.of_calls, basis.of_missing, residuals.of_calls, residuals.of_missing),
            (self.masks, self.offsets, self.sums, self.transforms, self.models.columns),
            (self.lack_offsets, self.lack_patterns),
            (self.pattern_of, self.degrees, self.scales, self.squares),
            np.array([self.models.patterns[m.pattern].n_people for m in self.models.linear[self.first : self.stop]]),
            (rules.min_mac, rules.min_maf, self.first % COLUMN_PAD),
            self.models.linear_places[self.first : self.stop],
            (tests.test, tests.status, tests.beta, tests.se, tests.neg_log10_p, tests.ac, tests.an),
            SERIES,
        )


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
def _squares(sums, missing, mean, lacking, totals, transform, rest):  # type: ignore[no-untyped-def]
    """Squares of the centred genotype that the covariates tell; ``rest`` is room for the sums."""
    rest[:] = 0
    for row in range(len(totals)):
        value = sums[row] + mean * missing[row] + lacking[row] - mean * totals[row]
        for column in range(len(totals)):
            rest[column] += value * transform[row, column]
    told = 0.0
    for column in range(len(totals)):
        told += rest[column] * rest[column]
    return told


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _test(  # type: ignore[no-untyped-def]
    rows, calls, counts, sums, patterns, lacks, models, n_analysed, rules, places, outcomes, series
):
    order, flipped, totals, n_people = rows
    basis, basis_missing, residual_sums, residual_missing = sums
    masks, offsets, pattern_sums, transforms, columns = patterns
    pattern_of, degrees, scales, squares = models
    min_mac, min_maf, first_column = rules
    test, status, all_beta, all_se, all_p, all_ac, all_an = outcomes
    n_patterns, width = len(masks), transforms.shape[1]
    n_of_pattern = np.zeros(n_patterns, np.int64)
    for model in range(len(pattern_of)):
        n_of_pattern[pattern_of[model]] = n_analysed[model]
    means, about, left = np.zeros(n_patterns), np.zeros(n_patterns), np.zeros(n_patterns)
    copies, called = np.zeros(n_patterns, np.int64), np.zeros(n_patterns, np.int64)
    states = np.zeros(n_patterns, np.int8)
    lacking, rest = np.zeros((n_patterns, width)), np.zeros(width)
    for row in range(len(order)):
        for pattern in range(n_patterns):
            mask = masks[pattern]
            if mask == EVERYBODY:
                het, hom, missing = totals[row, 0], totals[row, 1], totals[row, 2]
            else:
                het, hom, missing = counts[row, 0, mask], counts[row, 1, mask], counts[row, 2, mask]
            known = n_of_pattern[pattern] - missing
            minor = het + 2 * hom
            called[pattern], copies[pattern] = known, minor
            means[pattern] = about[pattern] = 0.0
            fewer = min(minor, 2 * known - minor)
            if known == 0 or het == known or hom == known or minor == 0:
                states[pattern] = NO_VARIATION
            elif fewer < min_mac or fewer < min_maf * 2 * known:
                states[pattern] = TOO_RARE
            else:
                states[pattern] = OK
                means[pattern] = minor / known
                about[pattern] = (minor + 2 * hom) - minor * means[pattern]
        _subtract_all(row, calls, lacks, means, columns, lacking)
        for pattern in range(n_patterns):
            if states[pattern] == OK:
                first = offsets[pattern]
                left[pattern] = about[pattern] - _squares(
                    basis[row, first : first + width],
                    basis_missing[row, first : first + width],
                    means[pattern],
                    lacking[pattern],
                    pattern_sums[pattern],
                    transforms[pattern],
                    rest,
                )
                if left[pattern] <= COLLINEAR_SHARE * about[pattern]:
                    states[pattern] = COLLINEAR
        sign = -1.0 if flipped[row] else 1.0
        for model in range(len(places)):
            pattern, place = pattern_of[model], places[model]
            variant = order[row]
            all_an[variant, place] = 2 * called[pattern]
            minor = copies[pattern]
            all_ac[variant, place] = 2 * called[pattern] - minor if flipped[row] else minor
            status[variant, place] = states[pattern]
            if states[pattern] != OK:
                continue
            test[variant, place] = LINEAR
            column = first_column + model
            score = residual_sums[row, column] + means[pattern] * residual_missing[row, column]
            told = score * score / left[pattern]
            all_beta[variant, place] = sign * scales[model] * score / left[pattern]
            unexplained = squares[model] - told
            if unexplained <= _PERFECT * squares[model]:
                status[variant, place] = PERFECT_FIT
                continue
            error = math.sqrt(unexplained / degrees[model] / left[pattern])
            all_se[variant, place] = scales[model] * error
            all_p[variant, place] = one_neg_log10_p_of_t(score / left[pattern] / error, degrees[model], series)
