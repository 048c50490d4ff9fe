"""Phenotypes and covariates of a cohort for timing scans: random, but for a share that one covariate tells.

Each set is one table of people, written for this package (``sample_id``) and for PLINK 2 (``#IID``, a case 2
and a control 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

COVARIATES = tuple(f"c{number}" for number in range(1, 11))
MISSING_SHARE = 0.05
PREVALENCE = 0.1

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PhenotypeSet:
    """Phenotypes of all people: values float64[people, phenotypes], NaN: missing; binary ones 0 and 1."""

    name: str
    is_binary: bool
    values: Floats

    @property
    def phenotype_ids(self) -> list[str]:
        return [f"{self.name}_{number}" for number in range(1, self.values.shape[1] + 1)]

    def write(self, folder: Path, people: list[str]) -> None:
        """`ours` and `theirs` below."""
        write_table(ours(folder, self.name), "sample_id", people, self.phenotype_ids, self.values)
        coded = self.values + 1 if self.is_binary else self.values
        write_table(theirs(folder, self.name), "#IID", people, self.phenotype_ids, coded)


def ours(folder: Path, name: str) -> Path:
    """The table of a set as this package reads it."""
    return folder / f"{name}.tsv"


def theirs(folder: Path, name: str) -> Path:
    """The table of a set as PLINK 2 reads it."""
    return folder / f"{name}.plink.tsv"


def random_covariates(n_people: int, seed: int) -> Floats:
    """float64[people, covariates], standard normal."""
    return np.random.default_rng(seed).standard_normal((n_people, len(COVARIATES)))


def random_set(
    name: str, covariates: Floats, n_phenotypes: int, *, is_binary: bool, with_missing: bool, seed: int
) -> PhenotypeSet:
    """Phenotypes of which the first covariate tells a tenth; each misses people of its own, if any."""
    rng = np.random.default_rng(seed)
    shape = len(covariates), n_phenotypes
    values = 0.1**0.5 * covariates[:, [0]] + 0.9**0.5 * rng.standard_normal(shape)
    if is_binary:
        values = (values > np.quantile(values, 1 - PREVALENCE, axis=0)).astype(np.float64)
    if with_missing:
        values[rng.random(shape) < MISSING_SHARE] = np.nan
    return PhenotypeSet(name, is_binary, values)


def write_table(path: Path, key: str, people: list[str], names: list[str], values: Floats) -> None:
    """A TSV with a line a person; NA where a value is missing."""
    with path.open("w", encoding="utf-8") as file:
        file.write("\t".join([key, *names]) + "\n")
        for person, row in zip(people, values.tolist(), strict=True):
            cells = ("NA" if value != value else f"{value:.10g}" for value in row)
            file.write(person + "\t" + "\t".join(cells) + "\n")
