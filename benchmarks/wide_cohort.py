"""A VCF of very many samples, written in bounded memory, with every count known before it is read.

Most variants of a large cohort are rare: most records here have a frequency drawn evenly on the logarithmic
scale from one allele to 1 %, every tenth one between 1 and 50 %, so that both encodings of calls are used. A
small share of the calls is missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tools.cohort_files import (
    Cohort,
    Person,
    Site,
    bgzip_file,
    cell_table,
    vcf_header,
    write_records,
    write_samples,
)

CONTIG, FIRST_POSITION, SPACING = "chr22", 20_000_001, 100
GENOTYPES = ("0/0", "0/1", "1/1", "./.")  # a call's code is its place here; the last is missing
MISSING = 3
MISSING_SHARE = 0.001
COMMON_EVERY = 10
# About the shares of the All of Us release of 245,388 genomes.
SHARES = {"eur": 0.50, "afr": 0.22, "amr": 0.18, "eas": 0.025, "sas": 0.015, "mid": 0.005, "oth": 0.055}


class Counts(NamedTuple):
    """Alternate alleles and called alleles: ``int64[variants, groups]``, groups as in `SHARES`."""

    ac: npt.NDArray[np.int64]
    an: npt.NDArray[np.int64]


def wide_people(samples: int, rng: np.random.Generator) -> tuple[list[Person], npt.NDArray[np.int64]]:
    """People, and the place of each one's ancestry in `SHARES`."""
    groups = rng.choice(len(SHARES), size=samples, p=list(SHARES.values()))
    names = list(SHARES)
    people = [
        Person(f"P{number:07d}", ("XX", "XY")[number % 2], names[group])
        for number, group in enumerate(groups)
    ]
    return people, groups


def write_wide_cohort(folder: Path, *, samples: int, variants: int, seed: int) -> tuple[Cohort, Counts]:
    """Write the two files, one variant at a time, and count on the way."""
    rng = np.random.default_rng(seed)
    people, groups = wide_people(samples, rng)
    cohort = Cohort(folder / "wide.vcf.gz", folder / "wide.tsv")
    write_samples(cohort.samples, people)
    cells = cell_table(GENOTYPES)
    counts = Counts(*(np.empty((variants, len(SHARES)), dtype=np.int64) for _ in Counts._fields))
    with bgzip_file(cohort.vcf) as stream:
        stream.write(vcf_header([CONTIG], people, source="random calls of known counts"))
        for variant in range(variants):
            calls = _random_calls(samples, _frequency(variant, samples, rng), rng)
            counts.ac[variant], counts.an[variant] = _count(calls, groups)
            site = Site(CONTIG, FIRST_POSITION + SPACING * variant, "A", "G")
            write_records(stream, [site], calls[np.newaxis], cells)
    return cohort, counts


def _frequency(variant: int, samples: int, rng: np.random.Generator) -> float:
    if variant % COMMON_EVERY == COMMON_EVERY - 1:
        return rng.uniform(0.01, 0.5)
    return float(np.exp(rng.uniform(np.log(1 / (2 * samples)), np.log(0.01))))


def _random_calls(samples: int, frequency: float, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Codes of `GENOTYPES`, ``uint8[samples]``, in Hardy-Weinberg proportions."""
    draws = rng.random(samples, dtype=np.float32)
    homozygous, carrying = frequency**2, 1 - (1 - frequency) ** 2
    calls = (draws < carrying).astype(np.uint8) + (draws < homozygous)
    calls[rng.integers(samples, size=rng.binomial(samples, MISSING_SHARE))] = MISSING
    return calls


def _count(
    calls: npt.NDArray[np.uint8], groups: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    called = calls != MISSING
    alternates = np.bincount(groups[called], weights=calls[called], minlength=len(SHARES)).astype(np.int64)
    return alternates, 2 * np.bincount(groups[called], minlength=len(SHARES))
