"""How the cost of a stage grows, fitted to measurements, and what it would be at another size.

A stage costs something a run, something a variant, something a genotype, and kinship something a pair of
samples and site: sums of such terms with coefficients of zero or more, which least squares of relative errors
finds. Power laws along one axis are told beside it, for who wants to see how straight the growth is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class Size:
    """A cohort: samples, variants, and sites among them that kinship is told from."""

    samples: int
    variants: int
    sites: int


@dataclass(frozen=True)
class Cost:
    """What one stage took at one size: core-seconds (all cores, idle or not), bytes of data files, memory."""

    stage: str
    size: Size
    core_seconds: float
    bytes_written: int
    peak_mib: float | None


TERMS: Mapping[str, Callable[[Size], float]] = {
    "run": lambda _: 1.0,
    "sample": lambda size: size.samples,
    "variant": lambda size: size.variants,
    "genotype": lambda size: size.variants * size.samples,
    "pair of samples and site": lambda size: size.samples * (size.samples - 1) / 2 * size.sites,
}


@dataclass(frozen=True)
class Fit:
    """Coefficients by term, and the largest relative error at a size that was measured."""

    coefficients: Mapping[str, float]
    worst_error: float

    def at(self, size: Size) -> float:
        return sum(value * TERMS[name](size) for name, value in self.coefficients.items())

    def growing_share(self, size: Size) -> float:
        """Share of the cost at a size that is not that of a run."""
        return 1 - self.coefficients.get("run", 0.0) / self.at(size)


def fit(sizes: Sequence[Size], values: Sequence[float], terms: Sequence[str]) -> Fit:
    """The sum of ``terms`` that is nearest to positive ``values`` by the squares of relative errors.

    >>> sizes = [Size(10, 10, 1), Size(20, 10, 1), Size(10, 20, 1)]
    >>> found = fit(sizes, [3.0, 5.0, 5.0], ["run", "genotype"])
    >>> {name: round(value, 6) for name, value in found.coefficients.items()}
    {'run': 1.0, 'genotype': 0.02}
    """
    wanted = np.asarray(values, dtype=np.float64)
    rows = np.array([[TERMS[name](size) for name in terms] for size in sizes], dtype=np.float64)
    scale = rows.max(axis=0)  # a genotype's cost is 10⁹ times smaller than a run's
    found, _ = nnls(rows / scale / wanted[:, np.newaxis], np.ones(len(wanted)))
    errors = np.abs(rows / scale @ found / wanted - 1)
    return Fit(dict(zip(terms, (found / scale).tolist(), strict=True)), float(errors.max()))


def exponent(amounts: Sequence[float], values: Sequence[float]) -> float:
    """The slope of log values on log amounts: 1 is proportional, under 1 where a fixed cost weighs.

    >>> round(exponent([1, 2, 4], [3, 12, 48]), 3)
    2.0
    """
    return float(np.polyfit(np.log(amounts), np.log(values), 1)[0])


def exponents(costs: Sequence[Cost]) -> tuple[float, float]:
    """Exponents of core-seconds in samples, at the most variants, and in variants, at the most samples."""
    most_samples = max(cost.size.samples for cost in costs)
    most_variants = max(cost.size.variants for cost in costs)
    by_samples = [cost for cost in costs if cost.size.variants == most_variants]
    by_variants = [cost for cost in costs if cost.size.samples == most_samples]
    return (
        exponent([cost.size.samples for cost in by_samples], [cost.core_seconds for cost in by_samples]),
        exponent([cost.size.variants for cost in by_variants], [cost.core_seconds for cost in by_variants]),
    )


@dataclass(frozen=True)
class Measured:
    """All costs, and the machine that they were measured on."""

    cores: int
    memory_gib: int
    date: str
    costs: Sequence[Cost]

    def write(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Measured:
        """What `write` wrote."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        costs = [Cost(**{**cost, "size": Size(**cost["size"])}) for cost in fields.pop("costs")]
        return cls(**fields, costs=costs)

    def of(self, stage: str) -> list[Cost]:
        """Costs of one stage."""
        return [cost for cost in self.costs if cost.stage == stage]
