"""Counts by PLINK 2: ``--freq counts`` and ``--geno-counts`` on X, Y and MT."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_GENOTYPE_COUNTS = ("HOM_REF_CT", "HET_REF_ALT_CTS", "TWO_ALT_GENO_CTS", "HAP_REF_CT", "HAP_ALT_CTS")
_X = {"PAR1": "X", "PAR2": "X"}


@dataclass(frozen=True)
class PlinkCounts:
    """Of one variant: alt counts by alt and alleles observed; genotypes of a variant with one alt."""

    alt_counts: tuple[float, ...]
    n_alleles: int
    n_hom_ref: int
    n_het: int
    n_hom_alt: int
    n_hap_ref: int
    n_hap_alt: int


def count_with_plink(
    plink2: str, vcf: Path, sexes: Mapping[str, str], keep: Sequence[str], half_calls: str
) -> dict[tuple[str, int], PlinkCounts]:
    """Counts by (contig without chr, position).

    ``half_calls`` is PLINK's mode: ``missing`` or ``haploid``. ``keep`` are further options that choose
    samples.
    """
    codes = {"XX": "2", "XY": "1"}
    sex_file = vcf.with_suffix(".sex")
    lines = [f"{sample}\t{codes.get(sex, '0')}" for sample, sex in sexes.items()]
    sex_file.write_text("\n".join(["#IID\tSEX", *lines]) + "\n")
    out = vcf.with_suffix("")
    subprocess.run(
        [plink2, "--vcf", str(vcf), "--vcf-half-call", half_calls, "--split-par", "hg38",
         "--update-sex", str(sex_file), *keep, "--out", str(out),
         "--freq", "counts", "cols=chrom,pos,ref,alt,altfreq,nobs", "--geno-counts", "cols=chrom,pos,ref,alt,"
         "homref,refalt,altxy,hapref,hapalt"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    genotypes = {_place(row): row for row in _rows(out.with_suffix(".gcount"))}
    return {
        _place(row): PlinkCounts(
            tuple(float(count) for count in row["ALT_CTS"].split(",")),
            int(row["OBS_CT"]),
            # Of several alts these are lists of counts: the first is taken, and not looked at.
            *(int(genotypes[_place(row)][name].split(",")[0]) for name in _GENOTYPE_COUNTS),
        )
        for row in _rows(out.with_suffix(".acount"))
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open() as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def _place(row: Mapping[str, str]) -> tuple[str, int]:
    contig = row["#CHROM"].removeprefix("chr")
    return _X.get(contig, contig), int(row["POS"])
