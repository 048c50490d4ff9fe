"""Random tiny cohorts, as counts of alleles by group."""

from __future__ import annotations

import numpy as np

from allofus_spark.release.cells import Counts, Earlier, Shown


def genotypes(rng: np.random.Generator, n_rows: int, sizes: list[int]) -> list[np.ndarray]:
    """int[rows, people] of alt copies for each group and, last, the unlabelled: rare, common and fixed."""
    rates = rng.choice([0.0, 0.03, 0.1, 0.3, 0.6, 0.9, 0.97, 1.0], (n_rows, len(sizes)))
    return [rng.binomial(2, rates[:, [k]], (n_rows, size)) for k, size in enumerate(sizes)]


def counts_of(groups: list[np.ndarray]) -> Counts:
    """Counts of people [rows, people] by group, the unlabelled last; everybody is called."""
    columns = [np.concatenate(groups, axis=1), *groups[:-1]]
    n_rows = len(columns[0])
    return Counts(
        ac=np.stack([column.sum(axis=1) for column in columns], axis=1).astype(np.int64),
        an=np.array([[2 * column.shape[1] for column in columns]] * n_rows, np.int64),
        n_hom=np.stack([(column == 2).sum(axis=1) for column in columns], axis=1).astype(np.int64),
        diploid=np.ones(n_rows, bool),
        people=np.array([column.shape[1] for column in columns], np.int64),
    )


def earlier_of(counts: Counts, shown: Shown) -> Earlier:
    """The release that shows this."""
    return Earlier(
        ac=np.where(shown.ac, counts.ac, -1),
        an=np.where(shown.an, counts.an, -1),
        n_hom=np.where(shown.n_hom, counts.n_hom, -1),
        present=np.ones(len(counts.ac), bool),
        people=counts.people,
    )
