"""Random cohorts over one release or several: true counts of genotypes, by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.disclosure.cells import Conventions, conventions
from allofus_spark.disclosure.findings import Verification
from allofus_spark.disclosure.rows import Batch
from allofus_spark.disclosure.variants import Case, attack_rows

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Columns = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Truth:
    """One release's genotypes, int64[rows, groups + 1], unlabelled last; ``people``: int64[groups + 1]."""

    called: Ints
    het: Ints
    hom: Ints
    people: Ints

    @property
    def ac(self) -> Ints:
        return self.het + 2 * self.hom

    def with_all(self, values: Ints) -> Ints:
        """All first, then the groups, as the releasing kernel has them."""
        return np.concatenate([values.sum(-1, keepdims=True), values[..., :-1]], axis=-1)


def genotypes(rng: np.random.Generator, people: int, frequencies: npt.NDArray[np.float64]) -> Ints:
    """Of each row how many of ``people`` are called, heterozygous, homozygous: int64[3, rows]."""
    missing = rng.choice([0.0, 0.0, 0.02, 0.3, 0.9], len(frequencies))
    called = rng.binomial(people, 1 - missing)
    inbreeding = rng.choice([0.0, 0.0, 0.9], len(frequencies))
    hom = rng.binomial(called, frequencies**2 + inbreeding * frequencies * (1 - frequencies))
    rate = 2 * frequencies * (1 - frequencies) * (1 - inbreeding)
    left = 1 - frequencies**2 - inbreeding * frequencies * (1 - frequencies)
    share = np.clip(np.divide(rate, left, out=np.zeros_like(rate), where=left > 1e-12), 0, 1)
    return np.stack([called, rng.binomial(called - hom, share), hom])


def cohort(
    rng: np.random.Generator, rows: int, n_groups: int, n_releases: int, *, both_ways: bool
) -> list[Truth]:
    """Releases of one cohort; between them each group gains or loses nobody, or 21 people or more.

    ``both_ways``: whether people come and go; else they only come, so that newcomers are who came.
    """
    sizes = rng.choice([5, 15, 21, 25, 30, 41, 60, 100, 200, 500], n_groups + 1) + rng.integers(
        0, 3, n_groups + 1
    )
    sizes[-1] = rng.choice([0, 0, 1, 3, 10, 25, 80])
    common = rng.choice([0.0, 0.003, 0.02, 0.1, 0.5, 0.9, 0.98, 0.997, 1.0], rows)
    spread = np.clip(
        common[:, None] + rng.normal(0, 0.02, (rows, n_groups + 1)) * (rng.random(rows) < 0.5)[:, None], 0, 1
    )
    counts = np.stack([genotypes(rng, int(n), spread[:, g]) for g, n in enumerate(sizes)], axis=2)
    truths = [Truth(*counts, people=sizes.astype(np.int64))]
    for _ in range(n_releases - 1):
        before = np.stack([truth.people for truth in truths])
        sizes, counts = sizes.copy(), counts.copy()
        for g in range(n_groups + 1):
            came = int(rng.choice([0, 0, 21, 25, 40, 100]))
            if both_ways and sizes[g] > 50:
                came = int(rng.choice([0, came, -25]))
            if came == 0 or _too_near(sizes[g] + came, before[:, g]):
                continue
            sizes[g] += came
            new = genotypes(rng, came if came > 0 else int(sizes[g]), spread[:, g])
            counts[:, :, g] = counts[:, :, g] + new if came > 0 else new
        if _too_near(sizes.sum(), before.sum(1)):
            last = truths[-1]
            sizes, counts = last.people, np.stack([last.called, last.het, last.hom])
        truths.append(Truth(*counts, people=np.asarray(sizes, np.int64)))
    return truths


def _too_near(size: int, before: Ints) -> bool:
    """Whether so many would be other people than before, and nearly as many: a release that is refused."""
    return bool((np.abs(before - size) <= 20).any())


def columns_of(truth: Truth, ac: Flags, an: Flags, hom: Flags, groups: tuple[str, ...]) -> Columns:
    """Published columns: the true counts where the flags say that they are shown, NaN elsewhere."""
    columns = {}
    for suffix, flags, values in (
        ("ac", ac, truth.with_all(truth.ac)),
        ("an", an, truth.with_all(2 * truth.called)),
        ("n_hom", hom, truth.with_all(truth.hom)),
    ):
        for place, name in enumerate(("all", *groups)):
            columns[f"{name}_{suffix}"] = np.where(flags[:, place], values[:, place], np.nan)
    return columns


def batch_of(releases: list[Columns]) -> Batch:
    """The rows of releases side by side, at positions 0, 1, …"""
    rows = len(next(iter(releases[0].values())))
    keys = pa.RecordBatch.from_pydict(
        {"contig": ["chr1"] * rows, "position": list(range(rows)), "ref": ["A"] * rows, "alt": ["C"] * rows}
    )
    return Batch(keys, np.ones(rows, bool), tuple(releases))


def sizes_of(truth: Truth, groups: tuple[str, ...]) -> dict[str, int | None]:
    """All group sizes, which the attacker is given."""
    return {name: int(n) for name, n in zip(("all", *groups), truth.with_all(truth.people), strict=True)}


def attack_columns(
    releases: list[Columns],
    truths: list[Truth],
    groups: tuple[str, ...],
    floor: int,
) -> Verification:
    """What follows from the columns of releases."""
    told: list[Conventions] = [conventions(columns, groups, floor) for columns in releases]
    names = tuple(f"v{place + 1}" for place in range(len(releases)))
    case = Case(names, groups, tuple(sizes_of(truth, groups) for truth in truths), floor)
    result = Verification(names[-1], floor)
    attack_rows(batch_of(releases), told, case, result)
    return result
