"""A simulated cohort of four ancestries on a stretch of chr22, as bgzip VCF and samples file.

``python -m tools.simulate_cohort --samples 2400 --length 10_000_000 --out FOLDER``

The history is the American-admixture model of Browning et al. 2018 (Ancestry-specific recent effective
population size in the Americas, PLoS Genetics 14: e1007385, appendix), whose out-of-Africa part is Gravel et
al. 2011: an African, a European and an East Asian population, and one that they founded together 12
generations ago. msprime (GPL-3) simulates it; only tools and benchmarks import msprime, never the package.

The same numbers and seed give the same cohort with the same version of msprime. Calls are phased and
complete; about 1 in 300 sites has more than one alternate allele, as mutations strike sites twice. Half of
the people of each ancestry are XX, half XY.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tools.cohort_files import (
    BUILD,
    Cohort,
    Person,
    Site,
    bgzip_file,
    cell_table,
    vcf_header,
    write_records,
    write_samples,
)

if TYPE_CHECKING:
    import msprime
    import tskit

ANCESTRIES = ("AFR", "EUR", "EAS", "AMR")
CONTIG = "chr22"
FIRST_POSITION = 20_000_000  # 1-based; in the long arm, clear of the centromere and its gaps
MUTATIONS_PER_BASE = 1.25e-8  # a generation; Browning et al. 2018
CROSSOVERS_PER_BASE = 1e-8  # a generation; Browning et al. 2018
SITES_A_BATCH = 1_000  # 2,400 people: 5 MB of allele codes
MAX_ALLELES = 4  # of single bases
# The cell of haplotype alleles a and b is at MAX_ALLELES * a + b.
PHASED_GENOTYPES = tuple(f"{a}|{b}" for a in range(MAX_ALLELES) for b in range(MAX_ALLELES))


def american_admixture() -> msprime.Demography:
    """Sizes are diploid people, times generations ago, growth and migration rates per generation."""
    import msprime  # where it is used: `make demo` of real genotypes goes without

    out_of_africa, european_asian_split, admixture = 2040, 920, 12
    model = msprime.Demography()
    for name, size_now, growth in (
        ("AFR", 14474, 0.0),
        ("EUR", 1032 * math.exp(0.0038 * european_asian_split), 0.0038),
        ("EAS", 554 * math.exp(0.0048 * european_asian_split), 0.0048),
        ("AMR", 30000 * math.exp(0.05 * admixture), 0.05),
        ("out_of_africa", 1861, 0.0),
        ("modern_human", 14474, 0.0),
        ("ancestral", 7310, 0.0),
    ):
        model.add_population(name=name, initial_size=size_now, growth_rate=growth)
    model.set_symmetric_migration_rate(["AFR", "EUR"], 2.5e-5)
    model.set_symmetric_migration_rate(["AFR", "EAS"], 0.78e-5)
    model.set_symmetric_migration_rate(["EUR", "EAS"], 3.11e-5)
    model.add_admixture(
        admixture, derived="AMR", ancestral=["AFR", "EUR", "EAS"], proportions=[1 / 6, 2 / 6, 3 / 6]
    )
    model.add_population_split(european_asian_split, derived=["EUR", "EAS"], ancestral="out_of_africa")
    model.add_symmetric_migration_rate_change(european_asian_split, ["AFR", "out_of_africa"], 15e-5)
    model.add_population_split(out_of_africa, derived=["out_of_africa", "AFR"], ancestral="modern_human")
    model.add_population_split(5920, derived=["modern_human"], ancestral="ancestral")
    return model


def simulate_cohort(folder: Path, *, samples: int, length: int, seed: int) -> Cohort:
    """The two files in `folder`, made when they are not there yet."""
    _check_size(samples, length)
    name = f"simulated_{samples}_samples_{length}_bases_seed_{seed}"
    cohort = Cohort(folder / f"{name}.vcf.gz", folder / f"{name}.tsv")
    if not (cohort.vcf.exists() and cohort.samples.exists()):
        people = cohort_people(samples)
        write_samples(cohort.samples, people)
        _write_vcf(cohort.vcf, people, _trees(samples, length, seed), seed)
    return cohort


def _check_size(samples: int, length: int) -> None:
    longest = BUILD.contig_lengths[CONTIG] - FIRST_POSITION + 1
    if samples < len(ANCESTRIES) or samples % len(ANCESTRIES):
        raise SystemExit(f"{samples} samples cannot be four ancestries of equal size: give a multiple of 4.")
    if not 1 <= length <= longest:
        raise SystemExit(
            f"a length of {length:,} bases is not to be had on {CONTIG} from {FIRST_POSITION:,} on: "
            f"give 1 to {longest:,}."
        )


def cohort_people(samples: int) -> list[Person]:
    """Equal parts of the ancestries, in the order of the simulated individuals; karyotypes alternate."""
    per_ancestry = samples // len(ANCESTRIES)
    return [
        Person(f"{ancestry}{number:06d}", ("XX", "XY")[number % 2], ancestry.lower())
        for ancestry in ANCESTRIES
        for number in range(per_ancestry)
    ]


def _trees(samples: int, length: int, seed: int) -> tskit.TreeSequence:
    import msprime

    per_ancestry = {ancestry: samples // len(ANCESTRIES) for ancestry in ANCESTRIES}
    trees = msprime.sim_ancestry(
        per_ancestry,
        demography=american_admixture(),
        sequence_length=length,
        recombination_rate=CROSSOVERS_PER_BASE,
        random_seed=seed,
    )
    return msprime.sim_mutations(trees, rate=MUTATIONS_PER_BASE, random_seed=seed)


def _write_vcf(path: Path, people: list[Person], trees: tskit.TreeSequence, seed: int) -> None:
    source = f"msprime {version('msprime')}, seed {seed}, American admixture of Browning et al. 2018"
    cells = cell_table(PHASED_GENOTYPES)
    with bgzip_file(path) as stream:
        stream.write(vcf_header([CONTIG], people, source=source))
        for sites, codes in _batches(trees):
            write_records(stream, sites, codes, cells)


def _batches(trees: tskit.TreeSequence) -> Iterator[tuple[list[Site], npt.NDArray[np.uint8]]]:
    """Sites, and the code of each person's pair of haplotypes: ``uint8[sites, people]``."""
    sites: list[Site] = []
    codes = np.empty((SITES_A_BATCH, trees.num_individuals), dtype=np.uint8)
    for variant in trees.variants():
        if len(variant.alleles) < 2:  # mutated there and back again: everyone carries the same base
            continue
        haplotypes = variant.genotypes.astype(np.uint8)
        codes[len(sites)] = MAX_ALLELES * haplotypes[0::2] + haplotypes[1::2]
        position = FIRST_POSITION + int(variant.site.position)
        sites.append(Site(CONTIG, position, variant.alleles[0], ",".join(variant.alleles[1:])))
        if len(sites) == SITES_A_BATCH:
            yield sites, codes
            sites = []
    yield sites, codes[: len(sites)]


def add_size_options(parser: argparse.ArgumentParser, *, samples: int, length: int) -> None:
    """The options of every command about simulated cohorts, with that command's defaults."""
    parser.add_argument("--samples", type=int, default=samples, help="people, a multiple of 4 (%(default)s)")
    parser.add_argument(
        "--length", type=int, default=length, help="bases of chr22, about 90 a record (%(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=20260101, help="another seed, another cohort (%(default)s)"
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Simulate a cohort of four ancestries.")
    add_size_options(parser, samples=2_400, length=10_000_000)
    parser.add_argument("--out", type=Path, default=Path(".cache/simulated"), help="folder (%(default)s)")
    chosen = parser.parse_args()
    cohort = simulate_cohort(chosen.out, samples=chosen.samples, length=chosen.length, seed=chosen.seed)
    print(*cohort, sep="\n")


if __name__ == "__main__":
    main()
