"""``python -m benchmarks.calibration``: are p-values what they say, on real genomes?

Phenotypes that have nothing to do with the genomes, shuffled within each ancestry, are tested at 23,532
exonic sites of the 1000 Genomes Project. The share of p under 5 % and 0.1 %, by ancestry and minor allele
frequency, must be that of chance for quantitative and for binary phenotypes, balanced and 1:10; and the mean
λ of common variants near 1. With 49 cases of everybody Firth's test may be too careful: its shares have a
floor and a ceiling. Then effects are planted and must come back. Tables are printed, and the exit status is 1
where a bar is missed. The data are outside: ``ALLOFUS_TEST_DATA`` names the folder, as for the tests.

One in eleven of an ancestry's people is 31 to 60 cases. Of so few no test here is exact: where an allele is
rare, few sums are possible, Firth's test is too careful and the score test too lax at 0.1 %; those bars are
missed, and said to be.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cyvcf2 import VCF
from rich.console import Console
from threadpoolctl import threadpool_limits

from allofus_spark.cli.screen import grid
from allofus_spark.genotypes.encoding import CallBatch, pack
from allofus_spark.regression import Covariates, Phenotype, TestRules, Tests, fit_models, test_variants
from allofus_spark.regression.histogram import MEDIAN_CHI2
from allofus_spark.regression.p_values import z_of_neg_log10_p
from allofus_spark.settings import Settings
from benchmarks.engines import outside_data

SITES = "multisample/peddy_1kg_2504_exome_sites.grch38.vcf.gz"
PANEL = "ancestry/integrated_call_samples_v3.20130502.ALL.panel.tsv"
GROUPS = ("AFR", "AMR", "EAS", "EUR", "SAS")
SHUFFLES = 100
N_PCS = 2
LEAST_MAC = 20
COMMON_MAF = 0.05
MAF_BINS = ((0.0, 0.01), (0.01, 0.05), (0.05, 0.51))
LEVELS = (0.05, 0.001)
LAMBDAS = (0.97, 1.03)
# Neighbouring variants are in linkage, so that shares spread more than independent ones: by this factor.
SPREAD, SDS = 1.3, 4
FEW_CASES = 49
FEW_RATES = ((0.025, 0.05), (0.0, 0.0015))

Floats = npt.NDArray[np.float64]
Calls = npt.NDArray[np.int8]


@dataclass(frozen=True)
class People:
    """Calls int8[variants, people] of 0 to 2, and covariates."""

    calls: Calls
    covariates: Covariates


@dataclass(frozen=True)
class Sites:
    """Calls of everybody, with ancestry and sex."""

    calls: Calls
    groups: npt.NDArray[np.str_]
    is_male: npt.NDArray[np.bool_]

    def people(self, group: str | None) -> People:
        """One ancestry, or everybody, with sex and principal components of their own as covariates."""
        chosen = np.ones(len(self.groups), np.bool_) if group is None else self.groups == group
        calls = self.calls[:, chosen]
        share = calls.mean(axis=1) / 2
        common = np.minimum(share, 1 - share) >= COMMON_MAF
        some = calls[common][:: max(1, int(common.sum()) // 4000)].astype(np.float64)
        some = (some - some.mean(axis=1, keepdims=True)) / some.std(axis=1, keepdims=True)
        vectors = np.linalg.eigh(some.T @ some)[1][:, -N_PCS:]
        names = ("sex", *(f"pc{number}" for number in range(1, N_PCS + 1)))
        return People(calls, Covariates(names, np.column_stack([self.is_male[chosen], vectors])))


@dataclass(frozen=True)
class Rates:
    """What was found in a bin of minor allele frequency: shares of ``n`` tests under each level."""

    maf: tuple[float, float]
    n: int
    shares: tuple[float, ...]


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    data = outside_data()
    console = Console(highlight=False, soft_wrap=True)
    with threadpool_limits(1):
        sites = load(data)
        problems = [
            *_judge_groups(console, sites, options.shuffles),
            *_judge_few_cases(console, sites, options.shuffles),
            *_judge_planted(console, sites),
        ]
    for problem in problems:
        console.print(problem)
    if not problems:
        console.print("every bar is reached")
    sys.exit(bool(problems))


def load(data: Path) -> Sites:
    """The sites of the 2,504 people of phase 3."""
    reader = VCF(str(data / SITES), gts012=True)
    calls = np.array([record.gt_types.astype(np.int8) for record in reader])  # the reader reuses its memory
    with open(data / PANEL, encoding="utf-8") as lines:
        panel = {row["sample"]: row for row in csv.DictReader(lines, delimiter="\t")}
    rows = [panel[sample] for sample in reader.samples]
    groups = np.array([row["super_pop"] for row in rows])
    return Sites(calls, groups, np.array([row["gender"] == "male" for row in rows]))


def rules(**changed: Any) -> TestRules:
    """The settings' defaults, with every variant of `LEAST_MAC` or more tested."""
    association = Settings().association
    names = [name for name in TestRules.__dataclass_fields__ if name in type(association).model_fields]
    values = {name: getattr(association, name) for name in names}
    return TestRules(**(values | {"min_mac": LEAST_MAC, "min_mac_few_cases": LEAST_MAC} | changed))


def scan(people: People, phenotypes: Sequence[Phenotype], **changed: Any) -> Tests:
    """Every variant in every phenotype."""
    n_variants, n_people = people.calls.shape
    none = (np.zeros(n_variants + 1, np.int32), np.zeros(0, np.int32))
    batch = CallBatch(n_variants, n_people, np.arange(n_variants), pack(people.calls), none, none, none)
    return test_variants(fit_models(phenotypes, people.covariates, rules(**changed)), batch)


def shuffled(n_people: int, n_cases: int | None, n_shuffles: int, seed: int) -> list[Phenotype]:
    """Phenotypes of chance: of so many cases, or normal deviates."""
    random = np.random.default_rng(seed)
    values = (
        random.normal(size=n_people) if n_cases is None else (np.arange(n_people) < n_cases).astype(float)
    )
    return [
        Phenotype(f"shuffle{number}", n_cases is not None, random.permutation(values))
        for number in range(n_shuffles)
    ]


def rates_of(tests: Tests) -> list[Rates]:
    """Shares of p under the levels, by frequency, over all phenotypes."""
    maf = _maf(tests)
    found = []
    for bin_ in MAF_BINS:
        p = tests.neg_log10_p[(maf >= bin_[0]) & (maf < bin_[1])]
        p = p[np.isfinite(p)]
        if len(p):
            shares = tuple(float((p > -math.log10(level)).mean()) for level in LEVELS)
            found.append(Rates(bin_, len(p), shares))
    return found


def lambdas_of(tests: Tests) -> Floats:
    """λ of the common variants, by phenotype."""
    p = np.where(_maf(tests) >= COMMON_MAF, tests.neg_log10_p, np.nan)
    return np.asarray(z_of_neg_log10_p(np.nanmedian(p, axis=0)) ** 2 / MEDIAN_CHI2)


def _maf(tests: Tests) -> Floats:
    share = tests.ac / np.maximum(tests.an, 1)
    return np.minimum(share, 1 - share)


def missed(what: str, rates: Sequence[Rates]) -> list[str]:
    """A sentence for each share that chance does not explain."""
    found = []
    for rate in rates:
        for level, share in zip(LEVELS, rate.shares, strict=True):
            allowed = SDS * SPREAD * math.sqrt(level * (1 - level) / rate.n)
            if abs(share - level) > allowed:
                found.append(_off(what, rate, level, share, level - allowed, level + allowed))
    return found


def missed_by_few_cases(what: str, rates: Sequence[Rates]) -> list[str]:
    """The same of a phenotype with few cases: under its floor or above its ceiling."""
    return [
        _off(what, rate, level, share, least, most)
        for rate in rates
        for level, share, (least, most) in zip(LEVELS, rate.shares, FEW_RATES, strict=True)
        if not least <= share <= most
    ]


def _off(what: str, rate: Rates, level: float, share: float, least: float, most: float) -> str:
    return (
        f"{what}, MAF {rate.maf[0]:g} to {rate.maf[1]:g}: {share:.5f} of {rate.n:,} p are under {level:g}, "
        f"the bars are {least:.5f} and {most:.5f}"
    )


def _judge_groups(console: Console, sites: Sites, n_shuffles: int) -> list[str]:
    """Each ancestry by itself."""
    problems: list[str] = []
    lambdas: dict[str, list[float]] = {}
    table = grid(
        f"{n_shuffles} shuffles: share of p under 5 % and 0.1 %, by allele frequency (MAC ≥ {LEAST_MAC})",
        *("people", "phenotype", "n", "λ", "< 1 %", "1 to 5 %", "≥ 5 %", "seconds"),
    )
    for place, group in enumerate(GROUPS):
        people = sites.people(group)
        n_people = people.calls.shape[1]
        for name, n_cases in (("normal", None), ("1:1", n_people // 2), ("1:10", n_people // 11)):
            begun = time.perf_counter()
            tests = scan(people, shuffled(n_people, n_cases, n_shuffles, place))
            rates, mean = rates_of(tests), float(lambdas_of(tests).mean())
            problems += missed(f"{group} {name}", rates)
            lambdas.setdefault(name, []).append(mean)
            by_bin = {rate.maf: " ".join(f"{share:.4f}" for share in rate.shares) for rate in rates}
            seconds = f"{time.perf_counter() - begun:.1f}"
            bins = (by_bin.get(bin_, "") for bin_ in MAF_BINS)
            table.add_row(group, name, str(n_people), f"{mean:.3f}", *bins, seconds)
    console.print(table)
    for name, means in lambdas.items():
        mean = float(np.mean(means))
        console.print(f"mean λ, {name}: {mean:.3f}")
        if not LAMBDAS[0] <= mean <= LAMBDAS[1]:
            problems.append(f"{name}: mean λ is {mean:.3f}, its bars are {LAMBDAS[0]} and {LAMBDAS[1]}")
    return problems


def _judge_few_cases(console: Console, sites: Sites, n_shuffles: int) -> list[str]:
    """Everybody pooled, few cases, every variant by Firth regression."""
    people = sites.people(None)
    n_people = people.calls.shape[1]
    rates = rates_of(scan(people, shuffled(n_people, FEW_CASES, n_shuffles, 99), firth_below_p=1.0))
    table = grid(f"{FEW_CASES} cases of {n_people:,} people: Firth's test", "MAF", "tests", "5 %", "0.1 %")
    for rate in rates:
        shares = (f"{share:.5f}" for share in rate.shares)
        table.add_row(f"{rate.maf[0]:g} to {rate.maf[1]:g}", f"{rate.n:,}", *shares)
    console.print(table)
    return missed_by_few_cases(f"{FEW_CASES} cases", rates)


def planted(people: People, seed: int, n_variants: int = 200) -> tuple[Floats, Floats]:
    """(found − planted) / se of effects of single variants, quantitative and binary."""
    random = np.random.default_rng(seed)
    share = people.calls.mean(axis=1) / 2
    common = np.flatnonzero(np.minimum(share, 1 - share) >= COMMON_MAF)
    chosen = random.choice(common, n_variants, replace=False)
    effects = random.choice([-0.5, -0.25, 0.25, 0.5], n_variants)
    n_people = people.calls.shape[1]
    background = people.covariates.values @ random.normal(0, 0.3, len(people.covariates.names))
    phenotypes = []
    for row, effect in zip(chosen, effects, strict=True):
        told = background + effect * people.calls[row]
        chance = 1 / (1 + np.exp(1 - told))
        phenotypes.append(Phenotype(f"q{row}", False, told + random.normal(size=n_people)))
        phenotypes.append(Phenotype(f"b{row}", True, (random.random(n_people) < chance).astype(np.float64)))
    tests = scan(People(people.calls[chosen], people.covariates), phenotypes, firth_below_p=1.0)
    rows = np.arange(n_variants)
    off = [(tests.beta[rows, 2 * rows + kind] - effects) / tests.se[rows, 2 * rows + kind] for kind in (0, 1)]
    return off[0], off[1]


def _judge_planted(console: Console, sites: Sites) -> list[str]:
    title = "planted effects, (found − planted) / se"
    table = grid(title, "ancestry", "phenotype", "mean", "root mean square", "largest")
    problems = []
    for place, group in enumerate(GROUPS):
        for name, off in zip(("normal", "binary"), planted(sites.people(group), place), strict=True):
            size, largest = float(np.sqrt((off**2).mean())), float(np.abs(off).max())
            table.add_row(group, name, f"{off.mean():.2f}", f"{size:.2f}", f"{largest:.2f}")
            if not 0.85 < size < 1.15 or largest > 4.5 or abs(off.mean()) > 4 / math.sqrt(len(off)):
                problems.append(f"{group} {name}: planted effects come back off by {size:.2f} se")
    console.print(table)
    return problems


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Judge p-values by phenotypes of chance on real genomes.")
    parser.add_argument("--shuffles", type=int, default=SHUFFLES, help=f"of each phenotype; {SHUFFLES}")
    return parser


if __name__ == "__main__":
    main()
