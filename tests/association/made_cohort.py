"""People of two ancestries with calls on chr1, chr2 and X, two measures, and two diseases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyspark.sql import SparkSession

from allofus_spark.tables import Warehouse
from tests.cases.vcf_files import write_bytes

from .cohort import Calls, Trait, drawn_calls, ingest, new_warehouse, records_of, scan, write_phenotypes

N = 160
NAMES = tuple(f"s{number:03d}" for number in range(N))
LABELS = {name: ("afr" if number % 2 else "eur", "XX" if number % 4 < 2 else "XY")
          for number, name in enumerate(NAMES)}  # fmt: skip
COVARIATES = ("age", "age^2", "age*sex")
# Of every test: small cohorts have few cases and few copies.
RULES = ("association.min_cases=5", "association.min_people=20", "association.min_mac=3",
         "association.min_mac_few_cases=3", "association.exact_below_p=0.05")  # fmt: skip
CONTIGS = {"chr1": 30, "chr2": 20, "chrX": 10}
FIRST_OF_X = 20_000_000  # between the pseudoautosomal regions


@dataclass(frozen=True)
class Made:
    """The warehouse, and what went into it. ``calls`` [variants, people] by contig; ``ages`` with NaN."""

    warehouse: Warehouse
    folder: Path
    calls: Mapping[str, Calls]
    ages: npt.NDArray[np.float64]
    traits: Mapping[str, Trait]

    @property
    def covariate_file(self) -> str:
        return str(self.folder / "ages.tsv")


def drawn() -> tuple[dict[str, Calls], npt.NDArray[np.float64], dict[str, Trait]]:
    """Calls, ages and traits, the same each time."""
    rng = np.random.default_rng(20260101)
    calls = {contig: drawn_calls(rng, n, N) for contig, n in CONTIGS.items()}
    is_xy = np.array([LABELS[name][1] == "XY" for name in NAMES])
    hets = (calls["chrX"] == 1) & is_xy
    calls["chrX"][hets] = 2  # stored as they come: haploid, so 0 or 2
    ages = np.round(rng.uniform(20, 80, N))
    ages[[5, 70]] = np.nan
    effect = np.where(calls["chr1"][7] == 3, 0, calls["chr1"][7]).astype(float)
    height = 150 + 2 * effect + 0.1 * np.nan_to_num(ages, nan=50) + rng.normal(0, 3, N)
    has_height = rng.random(N) > 0.1
    chance = 1 / (1 + np.exp(1.5 - 1.5 * effect))
    is_case = rng.random(N) < chance
    excluded = rng.random(N) < 0.05
    disease: dict[str, float | None] = {
        name: None if excluded[place] else 1.0
        for place, name in enumerate(NAMES)
        if is_case[place] or excluded[place]
    }
    of_women = {name: 1.0 for place, name in enumerate(NAMES) if LABELS[name][1] == "XX" and place % 6 == 0}
    traits = {
        "height": Trait({name: height[place] for place, name in enumerate(NAMES) if has_height[place]}),
        "weight": Trait(dict(zip(NAMES, rng.normal(70, 10, N), strict=True))),
        "disease": Trait(disease, is_binary=True, others="control"),
        "of_women": Trait(of_women, is_binary=True, others="control", sex="female"),
        "nobody": Trait({}, is_binary=True, others="control"),
    }
    return calls, ages, traits


def write_ages(folder: Path, ages: npt.NDArray[np.float64]) -> None:
    lines = [f"{name}\t{'NA' if np.isnan(age) else age}" for name, age in zip(NAMES, ages, strict=True)]
    write_bytes(folder / "ages.tsv", "\n".join(["sample_id\tage", *lines, ""]))


def records(calls: Mapping[str, Calls], people: Sequence[int] | slice = slice(None)) -> list[str]:
    """Records of some of the people."""
    return [
        record
        for contig, own in calls.items()
        for record in records_of(own[:, people], contig, first=FIRST_OF_X if contig == "chrX" else 1000)
    ]


def told_sexes() -> dict[str, str]:
    return {name: "female" if sex == "XX" else "male" for name, (_, sex) in LABELS.items()}


def make_cohort(spark: SparkSession, folder: Path, *overrides: str, name: str = "warehouse") -> Made:
    """One callset, its phenotypes, and a scan of all of them by ancestry."""
    calls, ages, traits = drawn()
    write_ages(folder, ages)
    held = new_warehouse(spark, folder / name, *RULES, *overrides)
    ingest(held, folder, records(calls), NAMES, labels=LABELS)
    write_phenotypes(held, traits, NAMES, told_sexes())
    made = Made(held, folder, calls, ages, traits)
    scan_made(made, ancestries=[])
    return made


def scan_made(made: Made, warehouse: Warehouse | None = None, **asked: object) -> object:
    covariates = {"covariates": COVARIATES, "covariate_file": made.covariate_file}
    return scan(warehouse or made.warehouse, **{**covariates, **asked})
