"""Simulated populations as small VCFs, and principal components restated with plain NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Calls = npt.NDArray[np.int8]

MISSING = 3
SPACING = 300_000  # bases, farther than linkage is looked for
_TEXTS = np.array(["0/0", "0/1", "1/1", "./."])
_CONTIGS = ("chr1", "chr3")


@dataclass(frozen=True)
class People:
    """Calls int8[sites, n] of 0 to 3, and who they are."""

    calls: Calls
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    first_position: int = 1_000_000

    @property
    def places(self) -> list[tuple[str, int]]:
        """Contig and position of each site: half of them on either contig."""
        half = -(-len(self.calls) // 2)
        sites = range(len(self.calls))
        return [(_CONTIGS[site // half], self.first_position + SPACING * (site % half)) for site in sites]

    def some(self, samples: Sequence[int]) -> People:
        """Some of the people, at the same sites."""
        ids, labels = (tuple(names[sample] for sample in samples) for names in (self.ids, self.labels))
        return People(self.calls[:, list(samples)], ids, labels)


def simulate(
    groups: Sequence[str],
    n_each: int,
    *,
    n_sites: int = 600,
    fst: float = 0.1,
    missing: float = 0.0,
    seed: int = 1,
) -> People:
    """People of populations that drifted apart by ``fst`` (Balding and Nichols, Genetica 1995;96:3)."""
    rng = np.random.default_rng(seed)
    ancestral = rng.uniform(0.1, 0.9, n_sites)[:, np.newaxis]
    scale = (1 - fst) / fst
    frequency = rng.beta(ancestral * scale, (1 - ancestral) * scale, (n_sites, len(groups)))
    calls = rng.binomial(2, np.repeat(frequency, n_each, axis=1)).astype(np.int8)
    calls[rng.random(calls.shape) < missing] = MISSING
    labels = tuple(np.repeat(groups, n_each).tolist())
    return People(calls, tuple(f"{label}{number}" for number, label in enumerate(labels)), labels)


def write_vcf(path: Path, people: People, sites: Sequence[int] | None = None) -> Path:
    """All sites, or some of them in the order given."""
    places = people.places
    fixed = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
    lines = ["##fileformat=VCFv4.3", "\t".join((*fixed, *people.ids))]
    for site in range(len(people.calls)) if sites is None else sites:
        contig, position = places[site]
        cells = _TEXTS[people.calls[site]].tolist()
        lines.append("\t".join((contig, str(position), ".", "A", "G", ".", "PASS", ".", "GT", *cells)))
    path.write_text("\n".join(lines) + "\n")
    return path


def write_labels(path: Path, people: People, labels: Sequence[str] | None = None) -> Path:
    given = people.labels if labels is None else labels
    rows = [f"{name}\t{label}" for name, label in zip(people.ids, given, strict=True)]
    path.write_text("\n".join(["sample_id\tancestry", *rows]) + "\n")
    return path


def standardised(calls: Calls, frequency: Floats, n_sites: int) -> Floats:
    """(copies − 2p) / √(2p(1 − p) · n_sites), missing 0; float64[sites, n]."""
    p = frequency[:, np.newaxis]
    values = (calls - 2 * p) / np.sqrt(2 * p * (1 - p) * n_sites)
    return np.where(calls == MISSING, 0, values)


def frequencies(calls: Calls) -> Floats:
    called = calls != MISSING
    return np.asarray(np.where(called, calls, 0).sum(axis=1) / (2 * called.sum(axis=1)))


def components(x: Floats, n_pcs: int) -> tuple[Floats, Floats, Floats]:
    """Eigenvalues, scores float64[n, n_pcs] and loadings float64[sites, n_pcs], by singular values.

    The entry of largest magnitude of each loading is positive.
    """
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    u, s, vt = u[:, :n_pcs], s[:n_pcs], vt[:n_pcs]
    signs = np.sign(u[np.abs(u).argmax(axis=0), np.arange(n_pcs)])
    return s**2, (vt.T * s) * signs, u * signs


def left_out_scores(x: Floats, n_pcs: int) -> Floats:
    """Of each sample, its score on loadings without it, by taking it out of X·v, float64[n, n_pcs]."""
    _, scores, loadings = components(x, n_pcs)
    lengths = np.linalg.norm(scores, axis=0)
    result = np.zeros_like(scores)
    for sample in range(x.shape[1]):
        own = x[:, sample]
        for pc in range(n_pcs):
            without = loadings[:, pc] * lengths[pc] - own * scores[sample, pc] / lengths[pc]
            result[sample, pc] = own @ (without / np.linalg.norm(without))
    return result
