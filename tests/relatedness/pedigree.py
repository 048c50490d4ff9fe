"""Families of two populations: founders by msprime, genes dropped through a pedigree.

A genome is 1,000 short pieces, simulated and inherited apart from each other: so what relatives share comes
near to what is expected, and founders share no long piece from their past, as people of one long stretch do.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import msprime
import numpy as np

from .cohorts import Calls

FOUNDERS_ALONE = 22
PIECES = 1_000
PIECE_BASES = 20_000
# Child: its parents. "twin" is c2 again, with errors.
CHILDREN = {
    "c1": ("f1", "m1"),
    "c2": ("f1", "m1"),
    "h1": ("f1", "m2"),  # half sibling of c1 and c2
    "g1": ("c1", "s1"),  # grandchild of f1 and m1, nibling of c2
    "g2": ("c1", "s1"),
    "k1": ("g1", "s2"),  # great-grandchild: of f1 in the third degree
}
FAMILY_FOUNDERS = ("f1", "m1", "m2", "s1", "s2")
TWIN, TWIN_OF, ERRORS = "twin", "c2", 0.002


class Cohort(NamedTuple):
    """Calls int8[sites, samples] of ids ``POPULATION_NAME``."""

    sample_ids: list[str]
    calls: Calls
    positions: list[int]


def expected_kinship(first: str, second: str) -> float:
    """Kinship by the pedigree, of ids with the population before the name."""
    (population, one), (other_population, other) = first.split("_"), second.split("_")
    if population != other_population:
        return 0.0
    one, other = (TWIN_OF if name == TWIN else name for name in (one, other))
    return _kinship(one, other)


@cache
def _kinship(one: str, other: str) -> float:
    order = list(CHILDREN)
    if one == other:
        return 0.5 * (1 + (_kinship(*CHILDREN[one]) if one in CHILDREN else 0.0))
    younger, older = (one, other) if order_of(one, order) > order_of(other, order) else (other, one)
    if younger not in CHILDREN:
        return 0.0
    return sum(_kinship(parent, older) for parent in CHILDREN[younger]) / 2


def order_of(name: str, order: list[str]) -> int:
    return order.index(name) if name in order else -1


def simulate(seed: int = 13) -> Cohort:
    """Two populations, each with one family and people who are nobody's relatives."""
    rng = np.random.default_rng(seed)
    n_founders = len(FAMILY_FOUNDERS) + FOUNDERS_ALONE
    model = msprime.Demography()
    for name, size in (("A", 10_000), ("B", 6_000), ("ancestral", 12_000)):
        model.add_population(name=name, initial_size=size)
    model.add_population_split(2_000, derived=["A", "B"], ancestral="ancestral")
    simulated = msprime.sim_ancestry(
        {"A": n_founders, "B": n_founders},
        demography=model,
        sequence_length=PIECE_BASES,
        recombination_rate=1e-8,
        num_replicates=PIECES,
        random_seed=seed,
    )
    haplotypes, positions, pieces = [], [], []
    for number, trees in enumerate(simulated):
        trees = msprime.sim_mutations(trees, rate=1.25e-8, random_seed=seed + number, model="binary")
        haplotypes.append(trees.genotype_matrix().astype(np.int8))
        positions.append(number * PIECE_BASES + trees.sites_position.astype(int))
        pieces.append(np.full(trees.num_sites, number))
    haplotype, position, piece = map(np.concatenate, (haplotypes, positions, pieces))
    samples: dict[str, np.ndarray] = {}
    for number, population in enumerate("AB"):
        own = haplotype[:, 2 * n_founders * number : 2 * n_founders * (number + 1)]
        names = [*FAMILY_FOUNDERS, *(f"u{alone}" for alone in range(FOUNDERS_ALONE))]
        people = {name: own[:, 2 * place : 2 * place + 2] for place, name in enumerate(names)}
        for child, parents in CHILDREN.items():
            people[child] = np.stack([_gamete(people[parent], piece, rng) for parent in parents], axis=1)
        samples |= {f"{population}_{name}": pair.sum(axis=1) for name, pair in people.items()}
        twin = people[TWIN_OF].sum(axis=1)
        wrong = rng.random(len(twin)) < ERRORS
        samples[f"{population}_{TWIN}"] = np.where(wrong, rng.integers(0, 4, len(twin)), twin)
    ids = list(samples)
    rng.shuffle(ids)
    calls = np.stack([samples[name] for name in ids], axis=1).astype(np.int8)
    copies = calls.sum(axis=1)
    varied = (np.minimum(copies, 2 * len(ids) - copies) >= 2) & (np.diff(position, prepend=-1) > 0)
    return Cohort(ids, calls[varied], (position[varied] + 1_000).tolist())


def _gamete(pair: np.ndarray, piece: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One haplotype of a parent's two: of each piece either, by chance."""
    chosen = rng.integers(0, 2, PIECES)[piece]
    return pair[np.arange(len(pair)), chosen]
