"""What a test of a known association says: its power, and whether the association is seen again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allofus_spark.replication.power import Floats, power_of_known
from allofus_spark.settings import ReplicationSettings

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class KnownEffects:
    """What is known of n associations, by copy of the risk allele.

    ``risk_is_alt`` bool[n], in terms of the alleles tested; ``risk_allele_frequency`` float64[n], of the
    ancestry tested; ``lower95`` and ``upper95`` float64[n], bounds of the odds ratio.
    """

    risk_is_alt: Flags
    risk_allele_frequency: Floats
    lower95: Floats
    upper95: Floats


@dataclass(frozen=True)
class ObservedEffects:
    """Tests of the same n associations, by copy of alt: people, odds ratio with its 95 % interval, and p."""

    cases: Floats
    controls: Floats
    odds_ratio: Floats
    lower95: Floats
    upper95: Floats
    neg_log10_p: Floats


@dataclass(frozen=True)
class Judgements:
    """Of n tests: odds ratio with interval by copy of the risk allele, power, and the flags that follow.

    ``interval`` is where the interval of the test lies to the known one: OVERLAPS, BELOW or ABOVE.
    """

    odds_ratio: Floats
    lower95: Floats
    upper95: Floats
    power: Floats
    is_powered: Flags
    is_replicated: Flags
    interval: npt.NDArray[np.str_]


OVERLAPS, BELOW, ABOVE = "overlaps", "below", "above"


def judge(known: KnownEffects, tested: ObservedEffects, rules: ReplicationSettings) -> Judgements:
    """Orient tests by the known risk allele, and hold them against what is known.

    Replicated is a p under ``rules.max_p`` with an odds ratio over 1 of the risk allele. Power is that of
    the known lower bound, a cautious effect, as first reports run high; see `power_of_known`. A lower bound
    under 1 is taken as it is, as the published recipe does: its power is that of an effect the other way.
    """
    risk_is_alt = known.risk_is_alt
    odds_ratio = np.where(risk_is_alt, tested.odds_ratio, 1 / tested.odds_ratio)
    lower95 = np.where(risk_is_alt, tested.lower95, 1 / tested.upper95)
    upper95 = np.where(risk_is_alt, tested.upper95, 1 / tested.lower95)
    power = power_of_known(
        tested.cases,
        tested.controls,
        known.risk_allele_frequency,
        known.lower95,
        max_controls_per_case=rules.max_controls_per_case,
    )
    is_replicated = (tested.neg_log10_p > -np.log10(rules.max_p)) & (odds_ratio > 1)
    interval = np.select([upper95 < known.lower95, lower95 > known.upper95], [BELOW, ABOVE], OVERLAPS)
    is_powered = power >= rules.min_power
    return Judgements(odds_ratio, lower95, upper95, power, is_powered, is_replicated, interval)


@dataclass(frozen=True)
class Rates:
    """What n tests come to: rates are null where there is nothing to divide by.

    ``expected`` is the sum of powers; ``rate_to_expected`` is replicated over it: 1 where known effects are
    as large as their lower bounds say.
    """

    tested: int
    powered: int
    replicated: int
    powered_replicated: int
    expected: float

    @property
    def rate_all(self) -> float | None:
        return _share(self.replicated, self.tested)

    @property
    def rate_powered(self) -> float | None:
        return _share(self.powered_replicated, self.powered)

    @property
    def rate_to_expected(self) -> float | None:
        return _share(self.replicated, self.expected)


def rates(judged: Judgements) -> Rates:
    """Counts and rates over all the tests."""
    return Rates(
        tested=len(judged.power),
        powered=int(judged.is_powered.sum()),
        replicated=int(judged.is_replicated.sum()),
        powered_replicated=int((judged.is_powered & judged.is_replicated).sum()),
        expected=float(judged.power.sum()),
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
