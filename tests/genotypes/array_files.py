"""What the tests of the array formats share: files of PLINK 2, calls as cyvcf2 reads them, and damage."""

from __future__ import annotations

import io
import random
import subprocess
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cyvcf2
import numpy as np
import numpy.typing as npt
import pytest

from allofus_spark.errors import BadSource


class Expected(NamedTuple):
    """Calls int8[alternates, n], and the number of alternates of each record."""

    calls: npt.NDArray[np.int8]
    n_alts: npt.NDArray[np.int64]

    @property
    def n_samples(self) -> int:
        return self.calls.shape[1]

    def rows_before(self, variant: int) -> int:
        return int(self.n_alts[:variant].sum())


@lru_cache
def calls_of_vcf(path: Path) -> Expected:
    """Each alternate's copies, 3 where no allele is called; a haploid call counts twice."""
    rows, n_alts = [], []
    for record in cyvcf2.VCF(str(path)):
        alleles = record.genotype.array()[:, :-1].astype(np.int64)
        if alleles.shape[1] == 1:
            alleles = np.repeat(alleles, 2, axis=1)
        alleles = np.where(alleles == -2, alleles[:, :1], alleles)  # a haploid call among diploid ones
        n_alts.append(max(1, len(record.ALT)))
        for alt in range(1, n_alts[-1] + 1):
            copies = (alleles == alt).sum(axis=1)
            rows.append(np.where((alleles < 0).any(axis=1), 3, copies))
    return Expected(np.array(rows, np.int8), np.array(n_alts))


def plink2(program: str, *options: str | Path) -> None:
    done = subprocess.run(
        [program, *map(str, options), "--threads", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def refusal(read: Callable[[io.BytesIO], object], data: bytes) -> str:
    with pytest.raises(BadSource) as caught:
        read(io.BytesIO(data))
    return str(caught.value)


def survives_damage(read: Callable[[io.BytesIO], object], data: bytes, times: int, seed: int = 0) -> int:
    """Change some bytes, many times: there is a result or a BadSource each time; how many were refused."""
    rng = random.Random(seed)
    refused = 0
    for _ in range(times):
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 1, 1, 2, 8))):
            damaged[rng.randrange(len(damaged))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        try:
            read(io.BytesIO(bytes(damaged)))
        except BadSource:
            refused += 1
    return refused


def refused_at_every_cut(read: Callable[[io.BytesIO], object], data: bytes, step: int = 1) -> None:
    for end in range(0, len(data), step):
        with pytest.raises(BadSource):
            read(io.BytesIO(data[:end]))
