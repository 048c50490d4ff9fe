"""The simulated cohort: its VCF says what the simulation said, and depends on nothing but its numbers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cyvcf2
import numpy as np
import pytest

from tools.cohort_files import Cohort, count_records, read_samples
from tools.simulate_cohort import FIRST_POSITION, american_admixture, simulate_cohort

msprime = pytest.importorskip("msprime", reason="msprime is not installed: make test brings it")

SAMPLES, LENGTH, SEED = 16, 300_000, 7


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return simulate_cohort(tmp_path_factory.mktemp("cohort"), samples=SAMPLES, length=LENGTH, seed=SEED)


def test_calls_and_alleles_are_those_of_the_tree_sequence(cohort: Cohort) -> None:
    trees = msprime.sim_ancestry(
        dict.fromkeys(("AFR", "EUR", "EAS", "AMR"), SAMPLES // 4),
        demography=american_admixture(),
        sequence_length=LENGTH,
        recombination_rate=1e-8,
        random_seed=SEED,
    )
    trees = msprime.sim_mutations(trees, rate=1.25e-8, random_seed=SEED)
    records = list(cyvcf2.VCF(str(cohort.vcf)))
    variants = [variant for variant in trees.variants(copy=True) if len(variant.alleles) > 1]
    assert len(records) == len(variants) == count_records(cohort.vcf) > 500
    nodes = [individual.nodes for individual in trees.individuals()]
    place = {node: column for column, node in enumerate(trees.samples())}
    for record, variant in zip(records, variants, strict=True):
        offset = record.POS - FIRST_POSITION
        assert (record.CHROM, offset) == ("chr22", variant.site.position)
        assert [record.REF, *record.ALT] == list(variant.alleles)
        expected = [[variant.genotypes[place[node]] for node in pair] for pair in nodes]
        np.testing.assert_array_equal(record.genotype.array()[:, :2], expected)


def test_each_ancestry_has_a_quarter_of_the_people_half_of_them_xx(cohort: Cohort) -> None:
    people = read_samples(cohort.samples)
    assert [person.sample_id for person in people] == cyvcf2.VCF(str(cohort.vcf)).samples
    assert Counter((person.ancestry, person.sex_karyotype) for person in people) == {
        (ancestry, karyotype): SAMPLES // 8
        for ancestry in ("afr", "eur", "eas", "amr")
        for karyotype in ("XX", "XY")
    }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(cohort: Cohort, tmp_path: Path) -> None:
    again = simulate_cohort(tmp_path, samples=SAMPLES, length=LENGTH, seed=SEED)
    other = simulate_cohort(tmp_path, samples=SAMPLES, length=LENGTH, seed=SEED + 1)
    assert again.vcf.read_bytes() == cohort.vcf.read_bytes()
    assert other.vcf.read_bytes() != cohort.vcf.read_bytes()


def test_a_cohort_that_is_there_is_not_made_again(cohort: Cohort) -> None:
    before = cohort.vcf.stat().st_mtime_ns
    simulate_cohort(cohort.vcf.parent, samples=SAMPLES, length=LENGTH, seed=SEED)
    assert cohort.vcf.stat().st_mtime_ns == before


def test_the_history_is_the_published_one() -> None:
    """Sizes today as in the model's machine-readable edition (demes, doi 10.1371/journal.pgen.1007385)."""
    model = american_admixture()
    assert model["EUR"].initial_size == pytest.approx(34_039, abs=1)
    assert model["EAS"].initial_size == pytest.approx(45_852, abs=1)
    assert model["AMR"].initial_size == pytest.approx(54_664, abs=1)
    admixture = next(event for event in model.events if isinstance(event, msprime.demography.Admixture))
    assert (admixture.time, admixture.derived) == (12, "AMR")
    assert dict(zip(admixture.ancestral, admixture.proportions, strict=True)) == pytest.approx(
        {"AFR": 1 / 6, "EUR": 1 / 3, "EAS": 1 / 2}
    )


@pytest.mark.parametrize(
    ("samples", "length", "message"),
    [(10, 1_000, "multiple of 4"), (0, 1_000, "multiple of 4"), (8, 40_000_000, "give 1 to 30,818,469")],
)
def test_sizes_that_cannot_be_had_are_named(samples: int, length: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=message):
        simulate_cohort(tmp_path, samples=samples, length=length, seed=1)
