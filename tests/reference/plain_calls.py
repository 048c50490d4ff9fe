"""What an ingest must store, worked out from cyvcf2's genotypes with the policies restated in NumPy.

- A diploid call counts its copies of the alt: 0, 1, 2. Another alt is not this one.
- A half call is missing; where one copy is meant (XY on non-PAR X and Y, everyone on MT) it is the haploid
  call of the allele seen.
- A haploid call is 0 or 2; on autosomes, in PAR, and of XX on X it is missing.
- More than two alleles: missing.
- Records that reach one key: identical calls are one row, different calls are refused, all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cyvcf2 import VCF

from .plain_alleles import Key, is_dropped, plain_contig, plain_key

Calls = npt.NDArray[np.int8]
MISSING = 3
_NO_ALLELE = -2  # cyvcf2's filler for calls of lower ploidy than the record's highest

# 1-based, both ends inclusive; GRC's definition of the assemblies.
PAR = {
    "GRCh38": {"X": ((10_001, 2_781_479), (155_701_383, 156_030_895)),
               "Y": ((10_001, 2_781_479), (56_887_903, 57_217_415))},
    "GRCh37": {"X": ((60_001, 2_699_520), (154_931_044, 155_260_560)),
               "Y": ((10_001, 2_649_520), (59_034_050, 59_363_566))},
}  # fmt: skip


def plain_region(contig: str, position: int, build: str) -> str:
    """autosome (PAR included), X, Y or MT."""
    short = contig.removeprefix("chr")
    if short in ("M", "MT"):
        return "MT"
    if short in PAR[build] and not any(first <= position <= last for first, last in PAR[build][short]):
        return short
    return "autosome"


def stored_calls(
    alleles: npt.NDArray[np.integer], n_alts: int, region: str, sex: npt.NDArray[np.str_]
) -> Calls:
    """Calls int8[n_alts, n] as they must be stored.

    Parameters
    ----------
    alleles
        int[n, ploidy]: allele numbers, -1 missing, -2 where the call has fewer alleles.
    sex
        str[n]: XX, XY, other, or empty where not known.
    """
    ploidy = (alleles != _NO_ALLELE).sum(axis=1)
    n_called = (alleles >= 0).sum(axis=1)
    whole = (ploidy == 2) & (n_called == 2)
    one_meant = np.full(len(sex), region == "MT") | ((region in ("X", "Y")) & (sex == "XY"))
    one_possible = np.full(len(sex), region != "autosome") & ~((region == "X") & (sex == "XX"))
    haploid = ((ploidy == 1) & (n_called == 1) & one_possible) | ((ploidy == 2) & (n_called == 1) & one_meant)
    calls = np.full((n_alts, len(sex)), MISSING, np.int8)
    for alt in range(1, n_alts + 1):
        copies = (alleles == alt).sum(axis=1)
        calls[alt - 1, whole] = copies[whole]
        calls[alt - 1, haploid] = 2 * copies[haploid]
    return calls


@dataclass(frozen=True)
class PlainCallset:
    """Alleles in key order with their calls int8[alleles, n], and the keys that are refused as duplicates."""

    samples: tuple[str, ...]
    keys: list[Key]
    calls: Calls
    n_records_of_refused_key: dict[Key, int]
    n_collapsed: int


def read_plain(paths: Sequence[Path], build: str, sex: dict[str, str] | None = None) -> PlainCallset:
    """The callset of some VCF files with the same samples, all trimmed keys, in key order."""
    samples = tuple(VCF(str(paths[0])).samples)
    sexes = np.array([(sex or {}).get(sample, "") for sample in samples])
    rows: list[tuple[Key, Calls]] = []
    for path in paths:
        reader = VCF(str(path))
        order = [reader.samples.index(sample) for sample in samples]
        for record in reader:
            region = plain_region(plain_contig(record.CHROM, build), record.POS, build)
            alleles = record.genotype.array()[order, :-1]
            calls = stored_calls(alleles, len(record.ALT), region, sexes)
            for alt, row in zip(record.ALT, calls, strict=True):
                if not is_dropped(alt):
                    rows.append((plain_key(record.CHROM, record.POS, record.REF, alt, build), row))
    return _without_duplicates(samples, rows)


def _without_duplicates(samples: tuple[str, ...], rows: list[tuple[Key, Calls]]) -> PlainCallset:
    by_key: defaultdict[Key, list[Calls]] = defaultdict(list)
    for key, row in rows:
        by_key[key].append(row)
    alike = {key: all(np.array_equal(same[0], row) for row in same[1:]) for key, same in by_key.items()}
    keys = sorted(key for key in by_key if alike[key])
    return PlainCallset(
        samples,
        keys,
        np.stack([by_key[key][0] for key in keys]),
        {key: len(by_key[key]) for key in by_key if not alike[key]},
        sum(len(by_key[key]) - 1 for key in keys),
    )
