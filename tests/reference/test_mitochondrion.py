"""Counts on the mitochondrion against cyvcf2: one allele a person, heteroplasmic calls missing."""

from __future__ import annotations

import numpy as np
from cyvcf2 import VCF

from allofus_spark.frequencies import compute_frequencies

from .conftest import Cohort
from .engine import Frequencies
from .plain_alleles import plain_key


def test_every_count_of_1074_mitochondria(mitochondria: Cohort) -> None:
    compute_frequencies(mitochondria.warehouse)
    engine = Frequencies(mitochondria.warehouse)
    wanted: dict[tuple[str, int, str, str], tuple[int, int]] = {}
    n_heteroplasmic = 0
    for record in VCF(str(mitochondria.files[0])):
        alleles = record.genotype.array()[:, :-1]
        called = (alleles >= 0).all(axis=1) | ((alleles >= 0).sum(axis=1) == 1)
        n_alleles = np.maximum((alleles >= 0).sum(axis=1), 1)
        for number, alt in enumerate(record.ALT, 1):
            copies = (alleles == number).sum(axis=1)
            mixed = (copies > 0) & (copies < n_alleles)
            n_heteroplasmic += int(mixed.sum())
            one = called & ~mixed
            key = plain_key("MT", record.POS, record.REF, alt, "GRCh37")
            wanted[key] = (int((one & (copies > 0)).sum()), int(one.sum()))
    assert engine.keys == sorted(wanted)
    assert n_heteroplasmic == 388
    ac, an = np.array([wanted[key] for key in engine.keys]).T
    np.testing.assert_array_equal(engine.values("overall", "ac"), ac)
    np.testing.assert_array_equal(engine.values("overall", "an"), an)
    # One copy each: carriers are hemizygous, never homozygous.
    np.testing.assert_array_equal(engine.values("overall", "n_hemi"), ac)
    np.testing.assert_array_equal(engine.values("overall", "n_hom"), 0)
    np.testing.assert_array_equal(engine.values("overall", "sc"), ac)
