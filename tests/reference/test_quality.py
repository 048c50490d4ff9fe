"""Quality of variants and samples against PLINK 2 and bcftools, on real files."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cyvcf2 import VCF

from allofus_spark.ingest import ingest_samples
from allofus_spark.qc import compute_qc
from allofus_spark.tables import Warehouse

from .engine import ingest
from .quality import (
    Quality,
    Record,
    bcftools,
    read_quality,
    record_of,
    rename_samples,
    report,
    run_plink,
    sample_stats,
)

pytestmark = pytest.mark.long


GROUPS = ("afr", "amr", "eas", "eur", "sas")
CALLSETS = ("phase_3", "missing", "split", "hwe")
PRINTED = 1e-5  # PLINK and bcftools print six digits


@dataclass(frozen=True)
class Assessed:
    """A callset's rows and the counters of its run; ``vcf`` has its records with one ALT, or split to one."""

    vcf: Path
    quality: Quality
    counters: dict[str, int]


@pytest.fixture(scope="module")
def labels(realdata: Path) -> Path:
    return realdata / "ancestry" / "integrated_call_samples_v3.20130502.ALL.panel.tsv"


@pytest.fixture(scope="module")
def assessed(
    realdata: Path,
    labels: Path,
    oracle: Callable[[str], str],
    new_warehouse: Callable[..., Warehouse],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Assessed]:
    """Four callsets in one warehouse.

    ``phase_3``: SNPs and indels with one ALT of 2,504 people; ``missing``: 346 records of 100 people with
    missing calls; ``split``: 735 records of 100 people, 356 of them with several ALTs; ``hwe``: six records
    of Hail's tests, one of them without a call.
    """
    program, folder = oracle("bcftools"), tmp_path_factory.mktemp("quality")
    data, files = realdata / "multisample", {name: folder / f"{name}.vcf.gz" for name in CALLSETS}
    sources = {
        "missing": data / "hail_sample_100_chr20_AD_DP_GQ_PL.grch37.vcf.gz",
        "split": data / "hail_sample2_100_chr22_multiallelic_DP_GQ_PL.grch37.vcf.gz",
        "hwe": realdata / "peer_assoc" / "hail" / "HWE_test.vcf",
    }
    for name, source in sources.items():
        rename_samples(program, source, files[name], prefix=f"{name}:")
    whole = data / "1kg_p3_2504_chr22_16.05-16.5M.grch37.vcf.gz"
    one_alt = ("-m2", "-M2", "-v", "snps,indels", "-Oz", "-o")
    bcftools(program, "view", *one_alt, str(files["phase_3"]), str(whole))
    warehouse = new_warehouse()
    columns = {"sample_id": "sample", "ancestry": "super_pop"}
    ingest_samples(warehouse, labels, callset_id="phase_3", columns=columns)
    for name in CALLSETS:
        ingest(warehouse, files[name], build="GRCh37", callset_id=name)
    counters = compute_qc(warehouse, assume_unrelated=True)
    both = folder / "both.vcf.gz"
    bcftools(program, "norm", "-m-", "-Oz", "-o", str(both), str(files["split"]))
    bcftools(program, "view", "-e", 'ALT="*"', "-Oz", "-o", str(files["split"]), str(both))
    return {name: Assessed(files[name], read_quality(warehouse, name), counters) for name in CALLSETS}


def test_hardy_weinberg_equals_plink_in_each_ancestry(
    assessed: dict[str, Assessed], labels: Path, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    phase_3 = assessed["phase_3"]
    panel = [line.split("\t") for line in labels.read_text().splitlines()[1:]]
    most_surprising = 0.0
    for group in GROUPS:
        people = tmp_path / f"{group}.txt"
        people.write_text("".join(f"{row[0]}\n" for row in panel if row[2].lower() == group))
        out = run_plink(
            oracle("plink2"), phase_3.vcf, tmp_path / group,
            "--keep", str(people), "--hardy", "cols=chrom,pos,ref,alt,gcounts,p",
        )  # fmt: skip
        by_record = {record_of(row): row for row in report(out.with_suffix(".hardy"))}
        assert len(by_record) == len(phase_3.quality.variants) > 6000
        for row in phase_3.quality.variants:
            test, plink = row[f"hwe_{group}"], by_record[row["record"]]
            theirs = [int(plink[name]) for name in ("TWO_AX_CT", "HET_A1_CT", "HOM_A1_CT")]
            of_alt = plink["A1"] == row["record"][2]
            assert calls_of(test) == tuple(theirs if of_alt else theirs[::-1])
            assert 10 ** -test["neg_log10_p"] == pytest.approx(float(plink["P"]), rel=PRINTED)
            most_surprising = max(most_surprising, test["neg_log10_p"])
    assert most_surprising > 50


def calls_of(test: Mapping[str, Any]) -> tuple[int, int, int]:
    return test["n_hom_ref"], test["n_het"], test["n_hom_alt"]


@pytest.mark.parametrize("name", CALLSETS)
def test_excess_heterozygosity_is_that_of_bcftools_without_half_of_the_seen(
    name: str, assessed: dict[str, Assessed], oracle: Callable[[str], str]
) -> None:
    tagged = excess_by_bcftools(oracle("bcftools"), assessed[name].vcf)
    n_compared = n_flagged = 0
    for row in assessed[name].quality.variants:
        test = row["excess_het"]
        if test["phred"] is None:
            assert (name, row["n_called"]) == ("hwe", 0)
            assert "no_diploid_call" in row["not_assessed"]
            continue
        assert (test["phred"] > 54.69) == ("ExcessHet" in row["reasons"])
        if row["record"] in tagged:  # of split records those with one ALT
            p_greater = 10 ** (-test["phred"] / 10) + half_of_seen(*calls_of(test))
            assert p_greater == pytest.approx(tagged[row["record"]], rel=PRINTED)
            n_compared += 1
            n_flagged += "ExcessHet" in row["reasons"]
    assert n_compared >= 5
    if name == "phase_3":
        assert n_flagged > 50


def excess_by_bcftools(program: str, vcf: Path) -> dict[Record, float]:
    tags = {}
    for line in bcftools(program, "+fill-tags", str(vcf), "--", "-t", "HWE,ExcHet").splitlines():
        if not line.startswith("#"):
            _, position, _, ref, alt, _, _, info, _ = line.split("\t", 8)
            values = dict(item.partition("=")[::2] for item in info.split(";"))
            tags[int(position), ref, alt] = float(values["ExcHet"])
    return tags


def half_of_seen(hom_ref: int, het: int, hom_alt: int) -> float:
    """Half the probability of the heterozygotes seen, which a mid-p leaves out."""
    n, alts = hom_ref + het + hom_alt, het + 2 * hom_alt
    ln = math.lgamma
    ln_ways = het * math.log(2) + ln(n + 1) - ln(hom_ref + 1) - ln(het + 1) - ln(hom_alt + 1)
    return math.exp(ln_ways + ln(alts + 1) + ln(2 * n - alts + 1) - ln(2 * n + 1)) / 2


@pytest.mark.parametrize("name", CALLSETS)
def test_call_rates_equal_plink(
    name: str, assessed: dict[str, Assessed], oracle: Callable[[str], str], tmp_path: Path
) -> None:
    out = run_plink(
        oracle("plink2"), assessed[name].vcf, tmp_path / "missing",
        "--missing", "scols=nmiss,nobs,fmiss", "vcols=chrom,pos,ref,alt,nmiss,nobs,fmiss",
    )  # fmt: skip
    by_record = {record_of(row): row for row in report(out.with_suffix(".vmiss"))}
    for row in assessed[name].quality.variants:
        if name != "split" or row["record"] in by_record:
            plink = by_record[row["record"]]
            assert row["n_meant"] == int(plink["OBS_CT"])
            assert row["n_meant"] - row["n_called"] == int(plink["MISSING_CT"])
            assert 1 - row["call_rate"] == pytest.approx(float(plink["F_MISS"]), rel=PRINTED, abs=1e-12)
    people = report(out.with_suffix(".smiss"))
    for row, plink in zip(assessed[name].quality.samples, people, strict=True):
        assert row["n_missing"] == int(plink["MISSING_CT"])
        assert row["n_called"] + row["n_missing"] == int(plink["OBS_CT"])
        assert 1 - row["call_rate"] == pytest.approx(float(plink["F_MISS"]), rel=PRINTED, abs=1e-12)
    if name == "missing":
        assert sum(row["n_missing"] for row in assessed[name].quality.samples) > 500


@pytest.mark.parametrize("name", ["phase_3", "missing", "split"])
def test_counts_of_samples_equal_bcftools_stats(
    name: str, assessed: dict[str, Assessed], oracle: Callable[[str], str]
) -> None:
    """bcftools calls an allele of one person a singleton, a homozygote's too; here it has one copy."""
    stats = sample_stats(oracle("bcftools"), assessed[name].vcf)
    n_private_homozygous = private_homozygotes(assessed[name].vcf)
    samples = assessed[name].quality.samples
    assert list(stats) == [row["sample_id"] for row in samples]
    assert n_private_homozygous.sum() > 0
    for row, n_private in zip(samples, n_private_homozygous, strict=True):
        theirs = stats[row["sample_id"]]
        assert row["n_singletons"] == theirs.n_singletons - n_private
        for field in theirs._fields:
            if field not in ("n_singletons", "n_indels"):
                assert row[field] == getattr(theirs, field), (row["sample_id"], field)
        assert row["n_insertion"] + row["n_deletion"] == theirs.n_indels
        assert row["ti_tv"] == pytest.approx(theirs.n_transitions / theirs.n_transversions, rel=1e-15)
        assert row["het_hom_ratio"] == pytest.approx(theirs.n_het / theirs.n_hom_alt, rel=1e-15)


def private_homozygotes(vcf: Path) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Alleles of each sample that nobody else carries, and it twice."""
    found = []
    for variant in VCF(str(vcf)):
        copies = (variant.genotype.array()[:, :2] == 1).sum(axis=1)
        found.append((copies == 2) & ((copies > 0).sum() == 1))
    counts: np.ndarray[Any, np.dtype[np.int64]] = np.sum(found, axis=0)
    return counts


@pytest.mark.parametrize(("name", "expected"), [("missing", 8), ("split", 100), ("hwe", 1)])
def test_records_without_a_call_of_high_quality_are_flagged(
    name: str, expected: int, assessed: dict[str, Assessed]
) -> None:
    n_high_quality = high_quality_calls(assessed[name].vcf)
    n_flagged = 0
    for row in assessed[name].quality.variants:
        assert "no_genotype_quality" not in row["not_assessed"]
        if row["record"] in n_high_quality:  # of split records those with one ALT
            flagged = "NO_HQ_GENOTYPES" in row["reasons"]
            assert flagged == (n_high_quality[row["record"]] == 0)
            n_flagged += flagged
    assert n_flagged == expected


def high_quality_calls(vcf: Path) -> dict[Record, int]:
    """Calls with GQ >= 20, DP >= 10 and, where het, a share of ALT reads of at least 0.2."""
    counts = {}
    for variant in VCF(str(vcf)):
        calls = variant.genotype.array()[:, :2]
        reads = np.maximum(variant.format("AD")[:, :2], 0)
        depth, quality = variant.format("DP")[:, 0], variant.format("GQ")[:, 0]
        balance = reads[:, 1] / np.maximum(reads.sum(axis=1), 1)
        is_het = calls[:, 0] != calls[:, 1]
        high = (calls >= 0).all(axis=1) & (quality >= 20) & (depth >= 10) & (~is_het | (balance >= 0.2))
        counts[variant.POS, variant.REF, variant.ALT[0]] = int(high.sum())
    return counts


def test_what_was_not_assessed_is_counted(assessed: dict[str, Assessed]) -> None:
    counters = assessed["phase_3"].counters
    n_variants = {name: len(assessed[name].quality.variants) for name in CALLSETS}
    assert counters["callsets"] == len(CALLSETS)
    assert counters["variants"] == sum(n_variants.values())
    assert counters["samples"] == counters["samples_unrelated"] == 2504 + 100 + 100 + 4
    assert counters["variants_not_assessed_no_unrelated_list"] == 0
    n_unlabelled = counters["variants"] - n_variants["phase_3"]
    assert counters["variants_not_assessed_no_ancestry_label"] == n_unlabelled
    for name in CALLSETS:
        labelled = {row["hwe_eur"] is not None for row in assessed[name].quality.variants}
        assert labelled == {name == "phase_3"}
