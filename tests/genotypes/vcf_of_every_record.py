"""A VCF whose records make PLINK 2 write every form of .pgen record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

Alleles = npt.NDArray[np.int64]
_ALTS = ["C", "G", "T", *("A" + "C" * length for length in range(1, 300))]


def _drawn(rng: np.random.Generator, n_samples: int, probabilities: dict[tuple[int, int], float]) -> Alleles:
    """int64[n, 2]: genotypes drawn with the probabilities given; -1 is missing."""
    genotypes = np.array(list(probabilities))
    weights = np.array(list(probabilities.values()))
    return genotypes[rng.choice(len(genotypes), n_samples, p=weights / weights.sum())]


def _records(rng: np.random.Generator, n: int) -> list[tuple[int, Alleles]]:
    """(Alternates, alleles) of each record."""
    rr, ra, aa, none = (0, 0), (0, 1), (1, 1), (-1, -1)
    plain = _drawn(rng, n, {rr: 1, ra: 1, aa: 1, none: 1})
    records = [(1, plain)]
    for seldom in (rr, aa):  # the same again but for a few samples; then with the alleles exchanged
        near = np.where(rng.random((n, 1)) < 0.01, np.array(seldom), plain)
        records += [(1, near), (1, np.where(near >= 0, 1 - near, near))]
    common = [(rr, ra), (rr, aa), (rr, none), (ra, aa), (ra, none), (aa, none)]
    records += [
        (1, _drawn(rng, n, {a: 1, b: 1, rr: 0.02, ra: 0.02, none: 0.02} | {a: 1, b: 1})) for a, b in common
    ]
    for most in (rr, ra, aa, none):
        records.append((1, _drawn(rng, n, {rr: 0.01, ra: 0.01, aa: 0.01, none: 0.01} | {most: 1})))
        records.append((1, _drawn(rng, n, {most: 1})))
    for n_alts in (2, 3, 4, 5, 6, 16, 17, 18, 200):
        for rare in (0.01, 1):
            later = {(0, n_alts): rare, (1, n_alts): rare, (n_alts, n_alts): rare, (2, 2): rare, (0, 2): rare}
            base = {rr: 1, ra: 1, aa: 1, none: 0.1}
            records.append((n_alts, _drawn(rng, n, base | later)))
        records.append((n_alts, _drawn(rng, n, {rr: 1, ra: 1, (0, n_alts): 1})))
        records.append((n_alts, _drawn(rng, n, {rr: 1, aa: 1, (1, 2): 1})))
        records.append((n_alts, _drawn(rng, n, {rr: 1, aa: 1, ra: 1})))
    return records


def write_vcf(path: Path, n_samples: int, *, dosages: bool, seed: int = 1) -> Path:
    """Write the records, every third with phase.

    With dosages (near the calls) those of several alternates are left out: PLINK 2 does not import them.
    """
    rng = np.random.default_rng(seed)
    head = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines = [
        "##fileformat=VCFv4.2",
        "##contig=<ID=1,length=249250621>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        '##FORMAT=<ID=DS,Number=A,Type=Float,Description="Dosage">',
        "\t".join(head + [f"s{sample}" for sample in range(n_samples)]),
    ]
    for record, (n_alts, alleles) in enumerate(_records(rng, n_samples)):
        if dosages and n_alts > 1:
            continue
        separator = "|" if record % 3 == 2 else "/"
        texts = {-1: "."} | {allele: str(allele) for allele in range(n_alts + 1)}
        calls = [texts[first] + separator + texts[second] for first, second in alleles.tolist()]
        form = "GT"
        if dosages and record % 2:
            form = "GT:DS"
            near = np.clip(alleles.sum(axis=1) + rng.uniform(-0.09, 0.09, n_samples), 0, 2)
            calls = [
                f"{call}:{dosage:.3f}" if allele >= 0 else f"{call}:."
                for call, dosage, allele in zip(calls, near, alleles[:, 0], strict=True)
            ]
        fixed = ["1", str(record + 1), f"v{record}", "A", ",".join(_ALTS[:n_alts]), ".", ".", ".", form]
        lines.append("\t".join(fixed + calls))
    path.write_text("\n".join(lines) + "\n")
    return path
