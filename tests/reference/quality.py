"""Quality control by PLINK 2 and bcftools, and the engine's tables beside it."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deltalake import DeltaTable

from allofus_spark.tables import SAMPLE_QC, VARIANT_SITES, Warehouse

from .engine import read_rows

Record = tuple[int, str, str]  # POS, REF, ALT as written


class Quality(NamedTuple):
    """Rows of one callset: variants in key order with their record as written, samples in callset order."""

    variants: list[dict[str, Any]]
    samples: list[dict[str, Any]]


def read_quality(warehouse: Warehouse, callset_id: str = "c") -> Quality:
    table = warehouse.contract("variant_qc")
    variants = read_rows(warehouse, table, callset_id=callset_id).to_pylist()
    sites = read_rows(warehouse, VARIANT_SITES, callset_id=callset_id).to_pylist()
    for row, site in zip(variants, sites, strict=True):
        assert (row["position"], row["alt"]) == (site["position"], site["alt"])
        row["record"] = (site["input_position"], site["input_ref"], site["input_alts"])
    samples = DeltaTable(warehouse.path(SAMPLE_QC)).to_pyarrow_table().sort_by("sample_index")
    return Quality(variants, [row for row in samples.to_pylist() if row["callset_id"] == callset_id])


def run_plink(plink2: str, vcf: Path, out: Path, *options: str) -> Path:
    """Runs PLINK 2 on a VCF; its reports begin with ``out``."""
    command = [plink2, "--vcf", str(vcf), "--out", str(out), *options]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return out


def report(path: Path) -> list[dict[str, str]]:
    """Rows of a report of PLINK."""
    with path.open() as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def record_of(row: dict[str, str]) -> Record:
    return int(row["POS"]), row["REF"], row["ALT"]


def bcftools(program: str, *arguments: str) -> str:
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def rename_samples(program: str, source: Path, target: Path, *, prefix: str) -> None:
    """Copies a VCF; its samples get a prefix."""
    names = bcftools(program, "query", "-l", str(source)).split()
    lines = target.with_suffix(".names")
    lines.write_text("".join(f"{name} {prefix}{name}\n" for name in names))
    copy = target.with_suffix(".copy")
    bcftools(program, "view", "-Oz", "-o", str(copy), str(source))
    bcftools(program, "reheader", "-s", str(lines), "-o", str(target), str(copy))


class SampleStats(NamedTuple):
    """Of one sample, from PSC and PSI of ``bcftools stats``: calls of SNPs and indels."""

    n_hom_ref: int
    n_hom_alt: int
    n_het: int
    n_snv_hom_alt: int
    n_snv_het: int
    n_transitions: int
    n_transversions: int
    n_indels: int
    n_singletons: int
    n_missing: int
    n_insertion: int
    n_deletion: int


def sample_stats(program: str, vcf: Path) -> dict[str, SampleStats]:
    """By sample. PSC has hets and hom-alts of SNPs alone, PSI those of indels."""
    lines = [line.split("\t") for line in bcftools(program, "stats", "-s", "-", str(vcf)).splitlines()]
    indels = {line[2]: [int(value) for value in line[7:11]] for line in lines if line[0] == "PSI"}
    return {
        line[2]: _stats([line[place] for place in (3, 4, 5, 6, 7, 8, 10, 13)], indels[line[2]])
        for line in lines
        if line[0] == "PSC"
    }


def _stats(counts: Sequence[str], indels: Sequence[int]) -> SampleStats:
    hom_ref, hom_alt, het, *others = map(int, counts)
    ins_het, del_het, ins_hom, del_hom = indels
    snv_hom_alt, snv_het = hom_alt, het
    hom_alt, het = hom_alt + ins_hom + del_hom, het + ins_het + del_het
    return SampleStats(
        hom_ref, hom_alt, het, snv_hom_alt, snv_het, *others, ins_het + ins_hom, del_het + del_hom
    )
